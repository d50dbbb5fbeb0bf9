"""Transactions, and failures in our own words, on both databases."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection, event, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from claimbot.core.errors import LedgerUnavailable
from claimbot.db import marks
from claimbot.db.engine import RUNS_MAX, Ledger, RunAgain, make_engine
from claimbot.db.tables import brands, leads
from tests.builders import NOW, World, make_brand, make_world
from tests.crowd import at_once
from tests.ledgers import Postgres, open_ledger


@pytest.fixture
def impatient(on_sqlite: Ledger) -> Iterator[Ledger]:
    """A second process's way to the same SQLite file, which waits 20 ms for another writer."""
    url = on_sqlite.engine.url.render_as_string()
    with open_ledger(url) as other:
        event.listen(
            other.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 20")
        )
        yield other


def timezone_of(hours: int) -> timezone:
    return timezone(timedelta(hours=hours))


def brand_row(name: str, created_at: datetime) -> dict[str, object]:
    return {"id": name, "slug": name, "created_at": created_at}


def note(tx: Connection, lead_id: str, words: str) -> None:
    tx.execute(update(leads).where(leads.c.id == lead_id).values(note=words))


def meet(rival: threading.Barrier, runs: list[int], number: int) -> None:
    """Both have their first row before either asks for the second; who runs again does not wait."""
    if runs.count(number) == 1:
        rival.wait(10)


def kill(postgres: Postgres, tx: Connection) -> None:
    pid = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
    postgres.owner.execute("SELECT pg_terminate_backend(%s, 2000)", [pid])


def names(ledger: Ledger) -> list[str]:
    with ledger.reading() as tx:
        return [mark.name for mark in marks.list_marks(tx)]


