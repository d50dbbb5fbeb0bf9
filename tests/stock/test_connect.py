"""Are URLs read as meant, is every call inside its budget, and is an unfit or other Redis noticed?"""

import socket
import time

import pytest
from redis import Redis, RedisCluster

from claimbot.core.errors import Setup, StockUnavailable
from claimbot.stock.connect import check_policy, connect, identity
from claimbot.stock.gate import Gate
from tests.redis_server import running_redis
from tests.stock.builders import DROP, ask, load, reserve_one


@pytest.fixture
def silent_port():
    """Somebody who takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://127.0.0.1:7001/2", {"host": "127.0.0.1", "port": 7001, "db": 2}),
        ("redis://ann:s%40cret@127.0.0.1:7001", {"username": "ann", "password": "s@cret"}),
        ("redis://127.0.0.1:7001?cluster=0", {"port": 7001}),
        ("unix:///tmp/a%20b/redis.sock", {"path": "/tmp/a b/redis.sock"}),
        ("unix:///tmp/redis.sock?db=3", {"path": "/tmp/redis.sock", "db": 3}),
    ],
)
def test_a_url_is_read_as_it_is_meant(url, expected):
    options = connect(url).get_connection_kwargs()
    assert {name: options[name] for name in expected} == expected


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1", "127.0.0.1:6379", "", "unix:///r.sock?cluster=1", "redis+cluster://127.0.0.1:1/3"],
)
def test_a_url_that_makes_no_sense_is_a_fault_of_the_setup(url):
    with pytest.raises(Setup):
        connect(url)


def test_a_client_tries_once_and_has_explicit_timeouts():
    options = connect("redis://127.0.0.1:7001", 0.2).get_connection_kwargs()
    assert (options["socket_timeout"], options["socket_connect_timeout"], options["protocol"]) == (
        0.2,
        0.2,
        3,
    )
    assert options["retry"].get_retries() == 0


def test_a_redis_that_never_answers_costs_only_its_budget(silent_port):
    gate = Gate(connect(f"redis://127.0.0.1:{silent_port}", 0.1))
    started = time.monotonic()
    with pytest.raises(StockUnavailable):
        gate.reserve(DROP, [ask("ann")])
    assert time.monotonic() - started < 0.5


def test_a_cluster_that_never_answers_costs_only_its_budget(silent_port):
    started = time.monotonic()
    with pytest.raises(StockUnavailable):
        connect(f"redis+cluster://127.0.0.1:{silent_port}", 0.1)
    assert time.monotonic() - started < 1.0


def test_the_cluster_of_the_tests_is_one(client):
    assert isinstance(client, Redis | RedisCluster)
    assert check_policy(client) == []
    assert len(identity(client)) == 1


@pytest.fixture
def settable(plain):
    """The server, whose settings are put back afterwards."""
    yield plain
    plain.config_set("maxmemory", "0")
    plain.config_set("maxmemory-policy", "noeviction")
    plain.replicaof("NO", "ONE")


def test_an_evicting_redis_is_a_fault_in_words(settable):
    settable.config_set("maxmemory", "100mb")
    settable.config_set("maxmemory-policy", "allkeys-lru")
    assert check_policy(settable) == [
        "Redis server evicts keys (maxmemory-policy allkeys-lru): set noeviction"
    ]


def test_a_replica_is_a_fault_and_refuses_as_unavailable(settable, silent_port):
    load(Gate(settable))
    settable.replicaof("127.0.0.1", silent_port)
    assert check_policy(settable) == ["Redis server is a read-only replica: give the URL of the primary"]
    with pytest.raises(StockUnavailable):
        reserve_one(Gate(settable), "ann")


def test_a_full_redis_is_unavailable_and_not_a_crash(settable):
    load(Gate(settable))
    settable.config_set("maxmemory", "1")
    with pytest.raises(StockUnavailable):
        load(Gate(settable), epoch=2)


def test_a_restarted_redis_is_another_one(tmp_path):
    with running_redis(tmp_path) as first:
        before = identity(first)
        assert identity(first) == before
    with running_redis(tmp_path) as second:
        assert identity(second) != before


def test_a_silent_redis_has_no_identity(tmp_path):
    with pytest.raises(StockUnavailable):
        identity(connect(f"unix://{tmp_path}/nobody.sock"))
