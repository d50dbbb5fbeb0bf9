"""What if SQL comes back as it was yesterday, while Stripe and Redis know what happened since?"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from claimbot.db.engine import Ledger
from claimbot.flows.books import DailyBooks, compare, settle_lost
from claimbot.flows.diagnose import Light, diagnose_books
from claimbot.flows.launch import open_drop
from tests.engine import Engine, running_engine
from tests.flows.looks import open_alerts, outcome_of
from tests.invariants import assert_invariants


@pytest.fixture
def engine(on_sqlite: Ledger, redis_url: str) -> Iterator[Engine]:
    with running_engine(on_sqlite, redis_url) as engine:
        yield engine


def copy_ledger(engine: Engine, source: Path, target: Path) -> None:
    """All of it, in one step, as an operator's backup is made and put back."""
    engine.parts.ledger.close()
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def path_of(engine: Engine) -> Path:
    return Path(str(engine.parts.ledger.engine.url.database))


def after_a_restore(engine: Engine, backup: Path) -> str:
    """Ana's day is in the backup. Ben, who paid, Cleo, who holds a unit, and Dora, who waits, are lost."""
    drop = engine.drop(stock_units=3)
    engine.dm("ana")
    engine.work()
    engine.pay("ana")
    compare(engine.parts, engine.brand.id)
    copy_ledger(engine, path_of(engine), backup)
    [engine.dm(who) for who in ("ben", "cleo", "carl", "dora")]
    engine.work()
    engine.pay("ben")
    engine.work()
    copy_ledger(engine, backup, path_of(engine))
    engine.parts.catalog(is_fresh=True)
    return drop.id


@pytest.mark.matrix(49)
def test_after_a_restore_the_sale_stands_still_until_what_was_lost_is_settled(
    engine: Engine, tmp_path: Path
) -> None:
    drop_id = after_a_restore(engine, tmp_path / "backup")
    assert engine.states() == {"sold": 1}

    assert DailyBooks()(engine.parts) == 2
    engine.parts.catalog(is_fresh=True)
    engine.dm("emma")
    assert ("restored" in open_alerts(engine), outcome_of(engine, "emma")) == (True, "paused")

    done = settle_lost(engine.parts)
    assert (done.ended, done.refunded, done.left) == (1, 1, 0)
    assert engine.world.get("/state")["sessions"]["open"] == 0
    open_drop(engine.parts, "mia", drop_id)
    engine.parts.catalog(is_fresh=True)
    [engine.dm(who) for who in ("emma", "fay", "gus")]
    engine.work()

    assert engine.states() == {"sold": 1, "held": 2, "waitlisted": 1}
    assert "restored" not in open_alerts(engine)
    assert DailyBooks()(engine.parts) == 0
    assert_invariants(engine.parts, is_at_rest=True)


@pytest.mark.matrix(49)
def test_a_gate_that_is_ahead_of_a_restored_ledger_is_rebuilt_from_it(engine: Engine, tmp_path: Path) -> None:
    drop_id = after_a_restore(engine, tmp_path / "backup")
    with engine.parts.ledger.begin() as tx:
        tx.exec_driver_sql("UPDATE drops SET gate_epoch = 0")

    assert engine.chore("gates") == 1

    seen = engine.parts.gate.snapshot(drop_id)
    [(epoch,)] = engine.rows("SELECT gate_epoch FROM drops")
    assert seen is not None
    assert (seen.epoch, sorted(unit for free in seen.free.values() for unit in free)) == (epoch, [2, 3])


def test_books_that_agree_are_green_and_kept(engine: Engine) -> None:
    engine.drop(stock_units=2)
    engine.world.fault("stripe", "webhook_drop", times=100)
    [engine.dm(who) for who in ("ana", "ben")]
    engine.work()
    [engine.pay(who) for who in ("ana", "ben")]
    assert diagnose_books(engine.parts)[0].light is Light.WARN

    assert DailyBooks()(engine.parts) == 0

    assert engine.states() == {"sold": 2}
    [sign] = diagnose_books(engine.parts)
    assert (sign.light, "2 sessions, 2 paid, all of them settled here" in sign.text) == (Light.OK, True)


def test_a_paid_session_that_nobody_settles_is_told(engine: Engine) -> None:
    engine.drop(stock_units=1)
    engine.world.fault("stripe", "webhook_drop", times=100)
    engine.dm("ana")
    engine.work()
    engine.pay("ana")
    with engine.parts.ledger.begin() as tx:
        tx.exec_driver_sql("UPDATE claims SET livemode = 1")

    assert DailyBooks()(engine.parts) == 1

    [sign] = diagnose_books(engine.parts)
    assert (sign.light, open_alerts(engine)) == (Light.RED, ["books"])


@pytest.mark.matrix(24)
def test_a_session_that_is_being_made_while_a_clock_starts_stops_no_sale(engine: Engine) -> None:
    """Stripe has it, and the worker that asked for it has not heard so yet, or was killed."""
    engine.drop(stock_units=2)
    engine.dm("ana")
    engine.world.fault("stripe", "error_500_after_accept")
    engine.work()
    assert engine.rows("SELECT state, session_id FROM checkouts") == [("asked", None)]
    assert engine.world.get("/state")["sessions"]["open"] == 1

    assert DailyBooks()(engine.parts) == 0

    engine.parts.catalog(is_fresh=True)
    assert (open_alerts(engine), engine.dm("ben")) == ([], 200)
    assert engine.states() == {"held": 2}


def test_the_sessions_of_another_system_are_left_alone(engine: Engine) -> None:
    """They name claims too, but lead the buyer elsewhere."""
    engine.drop(stock_units=1)
    engine.dm("ana")
    engine.work()
    with engine.parts.ledger.begin() as tx:
        tx.exec_driver_sql("DELETE FROM checkouts")
    elsewhere = engine.parts.settings.model_copy(update={"public_url": "https://another.example"})
    object.__setattr__(engine.parts, "settings", elsewhere)

    books = compare(engine.parts, engine.brand.id)

    assert books is not None and books.lost == ()