def test_what_was_done_is_stored_at_the_end(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        marks.set_mark(tx, "swept", NOW)
    assert names(ledger) == ["swept"]


def test_an_error_takes_everything_back(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError), ledger.begin() as tx:
        marks.set_mark(tx, "swept", NOW)
        raise ZeroDivisionError
    assert names(ledger) == []


def test_a_broken_constraint_stays_our_bug(ledger: Ledger) -> None:
    make_brand(ledger, "aurora")
    with pytest.raises(IntegrityError):
        make_brand(ledger, "aurora")


def test_bad_sql_stays_our_bug(ledger: Ledger) -> None:
    with pytest.raises(DBAPIError), ledger.begin() as tx:
        tx.execute(text("SELECT nothing FROM nowhere"))


def test_an_error_does_not_quote_what_was_to_be_stored(ledger: Ledger, world: World) -> None:
    with pytest.raises(IntegrityError) as caught, ledger.begin() as tx:
        tx.execute(insert(leads).values(id=world.first.id, note="a private word"))
    assert "[SQL: INSERT INTO leads" in str(caught.value)
    assert "parameters hidden" in str(caught.value)


def test_a_foreign_key_is_kept(ledger: Ledger) -> None:
    with pytest.raises(IntegrityError), ledger.begin() as tx:
        tx.execute(text("INSERT INTO memberships (operator_id, brand_id, role) VALUES ('a', 'b', 'owner')"))


def test_a_time_without_a_zone_is_refused(ledger: Ledger) -> None:
    with pytest.raises(StatementError, match="without a zone"), ledger.begin() as tx:
        marks.set_mark(tx, "swept", datetime(2026, 3, 14, 18, 0))  # noqa: DTZ001 (what is refused)


@pytest.mark.parametrize("hours", [-11, 0, 2, 14])
def test_a_time_of_any_zone_comes_back_as_the_same_moment_in_utc(ledger: Ledger, hours: int) -> None:
    elsewhere = NOW.replace(microsecond=123_456).astimezone(timezone_of(hours))
    with ledger.begin() as tx:
        marks.set_mark(tx, "swept", elsewhere)
        found = marks.find_mark(tx, "swept")
    assert found is not None
    assert (found.at, found.at.tzinfo) == (elsewhere, UTC)


def test_times_are_compared_as_moments(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        make = insert(brands)
        tx.execute(
            make,
            [brand_row("a", NOW.astimezone(timezone_of(9))), brand_row("b", NOW + timedelta(microseconds=1))],
        )
        found = tx.execute(select(brands.c.id).where(brands.c.created_at <= NOW)).scalars().all()
    assert found == ["a"]


def test_a_locked_sqlite_file_is_a_ledger_that_does_not_answer(on_sqlite: Ledger, impatient: Ledger) -> None:
    with on_sqlite.begin(), pytest.raises(LedgerUnavailable), impatient.begin():
        raise AssertionError("two writers at once")


def test_a_locked_sqlite_file_can_be_written_again_afterwards(on_sqlite: Ledger, impatient: Ledger) -> None:
    with on_sqlite.begin(), pytest.raises(LedgerUnavailable), impatient.begin():
        raise AssertionError("two writers at once")
    make_brand(impatient)
    assert len(names(on_sqlite)) == 1


def test_sqlite_is_read_while_somebody_writes(on_sqlite: Ledger, impatient: Ledger) -> None:
    with on_sqlite.begin() as tx:
        marks.set_mark(tx, "not committed", NOW)
        assert names(impatient) == []


def test_an_unreachable_server_is_a_ledger_that_does_not_answer() -> None:
    ledger = Ledger(make_engine("postgresql://nobody@127.0.0.1:1/nothing"))
    with pytest.raises(LedgerUnavailable), ledger.begin():
        raise AssertionError("nobody listens there")


def test_a_missing_folder_is_a_ledger_that_does_not_answer() -> None:
    ledger = Ledger(make_engine("sqlite:////nowhere/at/all.sqlite"))
    with pytest.raises(LedgerUnavailable), ledger.reading():
        raise AssertionError("there is no such folder")


def test_a_killed_connection_is_a_ledger_that_does_not_answer(
    on_postgresql: Ledger, postgres: Postgres
) -> None:
    with pytest.raises(LedgerUnavailable), on_postgresql.begin() as tx:
        kill(postgres, tx)
        marks.set_mark(tx, "swept", NOW)
    make_brand(on_postgresql)
    assert names(on_postgresql) == [marks.CATALOG]


def test_a_slow_statement_is_cut_off(on_postgresql: Ledger) -> None:
    engine = make_engine(on_postgresql.engine.url.render_as_string(False), statement_timeout_ms=50)
    with pytest.raises(LedgerUnavailable), Ledger(engine).begin() as tx:
        tx.execute(text("SELECT pg_sleep(30)"))
    engine.dispose()


def test_a_pool_that_is_used_up_is_a_ledger_that_does_not_answer(on_postgresql: Ledger) -> None:
    engine = make_engine(on_postgresql.engine.url.render_as_string(False), connections=1)
    engine.pool._timeout = 0.05  # type: ignore[attr-defined]  # five seconds are too long for a test
    narrow = Ledger(engine)
    with narrow.begin(), narrow.begin(), pytest.raises(LedgerUnavailable), narrow.begin():
        raise AssertionError("there is no third connection")
    engine.dispose()


def test_a_deadlock_is_run_again_and_ends_well(on_postgresql: Ledger) -> None:
    world = make_world(on_postgresql)
    # PostgreSQL looks for deadlocks after a second, a busy machine later: the limit must not come first.
    patient = Ledger(
        make_engine(on_postgresql.engine.url.render_as_string(False), statement_timeout_ms=30000)
    )
    both_have_one = threading.Barrier(2)
    runs: list[int] = []

    def cross(number: int) -> None:
        ids = [world.first.id, world.second.id][:: 1 - 2 * number]

        def story(tx: Connection) -> None:
            runs.append(number)
            note(tx, ids[0], f"by {number}")
            meet(both_have_one, runs, number)
            note(tx, ids[1], f"by {number}")

        patient.run(story)

    at_once(2, cross)
    patient.close()
    # One of the two was run again; a slow machine may tie the same knot once more.
    assert len(runs) > 2


def test_sqlite_runs_crossing_writers_one_after_the_other(on_sqlite: Ledger) -> None:
    world = make_world(on_sqlite)

    def cross(number: int) -> None:
        ids = [world.first.id, world.second.id][:: 1 - 2 * (number % 2)]
        on_sqlite.run(lambda tx: [note(tx, one, f"by {number}") for one in ids])

    at_once(8, cross)
    with on_sqlite.reading() as tx:
        assert (
            len(set(tx.execute(select(leads.c.note).where(leads.c.brand_id == world.brand.id)).scalars()))
            == 1
        )


def test_a_story_that_never_ends_well_is_given_up(ledger: Ledger) -> None:
    runs = []

    def story(tx: Connection) -> None:
        runs.append(tx)
        raise RunAgain("never")

    with pytest.raises(LedgerUnavailable):
        ledger.run(story)
    assert len(runs) == RUNS_MAX


def test_a_bug_in_a_story_is_not_run_again(ledger: Ledger) -> None:
    runs = []

    def story(tx: Connection) -> None:
        runs.append(tx)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ledger.run(story)
    assert len(runs) == 1


def test_the_databases_time_is_aware(ledger: Ledger) -> None:
    before = datetime.now(UTC)
    assert before - timedelta(minutes=1) < ledger.database_time() < before + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("pragma", "expected"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
)
def test_sqlite_keeps_its_promises_on_every_connection(
    on_sqlite: Ledger, pragma: str, expected: object
) -> None:
    with on_sqlite.reading() as tx, on_sqlite.reading() as other:
        assert {one.exec_driver_sql(f"PRAGMA {pragma}").scalar() for one in (tx, other)} == {expected}


@pytest.mark.parametrize(
    ("setting", "expected"), [("statement_timeout", "2s"), ("lock_timeout", "2s"), ("TimeZone", "UTC")]
)
def test_postgresql_keeps_its_limits_on_every_connection(
    on_postgresql: Ledger, setting: str, expected: str
) -> None:
    with on_postgresql.reading() as tx:
        assert tx.execute(text(f"SHOW {setting}")).scalar() == expected
