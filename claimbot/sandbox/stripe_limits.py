"""Which calls does Stripe answer from memory, and which come too fast?"""

import hashlib
import threading
from dataclasses import asdict, dataclass

from claimbot.sandbox.counters import RateWindow
from claimbot.sandbox.shelf import Shelf
from claimbot.sandbox.stripe_errors import key_in_use, other_parameters

# The default per account and endpoint (Stripe documentation, "Rate limits").
CALLS_PER_SECOND = 25
# A key is kept at least 24 h; then it runs anew (Stripe documentation, "Idempotent requests").
KEY_SECONDS = 24 * 3600
MAX_KEYS = 100_000


class Rates:
    """25 calls per second for each account and endpoint."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[tuple[str, str], RateWindow] = {}

    def take(self, account: str, endpoint: str, now_seconds: float) -> bool:
        with self._lock:
            window = self._windows.setdefault((account, endpoint), RateWindow(CALLS_PER_SECOND, 1.0))
            return window.take(now_seconds)


@dataclass(frozen=True, slots=True)
class Kept:
    """The first answer given under a key."""

    fingerprint: str
    status: int
    body: str
    at_seconds: float


class Idempotency:
    """Keys are per account. A key that is running is refused until it has ended."""

    def __init__(self, shelf: Shelf) -> None:
        self._lock = threading.Lock()
        self._shelf = shelf
        self._running: set[str] = set()
        self._kept: dict[str, Kept] = {}
        for name, record in shelf.records("idempotency"):
            self._kept[name] = Kept(**record)

    def begin(self, account: str, key: str, fingerprint: str, now_seconds: float) -> Kept | None:
        """The answer to repeat, or None: then the caller runs, and must call `end`."""
        name = _name(account, key)
        with self._lock:
            if name in self._running:
                raise key_in_use()
            kept = self._kept.get(name)
            if kept is not None and now_seconds - kept.at_seconds < KEY_SECONDS:
                if kept.fingerprint != fingerprint:
                    raise other_parameters(key)
                return kept
            self._running.add(name)
        return None

    def end(self, account: str, key: str, kept: Kept | None) -> None:
        """None: nothing is kept, the key may be used again."""
        name = _name(account, key)
        with self._lock:
            self._running.discard(name)
            if kept is None:
                return
            self._kept[name] = kept
            self._shelf.put("idempotency", name, asdict(kept))
            if len(self._kept) > MAX_KEYS:
                oldest = next(iter(self._kept))
                del self._kept[oldest]
                self._shelf.put("idempotency", oldest, None)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()


def fingerprint(method: str, path: str, body: bytes) -> str:
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).hexdigest()


def _name(account: str, key: str) -> str:
    return f"{account}:{key}"
