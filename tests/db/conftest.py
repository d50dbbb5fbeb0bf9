"""What may the tests of the tables ask for? A ledger that is filled once and then only read."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import World, make_world
from tests.ledgers import TEMPLATE, open_ledger, sqlite_ledger

READ_ONLY = "read_only"


@pytest.fixture(scope="module")
def world_on_sqlite(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with sqlite_ledger(migrated_sqlite, tmp_path_factory.mktemp("kept")) as ledger:
        yield make_world(ledger)


@pytest.fixture(scope="module")
def world_on_postgresql(request: pytest.FixtureRequest) -> Iterator[World]:
    server = request.getfixturevalue("postgres")
    url = server.create(READ_ONLY, TEMPLATE)
    try:
        with open_ledger(url) as ledger:
            yield make_world(ledger)
    finally:
        server.drop(READ_ONLY)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kept_world(request: pytest.FixtureRequest) -> World:
    """Two brands, as in `world`, for all tests of one file together: they read what it filled in once."""
    found: World = request.getfixturevalue(f"world_on_{request.param}")
    return found
