"""What does news of money lead to, however often and in whatever order it comes?"""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from claimbot.core.drops import LinkMode
from claimbot.core.money import Money
from claimbot.core.payments import CheckoutOptions
from claimbot.db.engine import Ledger
from claimbot.flows.poll import ask_about_session
from tests.engine import Engine, running_engine
from tests.flows.deliveries import post_stripe, seconds_ago, write_batch
from tests.flows.looks import (
    claim_of,
    lead_of,
    open_alerts,
    refunds,
    rows_of,
    state_of,
    taken_units,
)


def offered(engine: Engine, who: str = "ana", **changes: Any) -> str:
    """A drop of one unit (unless `changes` say otherwise), held by `who`; the id of its session."""
    engine.drop(**{"stock_units": 1, **changes})
    engine.dm(who)
    engine.work()
    return engine.session_of(who)


def session_event(engine: Engine, session_id: str, event_id: str = "evt_1", **changes: Any) -> dict[str, Any]:
    """A completed and paid session as Stripe tells it; `changes` are fields of the session."""
    found = engine.world.get(f"/stripe/sessions/{session_id}")
    paid = {"status": "complete", "payment_status": "paid", "payment_intent": f"pi_{session_id}"}
    buyer = {"email": "ana@example.com", "name": "Ana Lima", "phone": None}
    found = {**found, **paid, "customer_details": buyer, **changes}
    return event_of(engine, "checkout.session.completed", event_id, found)


def event_of(engine: Engine, kind: str, event_id: str, found: dict[str, Any], **more: Any) -> dict[str, Any]:
    told = {"id": event_id, "object": "event", "type": kind, "created": int(seconds_ago(engine))}
    return {**told, "livemode": False, "data": {"object": found}, **more}


def payment_rows(engine: Engine) -> list[tuple[Any, ...]]:
    return engine.rows("SELECT outcome, reason FROM payment_events ORDER BY received_at, event_id")


def end_holds(engine: Engine) -> None:
    engine.pass_time(minutes=17)
    engine.chore("holds")
    engine.work()
    engine.settle()


def test_a_paid_session_is_sold_and_thanked_for(engine: Engine) -> None:
    offered(engine)
    engine.pay("ana", email="ana@example.com", phone="+351900000001")
    engine.work()
    claim = claim_of(engine, "ana")
    assert (claim.state, claim.paid_minor) == ("sold", 12_900)
    assert lead_of(engine, "ana", "email") == "ana@example.com"
    assert "We have your 129.00 EUR" in engine.heard("ana")[-1]


@pytest.mark.parametrize("fault", ["webhook_duplicate", "webhook_two_ids"])
def test_the_same_fact_twice_is_one(engine: Engine, fault: str) -> None:
    offered(engine)
    engine.world.fault("stripe", fault)
    engine.pay("ana")
    engine.work()
    assert payment_rows(engine) == [("applied", "sold")]
    assert len(engine.heard("ana")) == 2


def all_news(engine: Engine, who: str) -> dict[str, dict[str, Any]]:
    """Everything that may be told of one session, by a short name."""
    completed = session_event(engine, engine.session_of(who), f"evt_completed_{who}")
    found = completed["data"]["object"]
    own = {"payment_intent": found["payment_intent"], "currency": "eur", "amount": 12_900}
    own |= {"metadata": {"claim_id": claim_of(engine, who).id}}
    ended = {**found, "status": "expired", "payment_status": "unpaid"}
    charge = {**own, "id": f"ch_{who}", "object": "charge", "amount_refunded": 12_900, "refunded": True}
    dispute = {**own, "id": f"dp_{who}", "object": "dispute", "status": "needs_response"}
    return {
        "paid": completed,
        "expired": event_of(engine, "checkout.session.expired", f"evt_expired_{who}", ended),
        "refund": event_of(engine, "charge.refunded", f"evt_refunded_{who}", charge),
        "dispute": event_of(engine, "charge.dispute.created", f"evt_dispute_{who}", dispute),
        "won": event_of(engine, "charge.dispute.closed", f"evt_won_{who}", {**dispute, "status": "won"}),
    }


def state_after(engine: Engine, who: str, order: Sequence[str]) -> tuple[str, int]:
    """Their claim's state and how many of the deliveries were not taken."""
    news = all_news(engine, who)
    refused = [name for name in order if post_stripe(engine, news[name]) != 200]
    return state_of(engine, who), len(refused)


