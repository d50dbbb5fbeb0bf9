"""How does a hold end, and can a unit ever be sold and given on at once?"""

from datetime import timedelta
from typing import Any

import pytest

from claimbot.core.drops import LinkMode
from claimbot.sandbox.stripe_bank import Bank
from tests.engine import Engine
from tests.flows.looks import claim_of, open_alerts, paid_sessions, refunds, rows_of, state_of, taken_units


def held(engine: Engine, **changes: Any) -> None:
    """Ana holds the only unit and was told; Ben waits."""
    engine.drop(**{"stock_units": 1, **changes})
    engine.dm("ana")
    engine.dm("ben")
    engine.work()


def end_hold(engine: Engine) -> None:
    """Its time and grace pass, and the sweep looks."""
    engine.pass_time(minutes=16, seconds=1)
    assert engine.chore("holds") == 1


def both(engine: Engine) -> tuple[str, str]:
    return state_of(engine, "ana"), state_of(engine, "ben")


def sessions(engine: Engine) -> dict[str, int]:
    found = engine.world.get("/state")["sessions"]
    return {name: found[name] for name in ("open", "complete", "expired") if found[name]}


def lose_webhooks(engine: Engine, times: int) -> None:
    [engine.world.fault("stripe", "webhook_drop") for _ in range(times)]


def bank_of(engine: Engine) -> Bank:
    return next(iter(engine.world.world.banks.values()))


def test_a_hold_ends_after_its_minutes_and_the_grace(sqlite_engine: Engine) -> None:
    held(sqlite_engine)
    sqlite_engine.pass_time(minutes=15, seconds=30)
    assert sqlite_engine.chore("holds") == 0
    sqlite_engine.pass_time(seconds=31)
    assert sqlite_engine.chore("holds") == 1
    assert both(sqlite_engine) == ("expiring", "waitlisted")


def test_the_clock_starts_when_the_follower_was_told(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=1)
    sqlite_engine.dm("ana")
    sqlite_engine.pass_time(hours=2)
    assert sqlite_engine.chore("holds") == 0
    before = sqlite_engine.clock()
    sqlite_engine.work()
    claim = claim_of(sqlite_engine, "ana")
    assert claim.told_at >= before
    assert claim.hold_expires_at == claim.told_at + timedelta(minutes=15)


def test_the_unit_goes_on_when_stripe_has_ended_the_session(engine: Engine) -> None:
    held(engine)
    end_hold(engine)
    assert (both(engine), taken_units(engine)) == (("expiring", "waitlisted"), [1])
    engine.work()
    assert (both(engine), taken_units(engine)) == (("expired", "held"), [1])
    assert sessions(engine) == {"expired": 1, "open": 1}
    assert "Time is up" in engine.heard("ana")[-1]
    assert "you are next" in engine.heard("ben")[-1]


def test_a_drained_line_leaves_the_unit_to_the_gate(engine: Engine) -> None:
    held(engine)
    engine.dm("ben", "PASS")
    end_hold(engine)
    engine.work()
    engine.dm("cleo")
    assert (state_of(engine, "cleo"), taken_units(engine)) == ("held", [1])


@pytest.mark.parametrize("lost_webhooks", [1, 0])
def test_a_payment_just_before_the_end_is_sold(engine: Engine, lost_webhooks: int) -> None:
    held(engine)
    end_hold(engine)
    engine.world.fault("stripe", "paid_at_expire")
    lose_webhooks(engine, lost_webhooks)
    engine.work()
    engine.settle()
    engine.work()
    assert (both(engine), taken_units(engine)) == (("sold", "waitlisted"), [1])
    assert (paid_sessions(engine), refunds(engine)) == (1, 0)


def test_a_payment_while_the_end_waits_in_the_queue_is_sold(engine: Engine) -> None:
    held(engine)
    end_hold(engine)
    engine.pay("ana")
    engine.work()
    assert (both(engine), taken_units(engine)) == (("sold", "waitlisted"), [1])
    assert rows_of(engine, "expire") == [("done", "nothing_to_end", 0)]


def test_a_payment_after_the_end_is_refused_by_stripe(sqlite_engine: Engine) -> None:
    held(sqlite_engine)
    session_id = sqlite_engine.session_of("ana")
    end_hold(sqlite_engine)
    sqlite_engine.work()
    answer = sqlite_engine.world.http.post(f"/api/stripe/sessions/{session_id}/pay", json={})
    assert (answer.status_code, both(sqlite_engine)) == (409, ("expired", "held"))
    assert (paid_sessions(sqlite_engine), refunds(sqlite_engine)) == (0, 0)


