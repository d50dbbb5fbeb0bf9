"""What every test may ask for: a ledger on both databases, a Redis, a world of two brands."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from claimbot.db.engine import Ledger
from claimbot.stock import server
from tests.builders import World, make_world
from tests.compiled import keep_compiled
from tests.ledgers import (
    Postgres,
    migrate_template,
    migrated_file,
    postgresql_database,
    postgresql_ledger,
    running_postgres,
    sqlite_ledger,
)
from tests.redis_server import running_redis


@pytest.fixture(scope="session", autouse=True)
def compiled() -> None:
    keep_compiled()


@pytest.fixture(scope="session", autouse=True)
def swept() -> None:
    """What is imported stays: looking through it again and again for garbage takes a tenth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for each pytest process, without the wait for the disk."""
    with running_postgres(is_fast=True) as server:
        migrate_template(server)
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return migrated_file(tmp_path_factory.mktemp("migrated"))


@pytest.fixture
def on_sqlite(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Ledger]:
    """For what only SQLite does."""
    with sqlite_ledger(migrated_sqlite, tmp_path) as ledger:
        yield ledger


@pytest.fixture(scope="session")
def postgresql_url(postgres: Postgres) -> Iterator[str]:
    with postgresql_database(postgres) as url:
        yield url


@pytest.fixture
def on_postgresql(postgres: Postgres, postgresql_url: str) -> Iterator[Ledger]:
    """For what only PostgreSQL does."""
    with postgresql_ledger(postgres, postgresql_url) as ledger:
        yield ledger


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """A migrated, empty ledger; the test runs once on each database."""
    found: Ledger = request.getfixturevalue(f"on_{request.param}")
    return found


@pytest.fixture
def world(ledger: Ledger) -> World:
    """Two brands, each with an account, and two followers of the first."""
    return make_world(ledger)


@pytest.fixture(scope="session")
def redis_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("redis")


@pytest.fixture(scope="session")
def redis_server(redis_folder: Path) -> Iterator[Redis]:
    with running_redis(redis_folder) as client:
        yield client


@pytest.fixture
def redis_client(redis_server: Redis) -> Redis:
    """A real Redis, emptied before the test."""
    redis_server.flushall()
    return redis_server


@pytest.fixture
def redis_url(redis_client: Redis, redis_folder: Path) -> str:
    """The address of that Redis, emptied before the test."""
    return server.url(redis_folder)