@pytest.mark.matrix(32)
@pytest.mark.parametrize(
    ("told", "state"),
    [
        (("paid", "expired", "refund", "dispute"), "refunded"),
        (("paid", "expired", "dispute"), "disputed"),
        (("paid", "expired", "dispute", "won"), "sold"),
        (("paid", "expired"), "sold"),
    ],
)
def test_every_order_of_news_ends_the_same(
    on_sqlite: Ledger, redis_url: str, told: Sequence[str], state: str
) -> None:
    orders = list(itertools.permutations(told))
    people = [f"fan{number}" for number in range(len(orders))]
    with running_engine(on_sqlite, redis_url, STRIPE_PER_SECOND="24") as engine:
        # A busy machine takes longer than the patience of the usual link, and then shows our own page.
        engine.drop(stock_units=24, link_mode=LinkMode.DIRECT)
        write_batch(engine, [{"follower": who, "text": "LAUNCH"} for who in people])
        engine.work()
        ends = [state_after(engine, who, order) for who, order in zip(people, orders, strict=True)]
        assert dict(zip(orders, ends, strict=True)) == dict.fromkeys(orders, (state, 0))
        assert rows_of(engine, "refund") == []


@pytest.mark.matrix(37)
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount_subtotal": 100, "amount_total": 100}, "other_amount"),
        ({"currency": "usd"}, "other_currency"),
        ({"recovered_from": "cs_test_old"}, "recovered_session"),
        ({"metadata": {"claim_id": "clm_other"}}, "other_claim"),
    ],
)
def test_money_that_does_not_fit_sells_nothing(
    sqlite_engine: Engine, changes: dict[str, Any], reason: str
) -> None:
    session_id = offered(sqlite_engine)
    assert post_stripe(sqlite_engine, session_event(sqlite_engine, session_id, **changes)) == 200
    assert payment_rows(sqlite_engine) == [("review", reason)]
    assert (state_of(sqlite_engine, "ana"), open_alerts(sqlite_engine)) == ("held", ["review"])


def test_a_unit_whose_money_does_not_fit_goes_on_after_its_time(sqlite_engine: Engine) -> None:
    session_id = offered(sqlite_engine)
    sqlite_engine.dm("ben")
    bank = next(iter(sqlite_engine.world.world.banks.values()))
    record = bank.get(session_id)
    record.session["amount_subtotal"] = record.session["amount_total"] = 100
    sqlite_engine.pay("ana")
    end_holds(sqlite_engine)
    assert (state_of(sqlite_engine, "ana"), state_of(sqlite_engine, "ben")) == ("expired", "held")
    assert open_alerts(sqlite_engine) == ["review"]


@pytest.mark.matrix(37)
def test_money_of_the_other_mode_is_ignored(sqlite_engine: Engine) -> None:
    session_id = offered(sqlite_engine)
    live = {**session_event(sqlite_engine, session_id, livemode=True), "livemode": True}
    assert post_stripe(sqlite_engine, live) == 200
    assert (state_of(sqlite_engine, "ana"), open_alerts(sqlite_engine)) == ("held", [])


def test_the_session_of_another_system_is_ignored(sqlite_engine: Engine) -> None:
    session_id = offered(sqlite_engine)
    other = {"id": "cs_other", "metadata": {}, "client_reference_id": "invoice-7"}
    assert post_stripe(sqlite_engine, session_event(sqlite_engine, session_id, **other)) == 200
    assert payment_rows(sqlite_engine) == [("ignored", "not_ours")]
    assert (state_of(sqlite_engine, "ana"), open_alerts(sqlite_engine)) == ("held", [])


@pytest.mark.parametrize("succeeds", [True, False])
def test_a_delayed_payment_keeps_the_unit_until_it_is_known(engine: Engine, succeeds: bool) -> None:
    session_id = offered(engine)
    engine.dm("ben")
    engine.pay("ana", delayed=True)
    assert state_of(engine, "ana") == "pending"
    end_holds(engine)
    assert (state_of(engine, "ana"), taken_units(engine)) == ("pending", [1])
    engine.world.api(f"/stripe/sessions/{session_id}/settle_delayed", success=succeeds)
    engine.settle()
    engine.work()
    ends = {True: ("sold", "waitlisted"), False: ("expired", "held")}
    assert (state_of(engine, "ana"), state_of(engine, "ben")) == ends[succeeds]


def test_a_failure_that_overtakes_its_delayed_payment_frees_the_unit(sqlite_engine: Engine) -> None:
    session_id = offered(sqlite_engine)
    completed = session_event(sqlite_engine, session_id, payment_status="unpaid")
    failed = {**completed, "id": "evt_2", "type": "checkout.session.async_payment_failed"}
    post_stripe(sqlite_engine, failed)
    post_stripe(sqlite_engine, completed)
    sqlite_engine.work()
    assert (state_of(sqlite_engine, "ana"), taken_units(sqlite_engine)) == ("expired", [])
    assert "did not go through" in sqlite_engine.heard("ana")[-1]


