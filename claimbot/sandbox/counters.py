"""How often did what happen in this world?"""

import threading
from collections import Counter, deque


class Counters:
    """Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def count(self, name: str, by: int = 1) -> None:
        with self._lock:
            self._counts[name] += by

    def get(self, name: str) -> int:
        return self._counts[name]

    def under(self, prefix: str) -> dict[str, int]:
        """All counts whose name begins with `prefix.`, without the prefix."""
        start = prefix + "."
        with self._lock:
            return {name.removeprefix(start): n for name, n in self._counts.items() if name.startswith(start)}

    def clear(self) -> None:
        with self._lock:
            self._counts.clear()


class RateWindow:
    """Lets at most `limit` calls through in any `window_seconds`. The caller brings the time and the lock."""

    def __init__(self, limit: int, window_seconds: float) -> None:
        self.limit = limit
        self.window_seconds = window_seconds
        self._taken: deque[float] = deque()

    def take(self, now_seconds: float) -> bool:
        while self._taken and self._taken[0] <= now_seconds - self.window_seconds:
            self._taken.popleft()
        if len(self._taken) >= self.limit:
            return False
        self._taken.append(now_seconds)
        return True
