"""Is only Stripe believed, brand by brand, and what do we do with what it signed?"""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from claimbot.core.claims import Claim
from claimbot.core.payments import PaymentKeys
from claimbot.db import brands
from tests.builders import NOW, make_claim, make_drop, make_lead, make_sealer, told
from tests.payments.builders import make_event, make_paid
from tests.web.doors import STRIPE_KEY, WEBHOOK_SECRET, Doors, stripe_header

BODY = json.dumps(make_event("checkout.session.completed", make_paid())).encode()
GOOD = stripe_header(BODY, WEBHOOK_SECRET, NOW)
STAMP = int(NOW.timestamp())
BARE = hmac.new(WEBHOOK_SECRET.encode(), BODY, hashlib.sha256).hexdigest()

FORGERIES: dict[str, dict[str, str]] = {
    "no header": {},
    "empty": {"Stripe-Signature": ""},
    "no time": {"Stripe-Signature": GOOD.partition(",")[2]},
    "no signature": {"Stripe-Signature": GOOD.partition(",")[0]},
    "only the test scheme": {"Stripe-Signature": GOOD.replace("v1=", "v0=")},
    "a time that was not signed": {"Stripe-Signature": GOOD.replace(f"t={STAMP}", f"t={STAMP + 1}")},
    "the body without the time": {"Stripe-Signature": f"t={STAMP},v1={BARE}"},
    "of another body": {"Stripe-Signature": stripe_header(b"{}", WEBHOOK_SECRET, NOW)},
    "with another brand's secret": {"Stripe-Signature": stripe_header(BODY, "whsec_borealis", NOW)},
    "six minutes old": {"Stripe-Signature": stripe_header(BODY, WEBHOOK_SECRET, NOW - timedelta(minutes=6))},
    "from the future": {"Stripe-Signature": stripe_header(BODY, WEBHOOK_SECRET, NOW + timedelta(minutes=6))},
    "letters beyond ASCII": {"Stripe-Signature": f"t={STAMP},v1={'é' * 64}"},
    "Meta's header": {"X-Hub-Signature-256": GOOD},
}


def held_claim(doors: Doors) -> Claim:
    drop = make_drop(doors.ledger, doors.brand)
    return make_claim(doors.ledger, drop, make_lead(doors.ledger, doors.account), **told(10))


def paid(claim: Claim, **changes: Any) -> dict[str, Any]:
    """All the money for this claim, as Stripe tells it."""
    amounts = {"amount_subtotal": claim.unit_price.minor, "amount_total": claim.unit_price.minor}
    named = {"client_reference_id": claim.id, "metadata": {"claim_id": claim.id}}
    return make_event("checkout.session.completed", make_paid(**amounts, **named), **changes)


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_event_is_refused_and_leaves_nothing(sqlite_doors: Doors, name: str) -> None:
    before = sqlite_doors.counted()

    answer = sqlite_doors.browser.post("/webhooks/stripe/aurora", data=BODY, headers=FORGERIES[name])

    assert (answer.status, answer.text) == (403, "not allowed\n")
    assert sqlite_doors.counted() == before


def test_a_paid_session_sells_the_claim_once(doors: Doors) -> None:
    claim = held_claim(doors)

    assert doors.stripe(paid(claim)).status == 200
    assert doors.stripe(paid(claim)).status == 200
    assert doors.rows("SELECT state, paid_minor FROM claims") == [("sold", claim.unit_price.minor)]
    assert doors.rows("SELECT outcome FROM payment_events") == [("applied",)]


def test_an_unknown_brand_is_not_found(sqlite_doors: Doors) -> None:
    answer = sqlite_doors.stripe(make_event("ping", {}), slug="nobody")

    assert (answer.status, answer.text) == (404, "nothing here\n")


def test_a_brand_without_payment_keys_believes_nobody(sqlite_doors: Doors) -> None:
    assert sqlite_doors.stripe(make_event("ping", {}), slug="borealis", secret="whsec_any").status == 403


def test_another_brands_door_does_not_open_with_a_true_signature(doors: Doors) -> None:
    held_claim(doors)

    assert doors.stripe(BODY, slug="borealis").status == 403
    assert doors.rows("SELECT state FROM claims") == [("held",)]


@pytest.mark.matrix(37)
@pytest.mark.parametrize("changes", [{"livemode": True}, {"account": "acct_borealis"}])
def test_an_event_of_the_other_mode_or_another_account_is_ignored(
    doors: Doors, changes: dict[str, Any]
) -> None:
    claim = held_claim(doors)
    keys = PaymentKeys(doors.brand.id, STRIPE_KEY, (WEBHOOK_SECRET,), livemode=False, account="acct_aurora")
    with doors.ledger.begin() as tx:
        brands.mark_payment_keys(tx, make_sealer(), keys)

    assert doors.stripe(paid(claim, **changes)).status == 200
    assert doors.rows("SELECT state FROM claims") == [("held",)]
    assert doors.rows("SELECT count(*) FROM payment_events") == [(0,)]


RUBBISH: dict[str, bytes] = {
    "nothing": b"",
    "not JSON": b"id=evt_1",
    "a list": b"[]",
    "an event without an id": b'{"type": "checkout.session.completed"}',
    "an event without an object": b'{"id": "evt_1", "type": "checkout.session.completed"}',
    "deep": b'{"id": "evt_1", "type": "x", "data": ' + b"[" * 50 + b"]" * 50 + b"}",
    "200,000 brackets": b"[" * 200_000,
    "a number of 5,000 digits": b'{"id": "evt_1", "type": "x", "data": ' + b"9" * 5_000 + b"}",
    "not UTF-8": b'{"id": "\xff"}',
    "NUL": b"\x00",
}


@pytest.mark.parametrize("name", RUBBISH)
def test_signed_rubbish_is_kept_aside(doors: Doors, name: str) -> None:
    assert doors.stripe(RUBBISH[name]).status == 200
    assert [outcome for outcome, _ in doors.outcomes()] == ["quarantined"]
    assert doors.rows("SELECT kind FROM alerts") == [("quarantine",)]


ODD: dict[str, dict[str, Any]] = {
    "an unknown type": {"type": "customer.created"},
    "half a pair in the id": {"id": "evt_\ud800"},
    "a NUL in the id": {"id": "evt_\x00"},
    "a NUL in the type": {"type": "charge.\x00"},
    "an amount beyond all numbers": {"data": {"object": make_paid(amount_total=10**30)}},
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_event_is_answered(doors: Doors, name: str) -> None:
    held_claim(doors)

    assert doors.stripe(make_event("checkout.session.completed", make_paid(), **ODD[name])).status == 200


def test_a_buyer_with_an_odd_name_still_gets_the_unit(doors: Doors) -> None:
    claim = held_claim(doors)
    event = paid(claim)
    event["data"]["object"]["customer_details"]["name"] = "Ana \ud83d \x00 Lima"

    assert doors.stripe(event).status == 200
    assert doors.rows("SELECT state FROM claims") == [("sold",)]


def test_without_sql_stripe_is_asked_to_come_again(doors: Doors) -> None:
    claim = held_claim(doors)
    doors.parts.catalog(is_fresh=True)

    answer = doors.without_sql().stripe(paid(claim))

    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
