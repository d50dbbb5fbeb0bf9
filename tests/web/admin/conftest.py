"""What may a test of the admin pages ask for? A desk, on both databases or on one where that is enough."""

import pytest

from tests.web.admin.desk import Desk, open_desk
from tests.web.doors import Doors


@pytest.fixture
def desk(sqlite_doors: Doors) -> Desk:
    return open_desk(sqlite_doors)


@pytest.fixture
def each_desk(doors: Doors) -> Desk:
    """Once on each database."""
    return open_desk(doors)
