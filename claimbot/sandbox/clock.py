"""What time is it in this world? Real time plus an offset that can be moved forward."""

import threading
import time
from datetime import UTC, datetime


class WorldClock:
    """Safe to use from many threads."""

    def __init__(self, offset_seconds: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._offset_seconds = offset_seconds

    @property
    def offset_seconds(self) -> float:
        return self._offset_seconds

    def seconds(self) -> float:
        """Seconds since 1970 in this world."""
        return time.time() + self._offset_seconds

    def now(self) -> datetime:
        return moment(self.seconds())

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._offset_seconds += seconds

    def set_offset(self, offset_seconds: float) -> None:
        with self._lock:
            self._offset_seconds = offset_seconds


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def iso(seconds: float) -> str:
    return moment(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
