"""What if the connection to PostgreSQL breaks at the very COMMIT?"""

from collections.abc import Iterator

import pytest

from tests.engine import Engine, running_engine
from tests.faults.lines import postgres_socket, through
from tests.faults.servers import Database, RedisProcess
from tests.invariants import assert_invariants
from tests.ledgers import open_ledger
from tests.proxy import HEALTHY, Proxy, Toxic, running_proxy


@pytest.fixture
def line(database: Database) -> Iterator[Proxy]:
    with running_proxy(postgres_socket(database.url("postgres"))) as line:
        yield line


@pytest.fixture
def engine(database: Database, line: Proxy, redis_process: RedisProcess) -> Iterator[Engine]:
    with (
        open_ledger(through(line, database.fresh())) as ledger,
        running_engine(ledger, redis_process.url) as engine,
    ):
        yield engine


def at_commit(is_lost: bool) -> Toxic:
    """The connection is reset when a delivery's COMMIT comes by, before or after it reaches the server."""
    return Toxic(cut_after_words=(b"INSERT INTO inbox", b"COMMIT"), passes_last=not is_lost)


@pytest.mark.matrix(9)
@pytest.mark.parametrize("is_lost", [True, False], ids=["not committed", "committed, not answered"])
def test_a_commit_of_unknown_outcome_is_made_once(engine: Engine, line: Proxy, is_lost: bool) -> None:
    engine.drop(stock_units=2)

    line.up = at_commit(is_lost)
    assert engine.dm("ann", mid="mid.ann") == 200
    assert line.cuts == 1
    line.up = HEALTHY
    assert engine.parts.spool.depth()[0] == 1
    assert engine.dm("ann", mid="mid.ann") == 200
    assert engine.chore("spool") == 1

    assert engine.states() == {"held": 1}
    engine.work()
    assert len(engine.heard("ann")) == 1
    assert_invariants(engine.parts, is_at_rest=True)


@pytest.mark.matrix(9)
@pytest.mark.parametrize("is_lost", [True, False], ids=["not committed", "committed, not answered"])
def test_without_a_spool_it_is_not_acknowledged_and_the_next_delivery_decides(
    engine: Engine, line: Proxy, redis_process: RedisProcess, is_lost: bool
) -> None:
    engine.drop(stock_units=2)
    redis_process.kill()

    line.up = at_commit(is_lost)
    first = engine.dm("ann", mid="mid.ann")
    line.up = HEALTHY

    assert (first, engine.dm("ann", mid="mid.ann")) == (503, 200)
    assert engine.states() == {"held": 1}
    engine.work()
    assert len(engine.heard("ann")) == 1
    assert_invariants(engine.parts, is_at_rest=True)
