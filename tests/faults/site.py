"""What runs in a test of processes? The real web, worker and clock, a PostgreSQL and a Redis, all ours to end."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 20.0


def until(look: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
    """The first answer that is not empty."""
    ends_at = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < ends_at, "it did not happen"
        time.sleep(0.02)
    return found