@pytest.mark.matrix(27)
@pytest.mark.parametrize(
    "fault", ["error_500", "rate_429", "lock_timeout_429", "reset", "expire_says_complete"]
)
def test_while_stripe_is_silent_the_unit_stays_taken(sqlite_engine: Engine, fault: str) -> None:
    held(sqlite_engine)
    end_hold(sqlite_engine)
    sqlite_engine.world.fault("stripe", fault, times=2)
    sqlite_engine.work()
    sqlite_engine.pass_time(seconds=3)
    sqlite_engine.work()
    assert (both(sqlite_engine), taken_units(sqlite_engine)) == (("expiring", "waitlisted"), [1])
    assert open_alerts(sqlite_engine) == ["stripe_unreachable"]
    sqlite_engine.pass_time(seconds=8)
    sqlite_engine.work()
    assert both(sqlite_engine) == ("expired", "held")
    assert open_alerts(sqlite_engine) == []


def test_an_expire_call_whose_answer_was_lost_is_asked_again(sqlite_engine: Engine) -> None:
    held(sqlite_engine)
    end_hold(sqlite_engine)
    sqlite_engine.world.fault("stripe", "timeout_after_accept", delay_seconds=0.01)
    sqlite_engine.world.fault("stripe", "webhook_drop")
    sqlite_engine.work()
    assert state_of(sqlite_engine, "ana") == "expiring"
    sqlite_engine.pass_time(seconds=3)
    sqlite_engine.work()
    assert both(sqlite_engine) == ("expired", "held")


def test_a_session_whose_id_was_lost_is_found_by_its_key(engine: Engine) -> None:
    engine.world.fault("stripe", "timeout_after_accept", delay_seconds=0.01)
    held(engine)
    assert "/c/" in engine.link("ana")
    assert sessions(engine) == {"open": 1}
    end_hold(engine)
    engine.work()
    assert (both(engine), sessions(engine)) == (("expired", "held"), {"expired": 1, "open": 1})


def test_a_session_whose_id_was_lost_is_shown_at_the_next_word(sqlite_engine: Engine) -> None:
    sqlite_engine.world.fault("stripe", "timeout_after_accept", delay_seconds=0.01)
    held(sqlite_engine)
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    assert sqlite_engine.session_of("ana").startswith("cs_test_")
    assert sessions(sqlite_engine) == {"open": 1}


@pytest.mark.matrix(25)
def test_a_stored_500_is_answered_with_a_new_attempt(sqlite_engine: Engine) -> None:
    sqlite_engine.world.fault("stripe", "error_500_after_accept")
    held(sqlite_engine)
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    assert sqlite_engine.session_of("ana").startswith("cs_test_")
    attempts = sqlite_engine.rows("SELECT epoch, state FROM checkouts ORDER BY epoch")
    assert attempts == [(1, "abandoned"), (2, "open")]


@pytest.mark.matrix(26)
def test_an_attempt_that_waited_too_long_for_stripe_is_made_anew(sqlite_engine: Engine) -> None:
    """Its frozen end has come nearer than the thirty minutes that Stripe insists on."""
    sqlite_engine.world.fault("stripe", "rate_429")
    held(sqlite_engine)
    assert sqlite_engine.rows("SELECT epoch, state FROM checkouts") == [(1, "asked")]
    sqlite_engine.pass_time(minutes=6)
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    attempts = sqlite_engine.rows("SELECT epoch, state FROM checkouts ORDER BY epoch")
    assert (attempts, sessions(sqlite_engine)) == ([(1, "abandoned"), (2, "open")], {"open": 1})


def test_a_session_that_was_never_made_does_not_keep_the_unit(sqlite_engine: Engine) -> None:
    sqlite_engine.world.fault("stripe", "error_500_after_accept")
    held(sqlite_engine)
    end_hold(sqlite_engine)
    sqlite_engine.work()
    assert both(sqlite_engine) == ("expired", "held")


def test_a_hold_whose_link_was_never_opened_ends_at_once(sqlite_engine: Engine) -> None:
    held(sqlite_engine, link_mode=LinkMode.PAY_LINK)
    end_hold(sqlite_engine)
    assert both(sqlite_engine) == ("expired", "held")
    assert rows_of(sqlite_engine, "expire") == []


def test_a_long_hold_is_ended_by_stripe_itself(sqlite_engine: Engine) -> None:
    held(sqlite_engine, hold_minutes=60)
    sqlite_engine.pass_time(minutes=60, seconds=2)
    sqlite_engine.settle()
    assert both(sqlite_engine) == ("expired", "held")


def test_a_wrong_key_keeps_the_unit_and_calls_a_person(sqlite_engine: Engine) -> None:
    held(sqlite_engine)
    end_hold(sqlite_engine)
    sqlite_engine.world.world.banks.clear()
    sqlite_engine.work()
    assert both(sqlite_engine) == ("expiring", "waitlisted")
    assert open_alerts(sqlite_engine) == ["stripe"]


def test_ended_twice_is_ended_once(sqlite_engine: Engine) -> None:
    held(sqlite_engine)
    end_hold(sqlite_engine)
    assert sqlite_engine.chore("holds") == 0
    bank_of(sqlite_engine).expire(sqlite_engine.session_of("ana"))
    sqlite_engine.settle()
    sqlite_engine.work()
    assert (both(sqlite_engine), taken_units(sqlite_engine)) == (("expired", "held"), [1])
    assert len([words for words in sqlite_engine.heard("ana") if "Time is up" in words]) == 1
