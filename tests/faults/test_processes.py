"""What if processes are killed, stopped or replaced in the middle of a storm?"""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.faults.lines import people
from tests.faults.servers import Database, RedisProcess
from tests.faults.site import Site, Storm, running_site, until
from tests.invariants import assert_invariants

pytestmark = pytest.mark.e2e

# More of them for a night: CLAIMBOT_TEST_SEEDS=50.
SEEDS = range(int(os.environ.get("CLAIMBOT_TEST_SEEDS", "1")))
VICTIMS = ("web", "worker", "clock", "redis", "database")
STOCK_UNITS = 30
# A lease, and the seconds in which every worker looks; the test makes the lease this much older.
TAKEN_OVER_SECONDS = 35.0
AGED_SECONDS = 20.0


@pytest.fixture
def site(tmp_path: Path, database: Database, redis_process: RedisProcess) -> Iterator[Site]:
    with running_site(tmp_path / "site", database.fresh(), redis_process.url) as site:
        yield site
        database.start()


def all_told(site: Site, followers: int) -> bool:
    """Everybody has an answer, or it is sent again after the wait for its echo."""
    [(done,)] = site.rows(
        "SELECT count(*) FROM outbox WHERE kind IN ('offer', 'reply') AND (state = 'done' OR sends > 0)"
    )
    return bool(done >= followers)


@pytest.mark.matrix(20)
@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_killed_nothing_acknowledged_is_lost_and_nothing_sold_twice(
    site: Site, database: Database, redis_process: RedisProcess, seed: int
) -> None:
    site.drop(stock_units=STOCK_UNITS)
    names = people(300)
    site.start("worker")
    site.start("clock")
    site.start_web()

    with Storm(site, names, per_second=30.0) as storm:
        kill_in_turn(ways(site, database, redis_process), random.Random(seed))

    until(lambda: storm.acknowledged <= site.stored_mids())
    assert storm.acknowledged == {f"mid.{who}" for who in names}
    until(lambda: site.rows("SELECT count(*) FROM claims WHERE state = 'held'") == [(STOCK_UNITS,)])
    assert_invariants(site.parts)
    assert site.said_by_verify().returncode == 0


Ways = dict[str, tuple[Callable[[], object], Callable[[], object]]]


def kill_in_turn(all_ways: Ways, chance: random.Random) -> None:
    """Each once, in an order and at moments of chance, and back again."""
    for victim in chance.sample(VICTIMS, len(VICTIMS)):
        end, start = all_ways[victim]
        time.sleep(chance.uniform(0.2, 1.0))
        end()
        time.sleep(chance.uniform(0.1, 0.5))
        start()


def ways(site: Site, database: Database, redis_process: RedisProcess) -> Ways:
    """How each is killed, and how it starts again."""
    return {
        "web": (lambda: site.end("web"), lambda: site.start_web()),
        "worker": (lambda: site.end("worker"), lambda: site.start("worker")),
        "clock": (lambda: site.end("clock"), lambda: site.start("clock")),
        "redis": (redis_process.kill, redis_process.start),
        "database": (database.end, database.start),
    }


@pytest.mark.matrix(47)
def test_three_deploys_under_load_lose_nothing_and_fail_nothing(site: Site) -> None:
    site.drop(stock_units=STOCK_UNITS)
    names = people(150)
    site.start("worker0")
    site.start_web("web0")
    site.wait_for_beat("worker0")

    with Storm(site, names, per_second=20.0) as storm:
        codes = [deploy(site, number) for number in (1, 2, 3)]

    assert codes == [0, 0, 0]
    assert storm.statuses <= {0, 200}
    assert storm.acknowledged == site.stored_mids() - echoes(site) == {f"mid.{who}" for who in names}
    until(lambda: all_told(site, len(names)))
    assert_invariants(site.parts)


def deploy(site: Site, number: int) -> int:
    """The new ones begin, then the old ones are told to stop; the exit code of the old worker."""
    site.start(f"worker{number}")
    site.start_web(f"web{number}")
    site.wait_for_beat(f"worker{number}")
    code = site.end(f"worker{number - 1}", signal.SIGTERM)
    site.end(f"web{number - 1}", signal.SIGTERM)
    return code


def echoes(site: Site) -> set[str]:
    return {row[0] for row in site.rows("SELECT event_id FROM inbox WHERE kind = 'echo'")}


@pytest.mark.matrix(20)
@pytest.mark.matrix(22)
def test_what_a_stopped_worker_holds_is_done_by_another_and_once(site: Site) -> None:
    names = people(2)
    site.drop(stock_units=2)
    site.start_web()
    assert [site.deliver(who).status for who in names] == [200, 200]
    site.world.fault("stripe", "slow", times=2, delay_seconds=2.0)
    stopped = site.start("worker1")
    until(lambda: len(site.rows("SELECT 1 FROM checkouts")) == 2)
    stopped.send_signal(signal.SIGSTOP)
    age_leases(site)

    site.start("worker2")
    until(lambda: heard(site, names) == [1, 1], seconds=TAKEN_OVER_SECONDS - AGED_SECONDS)
    stopped.send_signal(signal.SIGCONT)
    assert site.end("worker1", signal.SIGTERM) == 0

    assert heard(site, names) == [1, 1]
    assert site.world.get("/state")["sessions"]["open"] == 2
    assert_invariants(site.parts)


def age_leases(site: Site) -> None:
    with site.parts.ledger.begin() as tx:
        aged = timedelta(seconds=AGED_SECONDS)
        tx.execute(text("UPDATE outbox SET lease_until = lease_until - :aged"), {"aged": aged})


def heard(site: Site, names: list[str]) -> list[int]:
    return [sum(one["direction"] == "out" for one in site.world.phone(who)) for who in names]


@pytest.mark.matrix(23)
def test_without_the_queue_everybody_is_still_answered(site: Site, redis_process: RedisProcess) -> None:
    names = people(5)
    site.drop(stock_units=2)
    site.start_web()
    site.start("worker")
    redis_process.kill()

    assert [site.deliver(who).status for who in names] == [200] * len(names)

    until(lambda: heard(site, names) == [1] * len(names))
    redis_process.start()
    assert_invariants(site.parts)
