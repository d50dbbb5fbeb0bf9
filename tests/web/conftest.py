"""What may a test of the doors ask for? The doors on both databases, or on one where that is enough."""

from collections.abc import Iterator

import pytest

from claimbot.db.engine import Ledger
from tests.web.doors import Doors, open_doors


@pytest.fixture
def doors(ledger: Ledger, redis_url: str) -> Iterator[Doors]:
    """Once on each database."""
    with open_doors(ledger, redis_url) as opened:
        yield opened


@pytest.fixture
def sqlite_doors(on_sqlite: Ledger, redis_url: str) -> Iterator[Doors]:
    """For what has nothing to do with the database."""
    with open_doors(on_sqlite, redis_url) as opened:
        yield opened


@pytest.fixture
def postgresql_doors(on_postgresql: Ledger, redis_url: str) -> Iterator[Doors]:
    """For what only PostgreSQL refuses to store."""
    with open_doors(on_postgresql, redis_url) as opened:
        yield opened
