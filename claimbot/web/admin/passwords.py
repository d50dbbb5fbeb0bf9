"""Does this password fit? Slowly on purpose, two at a time, and as slowly for somebody nobody knows."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.security import check_password_hash, generate_password_hash

from claimbot.core.errors import Outside

# OWASP's equivalent of 2^17 rounds at a quarter of the memory; werkzeug's own default is below it.
METHOD = "scrypt:32768:8:3"
# Each takes 32 MB while it is looked at.
AT_A_TIME = 2
PATIENCE_SECONDS = 5.0
PASSWORD_CHARS_MOST = 1_024
# Nobody knows the password of this one; it costs what a real one costs.
DECOY = (
    "scrypt:32768:8:3$BRwZBi2Hs8gaJtTx$2b9fecb380a462fb217d4ce3f16f27c7a41f679e2a10d8381989af4bf20f7aa0"
    "9e2739776f0f6efdce284a8c41e3444d24c46df8c4e92adb6f424a14fc8fba8c"
)

_free = threading.BoundedSemaphore(AT_A_TIME)


@contextmanager
def _one_of_few() -> Iterator[None]:
    """Raises Outside when too many ask at once."""
    if not _free.acquire(timeout=PATIENCE_SECONDS):
        raise Outside("too many sign in at once")
    try:
        yield
    finally:
        _free.release()


def fits(stored_hash: str, password: str) -> bool:
    """An empty hash never fits. Raises Outside when too many ask at once."""
    with _one_of_few():
        is_right = check_password_hash(stored_hash or DECOY, password[:PASSWORD_CHARS_MOST])
    return is_right and bool(stored_hash) and len(password) <= PASSWORD_CHARS_MOST


def hashed(password: str) -> str:
    """As it was typed: every blank and letter counts. Raises Outside when too many ask at once."""
    with _one_of_few():
        return generate_password_hash(password, method=METHOD)
