"""What may a test of the sandbox ask for? An engine that remembers, and a world that speaks to it."""

from collections.abc import Iterator

import pytest

from tests.sandbox.engine import Engine, running_engine
from tests.sandbox.worlds import Running, config_for, running_world


@pytest.fixture
def engine() -> Iterator[Engine]:
    with running_engine() as engine:
        yield engine


@pytest.fixture
def world(engine: Engine) -> Iterator[Running]:
    with running_world(config_for(engine.url, stripe_rate_limit=False)) as world:
        yield world
