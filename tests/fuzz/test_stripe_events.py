"""Does anything that Stripe, or who pretends to be Stripe, could send bring more than our two errors?"""

import json

from hypothesis import given
from hypothesis import strategies as st

from claimbot.core.errors import BadPayload, BadSignature
from claimbot.payments.webhook import parse, verify
from tests.fuzz import thorough
from tests.payments.builders import NOW, SECRET, make_event, sign

SECOND = "whsec_aurora_second"


def outcome(body: bytes, header: str | None) -> str:
    """How the door sees it; any other exception fails the test."""
    try:
        return parse(verify(body, header, [SECRET], NOW)).kind
    except (BadSignature, BadPayload) as error:
        return type(error).__name__


@thorough
@given(body=st.binary(max_size=200), header=st.none() | st.text(max_size=200))
def test_no_bytes_and_no_header_bring_anything_but_our_two_errors(body: bytes, header: str | None) -> None:
    assert outcome(body, header) == "BadSignature"
    assert outcome(body, sign(body)) == "BadPayload"


KEYS_OF_STRIPE = st.sampled_from(
    "id object type data metadata claim_id status payment_status amount_subtotal amount_total amount currency"
    " livemode expires_at customer_details consent promotions payment_intent charge amount_refunded refunded"
    " collected_information shipping_details address account mode payment_link".split()
)
WORDS_OF_STRIPE = st.sampled_from(
    ["complete", "expired", "open", "paid", "unpaid", "eur", "lost", "won", "full"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    LEAVES | st.text(max_size=9) | WORDS_OF_STRIPE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS_OF_STRIPE, inner, max_size=6),
    max_leaves=10,
)
TYPES = st.sampled_from(
    "checkout.session.completed checkout.session.async_payment_failed charge.refunded refund.updated"
    " charge.dispute.created charge.refund.updated payout.paid".split()
)


@thorough
@given(found=JSON, type_=TYPES, envelope=st.dictionaries(KEYS_OF_STRIPE, JSON, max_size=3))
def test_no_json_brings_anything_but_our_two_errors(
    found: object, type_: str, envelope: dict[str, object]
) -> None:
    event = {**make_event(type_, found), **envelope}
    body = json.dumps(event).encode()
    assert outcome(body, sign(body)) != "BadSignature"
    assert outcome(body, sign(body, SECOND)) == "BadSignature"
