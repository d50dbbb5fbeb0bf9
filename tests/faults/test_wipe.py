"""What is lost when Redis or SQL goes in the middle of a drop? Nothing that was promised."""

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pgserver
import pytest
from redis import Redis

from claimbot.core.drops import Drop
from claimbot.db import engine as db_engine
from claimbot.db import units
from claimbot.db.engine import Ledger
from claimbot.flows.reconcile import check_gates
from claimbot.parts import Parts
from claimbot.sandbox.followers import igsid_of
from claimbot.stock import server
from claimbot.stock.connect import connect
from claimbot.stock.gate import Gate
from tests.engine import Engine, running_engine
from tests.flows.crowds import Note, handles, notes_of, post_all, work_together
from tests.flows.play import Play, make_play
from tests.invariants import assert_invariants
from tests.ledgers import (
    TEMPLATE,
    Postgres,
    migrate_template,
    open_ledger,
    running_postgres,
    sqlite_ledger,
)

NO_PACE = {"SEND_PER_SECOND": "100000", "STRIPE_PER_SECOND": "100000"}
# The bound of the promise itself: the first claim after a wipe is answered in this time.
FIRST_CLAIM_SECONDS = 0.5


@pytest.fixture
def play(ledger: Ledger, redis_url: str) -> Play:
    return make_play(ledger, redis_url)


def write_wiping(play: Play, redis: Redis, number: int) -> None:
    if number in (250, 500, 750):
        redis.flushall()
    play.write((f"7{number:04d}", "LAUNCH"))


@pytest.mark.matrix(12)
def test_three_wipes_in_a_storm_cost_no_unit(play: Play, redis_client: Redis) -> None:
    play.drop(stock_units=100)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: write_wiping(play, redis_client, number), range(1_000)))
    assert play.states() == {"held": 100, "waitlisted": 900}
    assert_invariants(play.parts)


@pytest.mark.matrix(12)
@pytest.mark.parametrize("stock_units", [100, 10_000])
def test_the_first_claim_after_a_wipe_is_answered_at_once(
    play: Play, redis_client: Redis, stock_units: int
) -> None:
    play.drop(stock_units=stock_units)
    play.write(("7001", "LAUNCH"))
    redis_client.flushall()
    began = time.perf_counter()
    receipt = play.write(("7002", "LAUNCH"))
    took = time.perf_counter() - began
    assert [outcome for _, outcome in receipt.outcomes] == ["held"]
    assert took < FIRST_CLAIM_SECONDS
    snapshot = play.parts.gate.snapshot(play.rows("SELECT id FROM drops")[0][0])
    assert snapshot is not None
    assert sum(map(len, snapshot.free.values())) == stock_units - 2


def answered(engine: Engine, crowd: list[str]) -> set[int]:
    """How many answers people of the crowd have on their phones."""
    return {len(engine.world.world.followers.phone(who)) for who in crowd}


def kill(redis: server.RunningServer) -> None:
    redis.process.kill()
    redis.process.wait(10)
    # Lets go of the folder's lock, as the kernel does when the starter dies, too.
    redis.stop()


def free_units(parts: Parts, drop: Drop) -> tuple[set[int], set[int]]:
    """The free units of a drop's one variant: as the ledger says, and as the gate says."""
    variant_id, snapshot = drop.variants[0].id, parts.gate.snapshot(drop.id)
    assert snapshot is not None
    with parts.ledger.reading() as tx:
        return set(units.list_free(tx, variant_id)), set(snapshot.free[variant_id])


