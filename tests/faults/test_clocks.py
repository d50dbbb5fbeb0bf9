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


@pytest.fixture
def engine(ledger: Ledger, redis_url: str) -> Iterator[Engine]:
    with running_engine(ledger, redis_url) as engine:
        yield engine


def on_a_wrong_machine(engine: Engine, minutes: float) -> Engine:
    """The same engine as a worker and a clock see it whose own time is wrong."""
    clock = DatabaseClock(engine.parts.ledger, lambda: datetime.now(UTC) + timedelta(minutes=minutes))
    return replace(engine, parts=replace(engine.parts, clock=clock))


def seconds_left(engine: Engine) -> float:
    """Of the one hold, by the database's own time."""
    [(ends_at,)] = engine.rows("SELECT hold_expires_at FROM claims")
    ends_at = datetime.fromisoformat(ends_at) if isinstance(ends_at, str) else ends_at
    return (ends_at.replace(tzinfo=UTC) - engine.parts.ledger.database_time()).total_seconds()


@pytest.mark.matrix(44)
@pytest.mark.parametrize("minutes", WRONG_MINUTES)
def test_a_worker_whose_clock_is_wrong_gives_nobody_more_or_less_time(engine: Engine, minutes: int) -> None:
    wrong = on_a_wrong_machine(engine, minutes)
    engine.drop(stock_units=1, hold_minutes=15)
    engine.dm("ana")

    wrong.work()
    assert abs(seconds_left(engine) - 15 * 60) < SLACK_SECONDS
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
