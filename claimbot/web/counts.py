"""How often did a webhook end in which way? Counted by this process, shown by /metrics."""

import threading
from collections import Counter


class Counts:
    """Thread-safe. Both words are ours, so there are few of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: Counter[tuple[str, str]] = Counter()

    def add(self, door: str, word: str) -> None:
        with self._lock:
            self._counted[door, word] += 1

    def all(self) -> dict[tuple[str, str], int]:
        with self._lock:
            return dict(self._counted)
