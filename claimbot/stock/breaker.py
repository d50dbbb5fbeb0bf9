"""Is it worth asking Redis now, or has it just failed several times in a row?"""

import threading
import time
from collections.abc import Callable

from claimbot.core.errors import StockUnavailable


class Breaker:
    """Opens after `failures` in a row; while open, one call each `probe_seconds` may try. Thread-safe.

    With `probe` no call has to be the one that tries: `probe` does, in a thread of its own.
    """

    def __init__(
        self,
        failures: int = 5,
        probe_seconds: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
        probe: Callable[[], object] | None = None,
    ) -> None:
        self._failures = failures
        self._probe_seconds = probe_seconds
        self._clock = clock
        self._probe = probe
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._next_probe = 0.0

    @property
    def is_open(self) -> bool:
        with self._lock:
            return self._in_a_row >= self._failures

    def check(self) -> None:
        """Raises StockUnavailable at once while open, except for the one probe."""
        with self._lock:
            if self._in_a_row < self._failures:
                return
            wait_seconds = self._next_probe - self._clock()
            if wait_seconds > 0:
                raise StockUnavailable("Redis has failed several times and is left alone", wait_seconds)
            self._next_probe = self._clock() + self._probe_seconds
        if self._probe is not None:
            threading.Thread(target=self._try, args=(self._probe,), name="probe", daemon=True).start()
            raise StockUnavailable("Redis has failed several times and is being tried", self._probe_seconds)

    def _try(self, probe: Callable[[], object]) -> None:
        try:
            probe()
        except Exception:  # a door of this thread: whatever it is, Redis does not answer
            self.failed()
        else:
            self.worked()

    def worked(self) -> None:
        with self._lock:
            self._in_a_row = 0

    def failed(self) -> None:
        with self._lock:
            self._in_a_row += 1
            if self._in_a_row == self._failures:
                self._next_probe = self._clock() + self._probe_seconds
