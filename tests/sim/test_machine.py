"""Do the promises hold in any order of events? A long walk on both databases, and walks that must fail."""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from redis import Redis
from sqlalchemy import event, text

from claimbot.db import inbox, units
from claimbot.db.engine import Ledger
from claimbot.db.many import update_many
from claimbot.db.tables import metadata
from claimbot.db.tables import units as units_table
from claimbot.flows import release
from tests.flows.machine import Ground, Machine
from tests.races.naive_inbox import insert_anyway

# More in the night: CLAIMBOT_WALKS=2000 pytest tests/flows/test_machine.py
WALKS = int(os.environ.get("CLAIMBOT_WALKS", "30"))


def walks(count: int, steps: int = 40) -> settings:
    return settings(
        max_examples=count,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink] if "CLAIMBOT_SHRINK" in os.environ else [Phase.generate],
    )


@pytest.fixture
def ground(migrated_sqlite: Path, on_sqlite: Ledger, redis_client: Redis, redis_url: str) -> Ground:
    # What a power cut would cost does not matter to a walk.
    event.listen(on_sqlite.engine, "connect", lambda one, _: one.execute("PRAGMA synchronous = OFF"))
    return Ground(on_sqlite, partial(copy_anew, migrated_sqlite), redis_client, redis_url)


@pytest.fixture
def ground_on_postgresql(on_postgresql: Ledger, redis_client: Redis, redis_url: str) -> Ground:
    return Ground(on_postgresql, truncate, redis_client, redis_url)


def copy_anew(migrated: Path, ledger: Ledger) -> None:
    ledger.close()
    path = str(ledger.engine.url.database)
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(migrated, path)


def truncate(ledger: Ledger) -> None:
    tables = ", ".join(table.name for table in metadata.sorted_tables)
    with ledger.begin() as tx:
        tx.execute(text(f"TRUNCATE {tables}"))


def walk(ground: Ground, wanted: settings) -> None:
    make: Callable[[], Machine] = partial(Machine, ground)
    run_state_machine_as_test(make, settings=wanted)  # type: ignore[no-untyped-call]  # hypothesis has no types here


def test_whatever_happens_every_promise_is_kept(ground: Ground) -> None:
    walk(ground, walks(WALKS))


def test_the_promises_are_kept_on_postgresql_too(ground_on_postgresql: Ground) -> None:
    walk(ground_on_postgresql, walks(WALKS // 6, 25))


UNGUARDED = update_many(units_table, ("claim_id",), ("variant_id", "unit_no"))


def test_the_walk_finds_it_when_units_are_taken_without_a_look(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "TAKE", UNGUARDED)
    with pytest.raises(AssertionError, match="I1 a claim that owns has exactly its quantity"):
        walk(ground, walks(WALKS))


def test_the_walk_finds_it_when_an_event_counts_twice(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "insert_events", insert_anyway)
    monkeypatch.setattr(inbox, "find_known_keys", lambda _tx, _keys: set())
    with pytest.raises(AssertionError, match="I3"):
        walk(ground, walks(WALKS))


def test_the_walk_finds_it_when_a_unit_is_freed_before_stripe_said_so(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "checkouts", SimpleNamespace(find_latest=lambda _tx, _claim_id: None))
    with pytest.raises(AssertionError, match="I4"):
        walk(ground, walks(WALKS))
