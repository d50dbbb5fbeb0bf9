"""Does the fake Stripe answer Stripe's own SDK as the real one would, inside Stripe's own schema?"""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import stripe

from tests.openapi import stripe_spec
from tests.sandbox.engine import Engine
from tests.sandbox.worlds import KEY, WEBHOOK_SECRET, Running, config_for, running_world, session_params

SESSIONS = "/v1/checkout/sessions"


def params(world: Running, **changes: Any) -> Any:
    return session_params(world.world.ground.clock.seconds(), **changes)


def create(world: Running, **changes: Any) -> stripe.checkout.Session:
    return world.stripe.v1.checkout.sessions.create(params(world, **changes))


def paid(world: Running, **told: Any) -> stripe.checkout.Session:
    made = create(world)
    world.api(f"/stripe/sessions/{made.id}/pay", **told)
    return world.stripe.v1.checkout.sessions.retrieve(made.id)


def call(world: Running, method: str, path: str, body: str = "", **headers: str) -> httpx.Response:
    headers = {
        "Authorization": f"Bearer {KEY}",
        "Content-Type": "application/x-www-form-urlencoded",
        **headers,
    }
    return world.http.request(method, f"/stripe{path}", content=body, headers=headers)


class Recorder(stripe.RequestsClient):
    """Keeps what the SDK sent and got, for the schema."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str, bytes, int, Any]] = []

    def request(self, method: str, url: str, headers: Any, post_data: Any = None, **more: Any) -> Any:
        answer = super().request(method, url, headers, post_data, **more)
        path = urlsplit(url).path.removeprefix("/stripe")
        self.seen.append((method, path, (post_data or "").encode(), answer[1], json.loads(answer[0])))
        return answer


def walk(world: Running, recorder: Recorder) -> None:
    """Everything that the engine asks of Stripe, and the refusals it meets."""
    client = stripe.StripeClient(KEY, base_addresses={"api": f"{world.url}/stripe"}, http_client=recorder)
    checkout = client.v1.checkout.sessions
    rich = {
        "phone_number_collection": {"enabled": True},
        "shipping_address_collection": {"allowed_countries": ["DE"]},
        "consent_collection": {"promotions": "auto"},
        "allow_promotion_codes": True,
        "automatic_tax": {"enabled": True},
        "custom_text": {"submit": {"message": "Yours until 14:20."}},
        "allowed_payment_method_types": ["card"],
    }
    ended, bought = checkout.create(params(world)), checkout.create(params(world, **rich))
    checkout.expire(ended.id)
    world.api(f"/stripe/sessions/{bought.id}/pay", marketing=True)
    checkout.retrieve(bought.id, {"expand": ["line_items", "payment_intent"]})
    checkout.list({"status": "complete", "created": {"gte": 1}})
    checkout.line_items.list(bought.id)
    intent = str(checkout.retrieve(bought.id).payment_intent)
    client.v1.payment_intents.retrieve(intent)
    refund = client.v1.refunds.create({"payment_intent": intent, "reason": "requested_by_customer"})
    client.v1.refunds.retrieve(refund.id)
    client.v1.refunds.list({"payment_intent": intent})
    world.api(f"/stripe/sessions/{bought.id}/dispute", won=False)
    client.v1.events.list({"limit": 100})
    with pytest.raises(stripe.InvalidRequestError):
        checkout.expire(ended.id)


def test_every_request_and_answer_is_inside_the_schema(world: Running) -> None:
    recorder, spec = Recorder(), stripe_spec()
    walk(world, recorder)
    faults = [
        (method, path, fault)
        for method, path, body, status, answer in recorder.seen
        for fault in spec.response(method, path, answer, status)
        + (spec.request(method, path, body) if method == "post" else [])
    ]
    assert faults == []
    assert len(recorder.seen) == 13


def schema_of(event_type: str) -> str:
    """The name of the schema of the object that an event of this type carries."""
    if "dispute" in event_type:
        return "dispute"
    first = event_type.partition(".")[0]
    return "checkout.session" if first == "checkout" else first


def faults_of(event: dict[str, Any]) -> list[str]:
    spec = stripe_spec()
    return spec.schema("event", event) + spec.schema(schema_of(event["type"]), event["data"]["object"])


def test_every_event_is_inside_the_schema_and_rightly_signed(engine: Engine, world: Running) -> None:
    walk(world, Recorder())
    received = engine.wait_for(6)
    signed = [
        stripe.Webhook.construct_event(one.body, one.headers["Stripe-Signature"], WEBHOOK_SECRET)
        for one in received
    ]
    assert [faults_of(one.told) for one in received] == [[]] * len(received)
    assert {one.api_version for one in signed} == {"2026-10-28.endive"}
    assert {one.type for one in signed} == {
        "checkout.session.expired",
        "checkout.session.completed",
        "refund.created",
        "charge.refunded",
        "charge.dispute.created",
        "charge.dispute.closed",
    }


def test_a_new_session_is_open_and_points_to_our_pay_page(world: Running) -> None:
    made = create(world)
    assert (made.status, made.payment_status, made.livemode) == ("open", "unpaid", False)
    assert (made.amount_subtotal, made.amount_total, made.currency) == (9_000, 9_000, "eur")
    assert made.url == f"{world.url}/pay/{made.id}"
    assert made.payment_intent is None
    assert made.client_reference_id == "clm_1"


@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        (
            1_800,
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
        ),
        (
            86_402,
            "The expires_at timestamp must be less than 24 hours from Checkout Session creation.",
        ),
    ],
)
def test_a_session_ends_between_thirty_minutes_and_a_day(world: Running, seconds: int, message: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        create(world, expires_at=int(world.world.ground.clock.seconds()) + seconds)
    assert refused.value.user_message == message
    assert (refused.value.http_status, refused.value.code, refused.value.param) == (400, None, None)


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"payment_method_types": ["card"]}, "parameter_unknown", "payment_method_types"),
        ({"colour": "red"}, "parameter_unknown", "colour"),
        ({"line_items": [{"amount": 3}]}, "parameter_unknown", "line_items[0][amount]"),
        ({"line_items": []}, "parameter_missing", "line_items"),
        ({"success_url": "nowhere"}, "url_invalid", "success_url"),
        ({"expires_at": "soon"}, "parameter_invalid_integer", "expires_at"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(
    world: Running, changes: dict[str, Any], code: str, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        create(world, **changes)
    assert (refused.value.http_status, refused.value.code, refused.value.param) == (400, code, param)


@pytest.mark.parametrize(("end", "status"), [("pay", "complete"), ("expire", "expired")])
def test_only_an_open_session_can_be_expired(world: Running, end: str, status: str) -> None:
    made = create(world)
    paths = {"pay": f"/api/stripe/sessions/{made.id}/pay", "expire": f"/stripe{SESSIONS}/{made.id}/expire"}
    world.http.post(paths[end], headers={"Authorization": f"Bearer {KEY}"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        world.stripe.v1.checkout.sessions.expire(made.id)
    assert refused.value.code is None
    assert refused.value.user_message == (
        'Only Checkout Sessions with a status in ["open"] can be expired. '
        f"This Checkout Session has a status of `{status}`."
    )


def test_an_unknown_session_is_missing(world: Running) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        world.stripe.v1.checkout.sessions.retrieve("cs_test_none")
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_an_unknown_key_is_refused(world: Running) -> None:
    client = stripe.StripeClient("sk_test_other", base_addresses={"api": f"{world.url}/stripe"})
    with pytest.raises(stripe.AuthenticationError):
        client.v1.accounts.retrieve_current()


def test_a_basic_key_is_as_good_as_a_bearer(world: Running) -> None:
    answer = world.http.get("/stripe/v1/account", auth=(KEY, ""))
    assert answer.json()["object"] == "account"


def test_a_session_ends_by_itself(engine: Engine, world: Running) -> None:
    made = create(world)
    world.api("/clock", advance_seconds=35 * 60)
    assert world.stripe.v1.checkout.sessions.retrieve(made.id).status == "expired"
    event = engine.wait_for_type("checkout.session.expired").told
    assert event["data"]["object"]["id"] == made.id
    assert world.http.post(f"/api/stripe/sessions/{made.id}/pay").status_code == 409


def test_a_paid_session_carries_what_the_buyer_gave(engine: Engine, world: Running) -> None:
    made = create(
        world,
        phone_number_collection={"enabled": True},
        shipping_address_collection={"allowed_countries": ["DE"]},
        consent_collection={"promotions": "auto"},
    )
    told = {"email": "mira@example.com", "name": "Mira", "phone": "+491511", "marketing": True}
    world.api(f"/stripe/sessions/{made.id}/pay", **told)
    session = engine.wait_for_type("checkout.session.completed").told["data"]["object"]
    details = session["customer_details"]
    assert (session["status"], session["payment_status"], session["url"]) == ("complete", "paid", None)
    assert (details["email"], details["name"], details["phone"]) == ("mira@example.com", "Mira", "+491511")
    assert session["consent"]["promotions"] == "opt_in"
    assert session["collected_information"]["shipping_details"]["name"] == "Mira"
    intent = world.stripe.v1.payment_intents.retrieve(session["payment_intent"])
    assert (intent.status, intent.metadata["claim"]) == ("succeeded", "clm_1")


def test_a_free_session_needs_no_payment(world: Running) -> None:
    made = create(world, allow_promotion_codes=True)
    world.api(f"/stripe/sessions/{made.id}/pay", discount_minor=9_000)
    session = world.stripe.v1.checkout.sessions.retrieve(made.id)
    assert (session.payment_status, session.amount_subtotal, session.amount_total) == (
        "no_payment_required",
        9_000,
        0,
    )


def test_a_declined_card_leaves_the_session_open(engine: Engine, world: Running) -> None:
    made = create(world)
    world.api(f"/stripe/sessions/{made.id}/decline")
    assert world.stripe.v1.checkout.sessions.retrieve(made.id).status == "open"
    engine.wait_for_type("payment_intent.payment_failed")


@pytest.mark.parametrize(
    ("success", "kind", "payment_status"),
    [
        (True, "checkout.session.async_payment_succeeded", "paid"),
        (False, "checkout.session.async_payment_failed", "unpaid"),
    ],
)
def test_a_delayed_payment_is_settled_later(
    engine: Engine, world: Running, success: bool, kind: str, payment_status: str
) -> None:
    made = paid(world, delayed=True)
    assert (made.status, made.payment_status) == ("complete", "unpaid")
    world.api(f"/stripe/sessions/{made.id}/settle_delayed", success=success)
    assert engine.wait_for_type(kind).told["data"]["object"]["payment_status"] == payment_status


def test_money_goes_back_once(engine: Engine, world: Running) -> None:
    intent = str(paid(world).payment_intent)
    part = world.stripe.v1.refunds.create({"payment_intent": intent, "amount": 1_000})
    assert engine.wait_for_type("charge.refunded").told["data"]["object"]["refunded"] is False
    rest = world.stripe.v1.refunds.create({"payment_intent": intent})
    assert (part.status, part.amount, rest.amount) == ("succeeded", 1_000, 8_000)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        world.stripe.v1.refunds.create({"payment_intent": intent})
    assert refused.value.code == "charge_already_refunded"


def test_a_refund_may_take_its_time(engine: Engine, world: Running) -> None:
    intent = str(paid(world).payment_intent)
    world.fault("stripe", "refund_pending")
    made = world.stripe.v1.refunds.create({"payment_intent": intent})
    assert made.status == "pending"
    world.api(f"/stripe/refunds/{made.id}/settle", success=True)
    assert engine.wait_for_type("refund.updated").told["data"]["object"]["status"] == "succeeded"
    engine.wait_for_type("charge.refunded")


def test_a_refund_may_fail(engine: Engine, world: Running) -> None:
    intent = str(paid(world).payment_intent)
    world.fault("stripe", "refund_failed")
    assert world.stripe.v1.refunds.create({"payment_intent": intent}).status == "failed"
    engine.wait_for_type("refund.failed")
    assert world.stripe.v1.refunds.create({"payment_intent": intent}).status == "succeeded"


def test_the_brand_refunds_by_hand(engine: Engine, world: Running) -> None:
    made = paid(world)
    world.api(f"/stripe/sessions/{made.id}/refund", amount=500)
    assert engine.wait_for_type("refund.created").told["data"]["object"]["amount"] == 500


def test_events_are_listed_by_kind_time_and_delivery(engine: Engine, world: Running) -> None:
    world.fault("stripe", "webhook_drop")
    lost = create(world)
    world.stripe.v1.checkout.sessions.expire(lost.id)
    paid(world)
    engine.wait_for_type("checkout.session.completed")
    listed = world.stripe.v1.events.list(
        {"types": ["checkout.session.expired"], "delivery_success": False, "created": {"gte": 1}}
    )
    assert [one.data.object["id"] for one in listed.data] == [lost.id]


@pytest.mark.parametrize("fault", ["reset", "black_hole"])
def test_a_stripe_that_is_away_carries_nothing_out(world: Running, fault: str) -> None:
    world.fault("stripe", fault, delay_seconds=0.05)
    with pytest.raises(httpx.RemoteProtocolError):
        call(world, "GET", SESSIONS)
    assert call(world, "GET", SESSIONS).json()["data"] == []


def test_lists_are_paged_newest_first(world: Running) -> None:
    made = [create(world).id for _ in range(3)]
    found = world.stripe.v1.checkout.sessions.list({"limit": 2})
    assert ([one.id for one in found.data], found.has_more) == ([made[2], made[1]], True)
    assert [one.id for one in found.auto_paging_iter()] == made[::-1]
    before = world.stripe.v1.checkout.sessions.list({"ending_before": made[0], "limit": 1})
    assert [one.id for one in before.data] == [made[1]]


def test_calls_end_at_25_a_second(engine: Engine) -> None:
    with running_world(config_for(engine.url)) as world:
        now = world.world.ground.clock.seconds
        assert all(
            world.world.rates.take(world.world.banks[KEY].account_id, "GET /v1/account", now() + 1)
            for _ in range(25)
        )
        answer = call(world, "GET", "/v1/account")
    assert answer.status_code == 429
    assert answer.headers["Stripe-Rate-Limited-Reason"] == "endpoint-rate"


def test_the_pay_page_sends_the_buyer_back_after_the_engine_was_told(engine: Engine, world: Running) -> None:
    made = create(world)
    told = {"act": "pay", "email": "mira@example.com", "name": "Mira"}
    answer = world.http.post(f"/pay/{made.id}", data=told)
    assert answer.status_code == 303
    assert parse_qs(urlsplit(answer.headers["Location"]).query) == {"session": [made.id]}
    assert [one.told["type"] for one in engine.received] == ["checkout.session.completed"]
