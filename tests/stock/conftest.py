"""Every gate test runs on a single server and on a Cluster of one node, emptied before each test."""

from collections.abc import Iterator

import pytest
from redis import Redis

from claimbot.stock.calls import Client
from claimbot.stock.gate import Gate
from tests.redis_server import running_cluster, running_redis


@pytest.fixture(scope="session")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with running_redis(tmp_path_factory.mktemp("redis")) as client:
        yield client


@pytest.fixture(scope="session", params=["single", "cluster"])
def any_client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    if request.param == "single":
        yield request.getfixturevalue("single")
        return
    with running_cluster(tmp_path_factory.mktemp("cluster")) as client:
        yield client


@pytest.fixture
def client(any_client: Client) -> Client:
    any_client.flushall()
    return any_client


@pytest.fixture
def gate(client: Client) -> Gate:
    return Gate(client)


@pytest.fixture
def plain(single: Redis) -> Redis:
    """The single server only: for what does not differ on a Cluster."""
    single.flushall()
    return single
