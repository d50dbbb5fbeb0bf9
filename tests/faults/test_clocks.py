"""What if the clocks of the workers, of the database and of Stripe disagree?"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from claimbot.db.engine import Ledger
from claimbot.flows.diagnose import diagnose_engine
from claimbot.parts import DatabaseClock
from tests.engine import Engine, running_engine
from tests.invariants import assert_invariants

WRONG_MINUTES = [-10, 10]
# A busy machine may take this long between two looks at a clock.
SLACK_SECONDS = 5.0
SLACK = timedelta(seconds=SLACK_SECONDS)


@pytest.fixture
def engine(ledger: Ledger, redis_url: str) -> Iterator[Engine]:
    with running_engine(ledger, redis_url) as engine:
        yield engine


def on_a_wrong_machine(engine: Engine, minutes: float) -> Engine:
    """The same engine as a worker and a clock see it whose own time is wrong."""
    clock = DatabaseClock(engine.parts.ledger, lambda: datetime.now(UTC) + timedelta(minutes=minutes))
    return replace(engine, parts=replace(engine.parts, clock=clock))


def told_and_ends(engine: Engine) -> tuple[datetime, datetime]:
    """When the one follower was told, and when their hold ends."""
    [moments] = engine.rows("SELECT told_at, hold_expires_at FROM claims")
    told_at, ends_at = (datetime.fromisoformat(str(one)) for one in moments)
    return told_at.replace(tzinfo=UTC), ends_at.replace(tzinfo=UTC)


@pytest.mark.matrix(44)
@pytest.mark.parametrize("minutes", WRONG_MINUTES)
def test_a_worker_whose_clock_is_wrong_gives_nobody_more_or_less_time(engine: Engine, minutes: int) -> None:
    wrong = on_a_wrong_machine(engine, minutes)
    engine.drop(stock_units=1, hold_minutes=15)
    engine.dm("ana")

    before = engine.parts.ledger.database_time()
    wrong.work()
    after = engine.parts.ledger.database_time()
    told_at, ends_at = told_and_ends(engine)
    assert before - SLACK <= told_at <= after + SLACK
    assert ends_at - told_at == timedelta(minutes=15)
    assert wrong.chore("holds") == 0

    assert engine.states() == {"held": 1}
    assert len(engine.heard("ana")) == 1
    assert_invariants(engine.parts, is_at_rest=True)


@pytest.mark.matrix(44)
@pytest.mark.parametrize("minutes", WRONG_MINUTES)
def test_the_doctor_says_by_how_much_a_clock_is_wrong(
    on_postgresql: Ledger, redis_url: str, minutes: int
) -> None:
    with running_engine(on_postgresql, redis_url) as engine:
        signs = diagnose_engine(on_a_wrong_machine(engine, minutes).parts)
    [sign] = [one for one in signs if one.about == "this clock"]
    assert sign.light == "warn"
    assert abs(float(sign.text.split()[1]) + 60 * minutes) < SLACK_SECONDS


@pytest.mark.matrix(44)
@pytest.mark.parametrize("minutes", [-4.5, 4.5])
def test_a_stripe_whose_clock_is_minutes_away_still_sells_what_is_held(
    engine: Engine, minutes: float
) -> None:
    """A session lives five minutes longer than Stripe insists on, whatever the hold."""
    engine.clock.moved = timedelta(minutes=10)
    engine.world.api("/clock", advance_seconds=(10 + minutes) * 60)
    engine.drop(stock_units=2)
    [engine.dm(who) for who in ("ana", "ben", "cleo")]
    engine.work()
    engine.pay("ana")
    assert engine.states() == {"sold": 1, "held": 1, "waitlisted": 1}

    engine.pass_time(minutes=17)
    engine.chore("holds")
    engine.work()

    assert engine.states() == {"sold": 1, "expired": 1, "held": 1}
    assert_invariants(engine.parts, is_at_rest=True)