def test_a_drop_goes_on_without_redis_and_the_gate_comes_back(ledger: Ledger, tmp_path: Path) -> None:
    redis = server.start(tmp_path)
    crowd = handles(200)
    with running_engine(ledger, redis.url, **NO_PACE) as engine:
        drop = engine.drop(stock_units=250)
        engine.world.fault("graph", "echo_none", times=len(crowd))
        statuses = post_all(engine, notes_of(engine, crowd), {100: lambda: kill(redis)})
        work_together(engine.parts)
        assert set(statuses) == {200}
        assert engine.states() == {"held": 200}
        assert answered(engine, crowd) == {1}
        redis = server.start(tmp_path)
        anew = replace(engine.parts, gate=Gate(connect(redis.url)))
        assert check_gates(anew, engine.clock()) == {drop.id: "rebuilt"}
        of_ledger, of_gate = free_units(anew, drop)
        assert of_gate == of_ledger and len(of_ledger) == 50
        assert_invariants(anew, is_at_rest=True)
    redis.stop()


@contextmanager
def locked(ledger: Ledger) -> Iterator[None]:
    """Another program writes to the SQLite file and does not come to an end."""
    rival = sqlite3.connect(str(ledger.engine.url.database), isolation_level=None)
    rival.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        rival.execute("ROLLBACK")
        rival.close()


@contextmanager
def stopped(postgres: Postgres) -> Iterator[None]:
    """The server is gone, at once and without a word; afterwards it is back."""
    folder = Path(parse_qs(urlsplit(postgres.uri).query)["host"][0])
    # The one that runs already.
    running = pgserver.get_server(folder, cleanup_mode="delete")
    pgserver.pg_ctl(["-w", "-m", "immediate", "stop"], folder, user=running.system_user)
    try:
        yield
    finally:
        running.ensure_postgres_running()


def test_a_locked_ledger_loses_nobody_and_nobodys_place(
    migrated_sqlite: Path, tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db_engine, "SQLITE_BUSY_SECONDS", 0.1)
    with sqlite_ledger(migrated_sqlite, tmp_path) as ledger, running_engine(ledger, redis_url) as engine:
        goes_on_without_sql(engine, locked(ledger))


def test_a_stopped_postgresql_loses_nobody_and_nobodys_place(redis_url: str) -> None:
    with running_postgres() as postgres:
        migrate_template(postgres)
        url = postgres.create("stopped", TEMPLATE)
        with open_ledger(url) as ledger, running_engine(ledger, redis_url) as engine:
            goes_on_without_sql(engine, stopped(postgres))


def goes_on_without_sql(engine: Engine, outage: AbstractContextManager[None]) -> None:
    crowd = handles(20)
    engine.drop(stock_units=8)
    engine.world.fault("graph", "echo_none", times=2 * len(crowd))
    assert engine.dm("first") == 200
    with outage:
        assert post_in_order(engine, notes_of(engine, crowd)) == [200] * len(crowd)
        assert engine.parts.spool.depth()[0] == len(crowd)
    assert engine.chore("spool") == len(crowd)
    assert engine.parts.spool.depth() == (0, 0)
    line = engine.rows("SELECT external_id FROM claims JOIN leads ON leads.id = lead_id ORDER BY line")
    assert [row[0] for row in line][1:] == [igsid_of(who) for who in crowd]
    assert engine.states() == {"held": 8, "waitlisted": 13}
    engine.work()
    assert answered(engine, crowd) == {1}
    assert_invariants(engine.parts, is_at_rest=True)


def post_in_order(engine: Engine, notes: list[Note]) -> list[int]:
    url = f"{engine.parts.settings.own_url}/webhooks/meta"
    with httpx.Client(trust_env=False, timeout=20) as client:
        return [client.post(url, content=one.body, headers=one.headers).status_code for one in notes]


def test_without_redis_and_sql_nothing_is_promised(
    migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db_engine, "SQLITE_BUSY_SECONDS", 0.1)
    redis = server.start(tmp_path)
    with sqlite_ledger(migrated_sqlite, tmp_path) as ledger, running_engine(ledger, redis.url) as engine:
        engine.drop(stock_units=8)
        notes = notes_of(engine, handles(3))
        kill(redis)
        with locked(ledger):
            assert post_in_order(engine, notes) == [503] * 3
        assert engine.states() == {}
        assert post_in_order(engine, notes) == [200] * 3
        assert engine.states() == {"held": 3}
