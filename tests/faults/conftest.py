"""What may a test of the faults ask for? An engine with a proxy on every line, servers it may end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from claimbot.db.engine import Ledger
from tests.faults.lines import Lines, Platform, platform_for, running_lines
from tests.faults.servers import Database, RedisProcess


@pytest.fixture
def lines(on_sqlite: Ledger, redis_url: str) -> Iterator[Lines]:
    with running_lines(on_sqlite, redis_url) as lines:
        yield lines


@pytest.fixture
def platform(lines: Lines) -> Iterator[Platform]:
    with platform_for(lines.engine.parts.settings.public_url) as platform:
        yield platform


@pytest.fixture(scope="session")
def database() -> Iterator[Database]:
    """A PostgreSQL of our own, that a test may end."""
    with Database.running() as database:
        yield database


@pytest.fixture
def redis_process(tmp_path: Path) -> Iterator[RedisProcess]:
    """A Redis of our own, that a test may end."""
    with RedisProcess.running(tmp_path / "redis") as redis:
        yield redis