def late_payment(engine: Engine, session_id: str) -> int:
    """The session was ended, and yet Stripe tells that it was paid."""
    bank = next(iter(engine.world.world.banks.values()))
    bank.get(session_id).session.update(status="open", url="http://127.0.0.1/pay")
    engine.world.api(f"/stripe/sessions/{session_id}/pay")
    engine.settle()
    return engine.work()


@pytest.mark.matrix(36)
def test_money_after_the_end_gets_a_unit_that_is_free(engine: Engine) -> None:
    session_id = offered(engine)
    end_holds(engine)
    late_payment(engine, session_id)
    assert (state_of(engine, "ana"), taken_units(engine), refunds(engine)) == ("sold", [1], 0)
    assert engine.dm("ben") == 200
    assert state_of(engine, "ben") == "waitlisted"


@pytest.mark.matrix(36)
def test_money_after_the_end_goes_back_when_nothing_is_left(engine: Engine) -> None:
    session_id = offered(engine)
    engine.dm("ben")
    end_holds(engine)
    late_payment(engine, session_id)
    engine.settle()
    claim = claim_of(engine, "ana")
    assert (claim.state, claim.refunded_minor) == ("refunded", 12_900)
    assert (refunds(engine), taken_units(engine)) == (1, [1])
    told = [words for words in engine.heard("ana") if "goes back to you" in words]
    assert len(told) == 1


@pytest.mark.parametrize("fault", ["timeout_after_accept", "error_500", "rate_429", "reset"])
def test_money_goes_back_once_whatever_happens_to_the_call(sqlite_engine: Engine, fault: str) -> None:
    session_id = offered(sqlite_engine)
    sqlite_engine.dm("ben")
    end_holds(sqlite_engine)
    sqlite_engine.world.fault("stripe", fault, delay_seconds=0.01)
    late_payment(sqlite_engine, session_id)
    sqlite_engine.pass_time(seconds=10)
    sqlite_engine.work()
    assert (refunds(sqlite_engine), rows_of(sqlite_engine, "refund")) == (1, [("done", "succeeded", 0)])
    assert state_of(sqlite_engine, "ana") == "refunded"


def test_a_second_payment_on_another_session_goes_back(sqlite_engine: Engine) -> None:
    session_id = offered(sqlite_engine)
    sqlite_engine.pay("ana")
    second = session_event(sqlite_engine, session_id, id="cs_test_second", payment_intent="pi_second")
    post_stripe(sqlite_engine, second)
    assert state_of(sqlite_engine, "ana") == "sold"
    assert rows_of(sqlite_engine, "refund") == [("ready", "", 0)]
    assert ("applied", "second_payment_refunded") in payment_rows(sqlite_engine)


def test_a_second_payment_after_a_refund_goes_back_as_well(sqlite_engine: Engine) -> None:
    session_id = offered(sqlite_engine)
    sqlite_engine.pay("ana")
    sqlite_engine.world.api(f"/stripe/sessions/{session_id}/refund")
    sqlite_engine.settle()
    second = session_event(sqlite_engine, session_id, id="cs_test_second", payment_intent="pi_second")
    post_stripe(sqlite_engine, second)
    assert rows_of(sqlite_engine, "refund") == [("ready", "", 0)]


@pytest.mark.matrix(38)
def test_a_part_of_the_money_back_leaves_the_unit_sold(sqlite_engine: Engine) -> None:
    session_id = offered(sqlite_engine)
    sqlite_engine.pay("ana")
    sqlite_engine.world.api(f"/stripe/sessions/{session_id}/refund", amount=2_900)
    sqlite_engine.settle()
    claim = claim_of(sqlite_engine, "ana")
    assert (claim.state, claim.refunded_minor) == ("sold", 2_900)
    sqlite_engine.world.api(f"/stripe/sessions/{session_id}/refund")
    sqlite_engine.settle()
    assert state_of(sqlite_engine, "ana") == "refunded"


@pytest.mark.matrix(38)
@pytest.mark.parametrize(("restocks", "next_state"), [(True, "held"), (False, "waitlisted")])
def test_a_refunded_unit_comes_back_as_the_drop_says(engine: Engine, restocks: bool, next_state: str) -> None:
    session_id = offered(engine, is_restocked_on_refund=restocks)
    engine.dm("ben")
    engine.pay("ana")
    engine.world.api(f"/stripe/sessions/{session_id}/refund")
    engine.settle()
    assert (state_of(engine, "ana"), state_of(engine, "ben")) == ("refunded", next_state)
    engine.chore("lines")
    assert state_of(engine, "ben") == next_state


@pytest.mark.matrix(38)
@pytest.mark.parametrize(("won", "state"), [(None, "disputed"), (True, "sold"), (False, "disputed")])
def test_a_dispute_is_followed_to_its_end(sqlite_engine: Engine, won: bool | None, state: str) -> None:
    session_id = offered(sqlite_engine)
    sqlite_engine.pay("ana")
    close = {True: {"won": True}, False: {"won": False}, None: {}}[won]
    sqlite_engine.world.api(f"/stripe/sessions/{session_id}/dispute", **close)
    sqlite_engine.settle()
    assert (state_of(sqlite_engine, "ana"), taken_units(sqlite_engine)) == (state, [1])


