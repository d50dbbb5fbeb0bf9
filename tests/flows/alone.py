"""What is an engine without doors? The real parts on a ledger and a Redis, at a fixed time, alone."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager

from claimbot.db.engine import Ledger
from claimbot.parts import Parts, make_parts
from claimbot.settings import Settings
from tests.builders import NOW

# The same key that the builders seal with.
KEY = base64.b64encode(b"a key for tests, thirty-two long").decode()


@contextmanager
def parts_alone(ledger: Ledger, redis_url: str) -> Iterator[Parts]:
    """It is always NOW; nothing outside this machine is reachable."""
    settings = Settings.from_mapping(
        {
            "DATABASE_URL": ledger.engine.url.render_as_string(hide_password=False),
            "REDIS_URL": redis_url,
            "ENCRYPTION_KEYS": KEY,
            "META_GRAPH_URL": "http://127.0.0.1:9",
            "META_INSTAGRAM_URL": "http://127.0.0.1:9",
        }
    )
    parts = make_parts(settings, lambda: NOW)
    try:
        yield parts
    finally:
        parts.close()
