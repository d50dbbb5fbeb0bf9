"""What goes over the wire to Stripe: checked against Stripe's own schema."""

import json
from urllib.parse import parse_qs

import pytest

from claimbot.core.money import Money
from claimbot.core.payments import CheckoutOptions, CheckoutRequest, RefundPart
from claimbot.payments.gateway import API_VERSION, Gateway
from tests.openapi import stripe_spec
from tests.payments.builders import NOW, make_request, make_session
from tests.payments.loopback import Asked, Says, ScriptedStripe

EVERYTHING = CheckoutOptions(True, ("PT", "DE"), True, True, True)


def created(gateway: Gateway, stripe_says: ScriptedStripe, request: CheckoutRequest) -> dict[str, list[str]]:
    """The form that a create call sends."""
    stripe_says.says(Says(body=make_session()))
    gateway.create(request)
    return parse_qs(stripe_says.asked[0].body.decode(), strict_parsing=True)


@pytest.mark.parametrize(
    "request_",
    [
        make_request(),
        make_request(
            options=EVERYTHING, deadline_note="Yours until 12:40 UTC.", image_url="https://a.example/i"
        ),
        make_request(unit_price=Money(500, "JPY"), quantity=1),
    ],
    ids=["plain", "everything", "yen"],
)
def test_a_create_call_is_valid_by_the_schema(
    gateway: Gateway, stripe_says: ScriptedStripe, request_: CheckoutRequest
) -> None:
    stripe_says.says(Says(body=make_session()))
    gateway.create(request_)
    asked = stripe_says.asked[0]
    assert (asked.method, asked.path) == ("POST", "/v1/checkout/sessions")
    assert stripe_spec().request(asked.method, asked.path, asked.body) == []


def test_a_plain_create_call_sends_exactly_this(gateway: Gateway, stripe_says: ScriptedStripe) -> None:
    form = {name: values[0] for name, values in created(gateway, stripe_says, make_request()).items()}
    assert form == {
        "mode": "payment",
        "line_items[0][price_data][currency]": "eur",
        "line_items[0][price_data][unit_amount]": "12900",
        "line_items[0][price_data][product_data][name]": "Aurora lamp, dusk",
        "line_items[0][quantity]": "2",
        "client_reference_id": "clm_ana",
        "metadata[claim_id]": "clm_ana",
        "metadata[epoch]": "2",
        "payment_intent_data[metadata][claim_id]": "clm_ana",
        "payment_intent_data[metadata][epoch]": "2",
        "success_url": "https://drops.example/c/tok/done?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://drops.example/c/tok",
        "expires_at": "1795351200",
        "adaptive_pricing[enabled]": "false",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("phone_number_collection[enabled]", "true"),
        ("shipping_address_collection[allowed_countries][1]", "DE"),
        ("automatic_tax[enabled]", "true"),
        ("allow_promotion_codes", "true"),
        ("consent_collection[promotions]", "auto"),
        ("custom_text[submit][message]", "Yours until 12:40 UTC."),
        ("line_items[0][price_data][product_data][images][0]", "https://a.example/lamp.png"),
    ],
)
def test_what_the_drop_asks_of_the_buyer_is_sent(
    gateway: Gateway, stripe_says: ScriptedStripe, name: str, value: str
) -> None:
    wanted = make_request(
        options=EVERYTHING, deadline_note="Yours until 12:40 UTC.", image_url="https://a.example/lamp.png"
    )
    assert created(gateway, stripe_says, wanted)[name] == [value]


@pytest.mark.parametrize(
    "word", ["after_expiration", "adjustable_quantity", "payment_method_types", "images"]
)
def test_what_would_sell_more_than_is_held_is_never_sent(
    gateway: Gateway, stripe_says: ScriptedStripe, word: str
) -> None:
    wanted = make_request(options=EVERYTHING, deadline_note="Soon.", image_url="http://a.example/lamp.png")
    assert word not in str(created(gateway, stripe_says, wanted))


def test_a_very_long_deadline_note_is_cut_to_what_stripe_takes(
    gateway: Gateway, stripe_says: ScriptedStripe
) -> None:
    form = created(gateway, stripe_says, make_request(deadline_note="é" * 2_000))
    assert form["custom_text[submit][message]"] == ["é" * 1_200]