def test_a_refund_that_failed_is_shown_to_a_person(sqlite_engine: Engine) -> None:
    session_id = offered(sqlite_engine)
    sqlite_engine.pay("ana")
    sqlite_engine.world.fault("stripe", "refund_pending")
    refund = sqlite_engine.world.api(f"/stripe/sessions/{session_id}/refund")
    sqlite_engine.world.api(f"/stripe/refunds/{refund['id']}/settle", success=False)
    sqlite_engine.settle()
    assert open_alerts(sqlite_engine) == ["refund"]


def test_a_lost_webhook_is_found_by_asking_for_events(engine: Engine) -> None:
    offered(engine)
    engine.world.fault("stripe", "webhook_drop")
    engine.pay("ana")
    assert state_of(engine, "ana") == "held"
    assert engine.chore("events") == 1
    assert (state_of(engine, "ana"), engine.chore("events")) == ("sold", 0)


def test_the_return_from_stripes_page_asks_stripe(sqlite_engine: Engine) -> None:
    offered(sqlite_engine)
    sqlite_engine.world.fault("stripe", "webhook_drop")
    claim = claim_of(sqlite_engine, "ana")
    opened = ask_about_session(sqlite_engine.parts, claim.id)
    sqlite_engine.pay("ana")
    paid = ask_about_session(sqlite_engine.parts, claim.id)
    assert (opened and opened.reason, paid and paid.reason) == ("open", "sold")
    assert state_of(sqlite_engine, "ana") == "sold"


def test_nobody_asks_about_a_claim_without_a_session(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(link_mode=LinkMode.PAY_LINK)
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    assert ask_about_session(sqlite_engine.parts, claim_of(sqlite_engine, "ana").id) is None


def test_a_session_that_ended_unheard_is_asked_about(sqlite_engine: Engine) -> None:
    offered(sqlite_engine, hold_minutes=60)
    sqlite_engine.world.fault("stripe", "webhook_drop", times=5)
    sqlite_engine.pass_time(hours=1, minutes=6)
    assert sqlite_engine.chore("overdue") == 1
    assert (state_of(sqlite_engine, "ana"), taken_units(sqlite_engine)) == ("expired", [])


def test_news_that_comes_late_changes_nothing_any_more(sqlite_engine: Engine) -> None:
    session_id = offered(sqlite_engine)
    sqlite_engine.world.fault("stripe", "webhook_reorder", delay_seconds=0.2)
    sqlite_engine.pay("ana")
    sqlite_engine.world.api(f"/stripe/sessions/{session_id}/refund")
    sqlite_engine.settle()
    assert (state_of(sqlite_engine, "ana"), taken_units(sqlite_engine)) == ("refunded", [])


def test_a_refund_that_the_bank_refuses_is_left_to_a_person(sqlite_engine: Engine) -> None:
    session_id = offered(sqlite_engine)
    sqlite_engine.dm("ben")
    end_holds(sqlite_engine)
    sqlite_engine.world.fault("stripe", "refund_failed")
    late_payment(sqlite_engine, session_id)
    sqlite_engine.settle()
    assert rows_of(sqlite_engine, "refund") == [("dead", "refund_failed", 0)]
    assert (state_of(sqlite_engine, "ana"), open_alerts(sqlite_engine)) == ("refunding", ["refund"])
    sqlite_engine.world.api(f"/stripe/sessions/{session_id}/refund")
    sqlite_engine.settle()
    assert state_of(sqlite_engine, "ana") == "refunded"


def test_nothing_goes_back_where_nothing_was_paid(sqlite_engine: Engine) -> None:
    session_id = offered(sqlite_engine, options=CheckoutOptions(promotion_codes=True))
    sqlite_engine.dm("ben")
    end_holds(sqlite_engine)
    bank = next(iter(sqlite_engine.world.world.banks.values()))
    bank.get(session_id).session.update(status="open", url="http://127.0.0.1/pay")
    sqlite_engine.world.api(f"/stripe/sessions/{session_id}/pay", discount_minor=12_900)
    sqlite_engine.settle()
    sqlite_engine.work()
    assert rows_of(sqlite_engine, "refund") == [("done", "nothing_was_paid", 0)]
    assert (state_of(sqlite_engine, "ana"), open_alerts(sqlite_engine)) == ("refunded", [])


def test_a_checkout_that_stripe_refuses_is_told_to_a_person(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(price=Money(100_000_000, "EUR"))
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    assert "/c/" in sqlite_engine.link("ana")
    assert open_alerts(sqlite_engine) == ["checkout"]
