"""What may the tests of the stories ask for? An engine, on each database or on SQLite alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from claimbot.db.engine import Ledger
from tests.engine import Engine, running_engine
from tests.webhooks.receiver import Receiver, running_receiver


@pytest.fixture
def engine(ledger: Ledger, redis_url: str) -> Iterator[Engine]:
    """For stories where SQL decides: the test runs once on each database."""
    with running_engine(ledger, redis_url) as running:
        yield running


@pytest.fixture
def sqlite_engine(on_sqlite: Ledger, redis_url: str) -> Iterator[Engine]:
    """For stories that are about messages, not about SQL."""
    with running_engine(on_sqlite, redis_url) as running:
        yield running


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """A system of the brand that listens."""
    with running_receiver(tmp_path) as running:
        yield running