def test_the_idempotency_key_is_made_from_claim_and_epoch(
    gateway: Gateway, stripe_says: ScriptedStripe
) -> None:
    created(gateway, stripe_says, make_request())
    assert stripe_says.asked[0].headers["Idempotency-Key"] == "checkout:clm_ana:2"


def test_the_same_request_is_sent_in_the_same_bytes(gateway: Gateway, stripe_says: ScriptedStripe) -> None:
    stripe_says.says(Says(body=make_session()))
    gateway.create(make_request(options=EVERYTHING))
    gateway.create(make_request(options=EVERYTHING))
    assert stripe_says.asked[0].body == stripe_says.asked[1].body


def all_headers(gateway: Gateway, stripe_says: ScriptedStripe) -> Asked:
    """The second of two calls: telemetry would report on the first."""
    stripe_says.says(Says(body=make_session(), headers={"Request-Id": "req_1"}))
    gateway.create(make_request())
    gateway.retrieve("cs_test_ana")
    return stripe_says.asked[1]


def test_the_api_version_is_pinned(gateway: Gateway, stripe_says: ScriptedStripe) -> None:
    assert all_headers(gateway, stripe_says).headers["Stripe-Version"] == API_VERSION


def test_nothing_about_this_machine_is_reported(gateway: Gateway, stripe_says: ScriptedStripe) -> None:
    headers = all_headers(gateway, stripe_says).headers
    agent = json.loads(headers["X-Stripe-Client-User-Agent"])
    assert "X-Stripe-Client-Telemetry" not in headers
    assert not {"platform", "telemetry_id", "uname"} & set(agent)


@pytest.mark.parametrize("part", [None, RefundPart(Money(12900, "EUR"), 0)], ids=["full", "part"])
def test_a_refund_call_is_valid_by_the_schema(
    gateway: Gateway, stripe_says: ScriptedStripe, part: RefundPart | None
) -> None:
    stripe_says.says(Says(body={"id": "re_ana", "object": "refund", "status": "succeeded"}))
    gateway.refund("pi_ana", "cs_test_ana", part, "clm_ana")
    asked = stripe_says.asked[0]
    assert stripe_spec().request(asked.method, asked.path, asked.body) == []


@pytest.mark.parametrize(
    ("part", "key", "sent"),
    [
        (None, "refund:cs_test_ana", {}),
        (RefundPart(Money(12900, "EUR"), 500), "refund:cs_test_ana:500:12900", {"amount": ["12900"]}),
    ],
    ids=["full", "part"],
)
def test_a_refund_has_a_key_of_its_own_and_an_amount_only_in_part(
    gateway: Gateway,
    stripe_says: ScriptedStripe,
    part: RefundPart | None,
    key: str,
    sent: dict[str, list[str]],
) -> None:
    stripe_says.says(Says(body={"id": "re_ana", "object": "refund", "status": "succeeded"}))
    gateway.refund("pi_ana", "cs_test_ana", part, "clm_ana")
    form = parse_qs(stripe_says.asked[0].body.decode())
    assert stripe_says.asked[0].headers["Idempotency-Key"] == key
    assert {name: value for name, value in form.items() if name == "amount"} == sent


def test_an_expire_call_is_valid_by_the_schema(gateway: Gateway, stripe_says: ScriptedStripe) -> None:
    stripe_says.says(Says(body=make_session(status="expired", url=None)))
    gateway.expire("cs_test_ana")
    asked = stripe_says.asked[0]
    assert (asked.method, asked.path) == ("POST", "/v1/checkout/sessions/cs_test_ana/expire")
    assert stripe_spec().request(asked.method, asked.path, asked.body) == []


def test_lost_sessions_are_looked_for_from_a_time_on(gateway: Gateway, stripe_says: ScriptedStripe) -> None:
    stripe_says.says(Says(body={"object": "list", "data": [], "has_more": False}))
    gateway.find_by_claim("clm_ana", NOW)
    assert parse_qs(stripe_says.asked[0].query) == {"limit": ["100"], "created[gte]": ["1795348800"]}
