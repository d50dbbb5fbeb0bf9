"""What an event says: every kind we know, in the shape of today and of older versions."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from claimbot.core.errors import BadPayload
from claimbot.core.money import Money
from claimbot.core.payments import NewsKind, PaymentEvent, RefundNews, SessionNews, SessionState
from claimbot.payments.webhook import parse
from tests.payments.builders import make_event, make_paid, make_session

ADDRESS = {"line1": "Rua Um 1", "city": "Porto", "country": "PT", "line2": None}
SHIPPING = {"name": "Ana L.", "address": ADDRESS}


def session_of(event: dict[str, Any]) -> SessionNews:
    news = parse(event).session
    assert news is not None
    return news


def completed(**changes: Any) -> dict[str, Any]:
    return make_event("checkout.session.completed", make_paid(**changes))


def test_a_paid_session_says_everything_that_settling_needs() -> None:
    found = make_paid(collected_information={"shipping_details": SHIPPING})
    event = parse(make_event("checkout.session.completed", found, account="acct_9"))
    assert (event.event_id, event.object_id, event.kind, event.account) == (
        "evt_one",
        "cs_test_ana",
        NewsKind.SESSION,
        "acct_9",
    )
    assert event.session == SessionNews(
        session_id="cs_test_ana",
        state=SessionState.COMPLETE_PAID,
        claim_id="clm_ana",
        livemode=False,
        amount_subtotal=Money(25800, "EUR"),
        amount_total=Money(25800, "EUR"),
        account="acct_9",
        payment_intent="pi_ana",
        expires_at=datetime(2026, 11, 22, 12, 40, tzinfo=UTC),
        buyer_email="ana@example.com",
        buyer_phone="+351900000001",
        buyer_name="Ana Lima",
        marketing_consent=True,
        shipping='{"name": "Ana L.", "address": {"line1": "Rua Um 1", "city": "Porto", "country": "PT"}}',
    )


@pytest.mark.parametrize(
    ("type_", "status", "payment_status", "kind", "state"),
    [
        ("completed", "complete", "paid", NewsKind.SESSION, SessionState.COMPLETE_PAID),
        ("completed", "complete", "no_payment_required", NewsKind.SESSION, SessionState.COMPLETE_PAID),
        ("completed", "complete", "unpaid", NewsKind.SESSION, SessionState.COMPLETE_UNPAID),
        ("completed", "expired", "unpaid", NewsKind.SESSION, SessionState.EXPIRED),
        ("expired", "expired", "unpaid", NewsKind.SESSION, SessionState.EXPIRED),
        ("expired", "complete", "paid", NewsKind.SESSION, SessionState.COMPLETE_PAID),
        ("async_payment_succeeded", "complete", "paid", NewsKind.SESSION, SessionState.COMPLETE_PAID),
        ("async_payment_failed", "complete", "unpaid", NewsKind.ASYNC_FAILED, SessionState.COMPLETE_UNPAID),
        ("async_payment_failed", "complete", "paid", NewsKind.SESSION, SessionState.COMPLETE_PAID),
        ("of_a_later_year", "open", "unpaid", NewsKind.SESSION, SessionState.OPEN),
    ],
)
def test_the_sessions_own_state_counts_and_not_the_events_name(
    type_: str, status: str, payment_status: str, kind: NewsKind, state: SessionState
) -> None:
    found = make_paid(status=status, payment_status=payment_status)
    event = parse(make_event(f"checkout.session.{type_}", found))
    assert (event.kind, event.session and event.session.state) == (kind, state)


@pytest.mark.parametrize(
    ("type_", "state"),
    [("completed", SessionState.COMPLETE_PAID), ("expired", SessionState.EXPIRED)],
)
def test_an_old_version_without_a_status_is_read_by_the_events_name(type_: str, state: SessionState) -> None:
    old = {name: value for name, value in make_paid().items() if name != "status"}
    assert session_of(make_event(f"checkout.session.{type_}", old)).state is state


def test_an_old_version_without_newer_fields_is_read() -> None:
    old = {
        "id": "cs_old",
        "object": "checkout.session",
        "amount_subtotal": 4000,
        "amount_total": 4000,
        "currency": "usd",
        "client_reference_id": "clm_old",
        "customer_email": "old@example.com",
        "mode": "payment",
        "payment_intent": {"id": "pi_old", "object": "payment_intent"},
        "payment_status": "paid",
    }
    news = session_of(make_event("checkout.session.completed", old))
    assert (news.claim_id, news.payment_intent, news.buyer_email) == ("clm_old", "pi_old", "old@example.com")
    assert (news.shipping, news.marketing_consent, news.expires_at) == ("", None, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"collected_information": {"shipping_details": SHIPPING}},
        {"shipping_details": SHIPPING},
        {"shipping": SHIPPING},
        {"collected_information": {"shipping_details": None}, "shipping_details": SHIPPING},
    ],
    ids=["today", "before 2025", "before 2022", "both"],
)
def test_the_shipping_address_is_found_where_each_version_put_it(changes: dict[str, Any]) -> None:
    assert json.loads(session_of(completed(**changes)).shipping)["address"]["city"] == "Porto"


@pytest.mark.parametrize(
    "where",
    [None, {}, {"name": "Ana", "address": {"city": None}}, {"name": "Ana"}, "Porto", {"address": "Porto"}],
)
def test_an_address_without_a_line_is_no_address(where: Any) -> None:
    assert session_of(completed(shipping_details=where)).shipping == ""


@pytest.mark.parametrize(
    ("changes", "claim_id"),
    [
        ({"metadata": {"claim_id": "clm_a"}, "client_reference_id": "clm_b"}, "clm_a"),
        ({"metadata": {}, "client_reference_id": "clm_b"}, "clm_b"),
        ({"metadata": None, "client_reference_id": None}, ""),
        ({"metadata": ["claim_id"], "client_reference_id": 7}, ""),
        ({"payment_link": "plink_1"}, ""),
    ],
    ids=["both", "reference", "neither", "rubbish", "a payment link, whose buyer writes the reference"],
)
def test_a_session_names_its_claim_or_is_not_ours(changes: dict[str, Any], claim_id: str) -> None:
    assert session_of(completed(**changes)).claim_id == claim_id


@pytest.mark.parametrize(
    ("answer", "consent"), [("opt_in", True), ("opt_out", False), (None, None), (1, None)]
)
def test_consent_is_yes_no_or_not_known(answer: Any, consent: bool | None) -> None:
    assert session_of(completed(consent={"promotions": answer})).marketing_consent is consent


def test_text_that_no_database_takes_is_cleaned() -> None:
    details = {"name": "A\x00na \ud800" + "x" * 600, "email": 7, "phone": ["+1"]}
    news = session_of(completed(customer_details=details))
    assert news.buyer_name.startswith("Ana ?xx")
    assert len(news.buyer_name) <= 500
    assert (news.buyer_email, news.buyer_phone) == ("", "")


@pytest.mark.parametrize("expires_at", [None, "soon", True, -1, 10**30, 1.5])
def test_an_impossible_end_is_no_end(expires_at: Any) -> None:
    assert session_of(completed(expires_at=expires_at)).expires_at is None


@pytest.mark.parametrize("livemode", [None, "true", 1, False])
def test_only_true_is_live(livemode: Any) -> None:
    event = parse(make_event("checkout.session.completed", make_paid(livemode=livemode), livemode=livemode))
    assert (event.livemode, event.session and event.session.livemode) == (False, False)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_subtotal": None},
        {"amount_total": "258.00"},
        {"amount_subtotal": True},
        {"amount_total": 2**60},
        {"currency": "euro"},
        {"currency": None},
        {"currency": "€€€"},
        {"payment_status": None},
        {"payment_status": "maybe"},
        {"status": "later"},
        {"status": 7},
    ],
)
def test_a_paid_session_whose_money_cannot_be_read_is_never_believed(changes: dict[str, Any]) -> None:
    with pytest.raises(BadPayload):
        parse(make_event("checkout.session.of_a_later_year", make_paid(**changes)))


def test_an_expired_session_needs_no_money_to_be_read() -> None:
    found = make_session(status="expired", amount_subtotal=None, amount_total=None, currency=None)
    assert session_of(make_event("checkout.session.expired", found)).amount_subtotal == Money(0, "XXX")


CHARGE = {
    "id": "ch_ana",
    "object": "charge",
    "amount": 25800,
    "amount_captured": 25800,
    "amount_refunded": 25800,
    "currency": "eur",
    "payment_intent": "pi_ana",
    "metadata": {"claim_id": "clm_ana"},
    "refunded": True,
}
REFUND = {
    "id": "re_ana",
    "object": "refund",
    "amount": 25800,
    "charge": "ch_ana",
    "currency": "eur",
    "payment_intent": "pi_ana",
    "metadata": {"claim_id": "clm_ana", "scope": "full"},
    "status": "succeeded",
}
FULL, PART = Money(25800, "EUR"), Money(12900, "EUR")


@pytest.mark.parametrize(
    ("type_", "found", "news"),
    [
        ("charge.refunded", CHARGE, RefundNews("pi_ana", "clm_ana", FULL, True)),
        (
            "charge.refunded",
            {**CHARGE, "amount_refunded": 12900, "refunded": False},
            RefundNews("pi_ana", "clm_ana", PART, False),
        ),
        (
            "charge.refunded",
            {**CHARGE, "amount_captured": 12900, "amount_refunded": 12900, "refunded": None},
            RefundNews("pi_ana", "clm_ana", PART, True),
        ),
        (
            "charge.refunded",
            {"id": "ch_old", "amount": 25800, "amount_refunded": 25800, "currency": "eur"},
            RefundNews("", "", FULL, True),
        ),
        ("refund.created", REFUND, RefundNews("pi_ana", "clm_ana", FULL, True, "succeeded")),
        (
            "refund.failed",
            {**REFUND, "status": "failed", "metadata": {}},
            RefundNews("pi_ana", "", FULL, False, "failed"),
        ),
        ("charge.refund.updated", REFUND, RefundNews("pi_ana", "clm_ana", FULL, True, "succeeded")),
    ],
)
def test_money_that_went_back_is_read(type_: str, found: dict[str, Any], news: RefundNews) -> None:
    event = parse(make_event(type_, found))
    assert (event.kind, event.refund) == (NewsKind.REFUND, news)


@pytest.mark.parametrize(
    ("type_", "status", "kind"),
    [
        ("created", "needs_response", NewsKind.DISPUTE_OPENED),
        ("created", "lost", NewsKind.DISPUTE_LOST),
        ("updated", "under_review", NewsKind.DISPUTE_OPENED),
        ("funds_withdrawn", "needs_response", NewsKind.DISPUTE_OPENED),
        ("closed", "won", NewsKind.DISPUTE_WON),
        ("closed", "lost", NewsKind.DISPUTE_LOST),
        ("created", "warning_needs_response", NewsKind.OTHER),
        ("closed", "warning_closed", NewsKind.OTHER),
        ("closed", "prevented", NewsKind.OTHER),
        ("closed", None, NewsKind.OTHER),
    ],
)
def test_a_dispute_is_read_by_its_status(type_: str, status: str | None, kind: NewsKind) -> None:
    found = {"id": "dp_ana", "amount": 25800, "currency": "eur", "payment_intent": "pi_ana", "status": status}
    event = parse(make_event(f"charge.dispute.{type_}", found))
    assert event.kind is kind
    assert (event.refund is None) == (kind is NewsKind.OTHER)


@pytest.mark.parametrize(
    ("charge", "is_full"), [("ch_ana", False), (CHARGE, True), ({**CHARGE, "amount": 99999}, False)]
)
def test_a_dispute_is_full_only_when_the_charge_is_there_to_say_so(charge: Any, is_full: bool) -> None:
    found = {"id": "dp_ana", "amount": 25800, "currency": "eur", "charge": charge, "status": "lost"}
    news = parse(make_event("charge.dispute.closed", found)).refund
    assert news is not None
    assert (news.is_full, news.refunded) == (is_full, FULL)


DISPUTE = {"id": "dp_ana", "amount": 25800, "currency": "eur", "status": "lost"}


@pytest.mark.parametrize(
    ("type_", "found", "fact"),
    [
        ("checkout.session.completed", make_paid(), "cs_test_ana"),
        ("charge.refunded", CHARGE, "ch_ana:25800"),
        ("charge.refunded", {**CHARGE, "amount_refunded": 12900}, "ch_ana:12900"),
        ("refund.updated", REFUND, "re_ana:succeeded"),
        ("refund.updated", {**REFUND, "status": "pending"}, "re_ana:pending"),
        ("charge.dispute.updated", DISPUTE, "dp_ana:lost"),
        ("charge.dispute.closed", {**DISPUTE, "id": None}, "evt_one:lost"),
        ("payout.paid", None, "evt_one"),
    ],
)
def test_type_and_object_id_name_one_fact(type_: str, found: Any, fact: str) -> None:
    assert parse(make_event(type_, found)).object_id == fact


@pytest.mark.parametrize(
    "event",
    [
        make_event("payout.paid", {"id": "po_1"}),
        make_event("payment_intent.payment_failed", {"id": "pi_1"}),
        make_event("charge.succeeded", CHARGE),
        make_event("checkout.session.completed", make_paid(mode="subscription")),
        make_event("checkout.session.completed", make_paid(mode="setup", amount_subtotal=None)),
        {"id": "evt_one", "object": "v2.core.event", "type": "v1.billing.meter.no_meter_found"},
        {"id": "evt_one", "type": "balance.available", "data": None},
    ],
)
def test_what_is_not_about_our_money_is_other(event: dict[str, Any]) -> None:
    assert parse(event).kind is NewsKind.OTHER


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"id": "evt_one"},
        {"type": "payout.paid"},
        {"id": 7, "type": "payout.paid"},
        make_event("checkout.session.completed", None),
        make_event("checkout.session.completed", []),
        make_event("checkout.session.completed", {"object": "checkout.session"}),
        make_event("charge.refunded", {**CHARGE, "amount_refunded": None}),
        make_event("refund.created", {**REFUND, "currency": 7}),
        make_event("charge.dispute.closed", {"id": "dp_1", "status": "lost"}),
    ],
)
def test_what_should_be_ours_and_cannot_be_read_is_a_bad_payload(event: dict[str, Any]) -> None:
    with pytest.raises(BadPayload):
        parse(event)


def test_an_event_is_parsed_to_the_same_value_twice() -> None:
    event = completed()
    assert parse(event) == parse(event)
    assert isinstance(parse(event), PaymentEvent)
