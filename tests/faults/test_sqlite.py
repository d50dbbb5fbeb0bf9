"""What if the disk is full, or somebody else writes to our SQLite file?"""

import resource
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from claimbot.db.engine import Ledger
from tests.engine import Engine, running_engine
from tests.faults.lines import people
from tests.faults.servers import RedisProcess
from tests.faults.site import Site, running_site, until
from tests.invariants import assert_invariants


@pytest.fixture
def engine(on_sqlite: Ledger, redis_url: str) -> Iterator[Engine]:
    with running_engine(on_sqlite, redis_url) as engine:
        yield engine


@pytest.mark.matrix(18)
@pytest.mark.parametrize(("seconds", "spooled"), [(1.0, 0), (6.0, 1)], ids=["short", "long"])
def test_while_somebody_else_writes_a_message_waits_or_is_spooled(
    engine: Engine, seconds: float, spooled: int
) -> None:
    """SQLite waits five seconds for its turn."""
    engine.drop(stock_units=2)
    engine.dm("first")
    path = engine.parts.ledger.engine.url.database or ""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(seconds, other.rollback)
        release.start()
        status = engine.dm("ann")
        release.join()

    assert (status, engine.parts.spool.depth()[0]) == (200, spooled)
    engine.chore("spool")
    engine.work()
    assert engine.states() == {"held": 2}
    assert len(engine.heard("ann")) == 1
    assert_invariants(engine.parts, is_at_rest=True)


@pytest.fixture
def site(tmp_path: Path, on_sqlite: Ledger, redis_process: RedisProcess) -> Iterator[Site]:
    database_url = on_sqlite.engine.url.render_as_string()
    with running_site(tmp_path / "site", database_url, redis_process.url) as site:
        site.start_web()
        yield site


def limit_files(site: Site, size: int) -> None:
    """No process of the web may write beyond this place of any file, as on a full disk."""
    group = site.running["web"].pid
    listed = subprocess.run(["ps", "-eo", "pid=,pgid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    for pid in [pid for pid, pgid in pairs if pgid == group]:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.mark.e2e
@pytest.mark.matrix(18)
def test_on_a_full_disk_nothing_is_acknowledged_that_is_not_kept(
    site: Site, redis_process: RedisProcess
) -> None:
    site.drop(stock_units=2)
    names = people(6)
    assert [site.deliver(who).status for who in names[:2]] == [200, 200]

    limit_files(site, size=0)
    assert [site.deliver(who).status for who in names[2:4]] == [200, 200]
    assert site.parts.spool.depth()[0] == 2
    redis_process.kill()
    assert [site.deliver(who).status for who in names[4:]] == [503, 503]
    redis_process.start()
    limit_files(site, resource.RLIM_INFINITY)

    site.start("clock")
    until(lambda: site.stored_mids() == {f"mid.{who}" for who in names[:4]})
    assert [site.deliver(who).status for who in names] == [200] * len(names)
    assert site.stored_mids() == {f"mid.{who}" for who in names}
    assert_invariants(site.parts)
