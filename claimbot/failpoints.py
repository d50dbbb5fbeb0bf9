"""Where may a test interfere? At named places that do nothing until a test arms them.

There is no setting and no environment variable for it: only code that runs in the same process can arm one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_armed: dict[str, Callable[[], object]] = {}


def fp(name: str) -> None:
    """A named place; a look into an empty dictionary unless a test armed it."""
    act = _armed.get(name)
    if act is not None:
        act()


@contextmanager
def armed(name: str, act: Callable[[], object]) -> Iterator[None]:
    """For tests: `act` runs at every passage until the end of the block."""
    _armed[name] = act
    try:
        yield
    finally:
        del _armed[name]
