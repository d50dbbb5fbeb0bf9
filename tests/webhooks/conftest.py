"""What may a test of this room ask for? A receiver of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.webhooks.receiver import Receiver, running_receiver


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with running_receiver(tmp_path) as running:
        yield running
