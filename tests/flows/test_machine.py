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
from sqlalchemy import bindparam, update

from claimbot.db import inbox, units
from claimbot.db.engine import Ledger, make_engine
from claimbot.db.tables import units as units_table
from claimbot.flows import release
from tests.flows.machine import Ground, Machine
from tests.ledgers import sqlite_url
from tests.races.naive_inbox import always_new

# More in the night: CLAIMBOT_WALKS=2000 pytest tests/flows/test_machine.py
WALKS = int(os.environ.get("CLAIMBOT_WALKS", "60"))


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
def ground(migrated_sqlite: Path, tmp_path: Path, redis_client: Redis, redis_url: str) -> Ground:
    """Every example begins with a copy of an empty SQLite ledger."""
    path = tmp_path / "walk.sqlite"
    return Ground(partial(_fresh_file, migrated_sqlite, path), redis_client, redis_url)


def _fresh_file(migrated: Path, path: Path) -> Ledger:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(migrated, path)
    return Ledger(make_engine(sqlite_url(path)))


def walk(ground: Ground, wanted: settings) -> None:
    make: Callable[[], Machine] = partial(Machine, ground)
    run_state_machine_as_test(make, settings=wanted)  # type: ignore[no-untyped-call]  # hypothesis has no types here


def test_whatever_happens_every_promise_is_kept(ground: Ground) -> None:
    walk(ground, walks(WALKS))


UNGUARDED = (
    update(units_table)
    .where(units_table.c.variant_id == bindparam("of_variant"), units_table.c.unit_no == bindparam("number"))
    .values(claim_id=bindparam("taker"))
)


def test_the_walk_finds_it_when_units_are_taken_without_a_look(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "TAKE", UNGUARDED)
    with pytest.raises(AssertionError, match="I1"):
        walk(ground, walks(WALKS))


def test_the_walk_finds_it_when_an_event_counts_twice(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "insert_new", always_new)
    monkeypatch.setattr(inbox, "find_known_keys", lambda _tx, _keys: set())
    with pytest.raises(AssertionError):
        walk(ground, walks(WALKS))


def test_the_walk_finds_it_when_a_unit_is_freed_before_stripe_said_so(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "checkouts", SimpleNamespace(find_latest=lambda _tx, _claim_id: None))
    with pytest.raises(AssertionError, match="I4"):
        walk(ground, walks(WALKS))
