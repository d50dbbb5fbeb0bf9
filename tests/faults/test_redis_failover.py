"""What if Redis fails over to a replica that missed the last minutes?"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from claimbot.db.engine import Ledger
from claimbot.flows.sweep import RedisWatch
from tests.engine import Engine, running_engine
from tests.faults.lines import people, socket_of
from tests.faults.servers import RedisProcess
from tests.faults.site import until
from tests.invariants import assert_invariants
from tests.proxy import BLACK_HOLE, Proxy, running_proxy
from tests.redis_server import running_redis

STOCK_UNITS = 10


@dataclass(frozen=True)
class Pair:
    """The engine reaches a Redis at `front`; the replica hears of its writes through `link`."""

    primary: RedisProcess
    replica: Redis
    replica_path: str
    front: Proxy
    link: Proxy

    def catch_up(self) -> None:
        until(lambda: self.replica.info()["master_link_status"] == "up")

    def cut(self) -> None:
        self.link.down = BLACK_HOLE

    def fail_over(self) -> None:
        self.replica.replicaof("NO", "ONE")
        self.front.lead_to(self.replica_path)


@pytest.fixture
def pair(redis_process: RedisProcess, tmp_path: Path) -> Iterator[Pair]:
    path = socket_of(redis_process.url)
    with (
        running_proxy(path) as front,
        running_proxy(path) as link,
        running_redis(tmp_path / "replica") as replica,
    ):
        replica.replicaof("127.0.0.1", link.port)
        replica_path = str(replica.connection_pool.connection_kwargs["path"])
        pair = Pair(redis_process, replica, replica_path, front, link)
        pair.catch_up()
        yield pair


@pytest.fixture
def engine(on_sqlite: Ledger, redis_url: str, pair: Pair) -> Iterator[Engine]:
    address = f"redis://127.0.0.1:{pair.front.port}"
    with running_engine(on_sqlite, redis_url, STOCK_REDIS_URL=address) as engine:
        yield engine


def lines_in_order(engine: Engine) -> list[str]:
    """Who waits, as they stand in line."""
    found = engine.rows(
        "SELECT i.event_id FROM claims c JOIN inbox i ON i.event_key = c.event_key"
        " WHERE c.state = 'waitlisted' ORDER BY c.line"
    )
    return [row[0].removeprefix("mid.") for row in found]


def write(engine: Engine, names: list[str]) -> None:
    assert [engine.dm(who, mid=f"mid.{who}") for who in names] == [200] * len(names)


@pytest.mark.matrix(13)
def test_a_stale_replica_sells_nothing_twice(engine: Engine, pair: Pair) -> None:
    drop = engine.drop(stock_units=STOCK_UNITS)
    write(engine, people(2, "seen"))
    until(lambda: pair.replica.exists(f"cb1:{{d:{drop.id}}}:meta"))

    pair.cut()
    write(engine, people(6, "unseen"))
    pair.fail_over()
    write(engine, people(6, "late"))

    assert engine.states() == {"held": STOCK_UNITS, "waitlisted": 4}
    assert lines_in_order(engine) == people(6, "late")[2:]
    engine.work()
    assert_invariants(engine.parts, is_at_rest=True)


@pytest.mark.matrix(13)
def test_another_redis_is_noticed_and_its_gates_are_rebuilt(engine: Engine, pair: Pair) -> None:
    watch = RedisWatch()
    drop = engine.drop(stock_units=STOCK_UNITS)
    write(engine, people(2, "seen"))
    until(lambda: pair.replica.exists(f"cb1:{{d:{drop.id}}}:meta"))
    assert watch(engine.parts) == 0

    pair.cut()
    write(engine, people(STOCK_UNITS, "unseen"))
    pair.fail_over()
    assert watch(engine.parts) == 1

    seen = engine.parts.gate.snapshot(drop.id)
    assert seen is not None and seen.free == {}
    write(engine, people(3, "late"))
    assert lines_in_order(engine) == [*people(STOCK_UNITS, "unseen")[-2:], *people(3, "late")]
    engine.work()
    assert_invariants(engine.parts, is_at_rest=True)
