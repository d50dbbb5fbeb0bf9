"""What may a test of the admin pages ask for? A desk, on both databases or on one where that is enough."""

from collections.abc import Iterator

import pytest

from claimbot.db.engine import Ledger
from tests.web.admin.desk import Desk, open_desk
from tests.web.doors import NOBODY, open_doors

# The platform does not answer.
ADDRESSES = {"META_GRAPH_URL": f"http://{NOBODY}", "META_INSTAGRAM_URL": f"http://{NOBODY}"}


@pytest.fixture
def desk(on_sqlite: Ledger, redis_url: str) -> Iterator[Desk]:
    with open_doors(on_sqlite, redis_url, **ADDRESSES) as doors:
        yield open_desk(doors)


@pytest.fixture
def each_desk(ledger: Ledger, redis_url: str) -> Iterator[Desk]:
    """Once on each database."""
    with open_doors(ledger, redis_url, **ADDRESSES) as doors:
        yield open_desk(doors)
