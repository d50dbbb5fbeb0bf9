"""Where do verified bodies wait while SQL is down?

A bounded stream: a body that is here was promised to the platform with a 200. It is removed only after SQL
has it; reading and removing twice is harmless, because the inbox knows each event by its key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from claimbot.core.errors import Outside
from claimbot.stock import keys
from claimbot.stock.breaker import Breaker
from claimbot.stock.calls import Calls, Client

# A launch of an hour at fourteen messages a second; more would fill the memory that the gate needs.
MAX_ENTRIES = 50_000
MAX_BYTES = 64 * 1024 * 1024

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
Row = tuple[bytes, dict[bytes, bytes]]


class SpoolFull(Outside):
    """The spool has reached its bound: answer 503, the platform delivers again."""


@dataclass(frozen=True)
class SpoolEntry:
    id: str
    channel: str
    body: bytes
    received_at: datetime


class Spool:
    def __init__(
        self,
        client: Client,
        breaker: Breaker | None = None,
        max_entries: int = MAX_ENTRIES,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._calls = Calls(client, breaker)
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._keys = keys.SpoolKeys()

    def append(self, channel: str, body: bytes, received_at: datetime) -> None:
        """Raises SpoolFull at the bound and StockUnavailable when Redis did not confirm."""
        received_us = (received_at - EPOCH) // MICROSECOND
        args = (self._max_entries, self._max_bytes, channel, received_us, body)
        word = self._calls.script("spool", (self._keys.stream, self._keys.size), args)[0]
        if word == "full":
            raise SpoolFull("too many messages wait for SQL", retry_after_seconds=30.0)

    def read(self, count: int) -> list[SpoolEntry]:
        """The oldest `count` entries; they stay until removed."""
        with self._calls.guard():
            rows = cast("list[Row]", self._calls.client.xrange(self._keys.stream, count=count))
        return [_entry(name, fields) for name, fields in rows]

    def remove(self, ids: Sequence[str]) -> int:
        """How many of them were still there."""
        if not ids:
            return 0
        removed: int = self._calls.script("unspool", (self._keys.stream, self._keys.size), ids)[1]
        return removed

    def depth(self) -> tuple[int, int]:
        """Entries and bytes that wait."""
        with self._calls.guard():
            entries = self._calls.client.xlen(self._keys.stream)
            stored = self._calls.client.hget(self._keys.size, "bytes")
        return entries, int(stored or 0)


def _entry(name: bytes, fields: dict[bytes, bytes]) -> SpoolEntry:
    received_at = EPOCH + int(fields[b"received_us"]) * MICROSECOND
    return SpoolEntry(name.decode(), fields[b"channel"].decode(), fields[b"body"], received_at)
