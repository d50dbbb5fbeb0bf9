"""Who is proposed which unit, in which order?

The gate proposes, SQL disposes: whatever this room answers may be wrong or lost without harm, because a claim
takes its unit with a conditional update. Each verb is one script (`lua/<verb>.lua`) and one round trip.

`StockUnavailable` means Redis did not answer (take units from SQL); `GateNotReady` means that it has lost
this drop, or never had it (rebuild it from SQL and ask again).
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

from claimbot.core.errors import Ours, Outside
from claimbot.stock import keys
from claimbot.stock.breaker import Breaker
from claimbot.stock.calls import Calls, Client

# One script call holds Redis for all its asks; a POST of a platform has at most 1,000 events.
MOST_ASKS = 2_000
# Lua passes found members on as arguments, of which it takes some 8,000.
MOST_UNITS = 1_000
# Loading in small bites lets the asks of a running sale pass between them.
LOAD_CHUNK = 2_000
# A rebuild takes well under a second; what a crashed one left behind ends by itself.
LOAD_ENDS_SECONDS = 60

T = TypeVar("T")
Grant = tuple[str, str, Sequence[int], int]  # follower_key, variant_id, units, line
Given = tuple[str, int, int, tuple[int, ...]]  # variant_id, line, at_ms, units


class GateNotReady(Outside):
    """Redis answers, but has no gate for this drop: rebuild it from SQL."""


@dataclass(frozen=True)
class Ask:
    """`partial`: fewer units than `quantity` are welcome."""

    follower_key: str
    variant_id: str
    quantity: int
    partial: bool


@dataclass(frozen=True)
class Proposal:
    """`already`: what was proposed before, whatever was asked now. `full`: no units, a place in line."""

    word: Literal["held", "already", "full"]
    line: int
    units: tuple[int, ...]
    variant_id: str


@dataclass(frozen=True)
class Batch:
    """The proposals stand in the order of the asks."""

    epoch: int
    proposals: tuple[Proposal, ...]


@dataclass(frozen=True)
class GiveBack:
    follower_key: str
    variant_id: str
    units: tuple[int, ...]


@dataclass(frozen=True)
class Move:
    """`from_key`: the follower (or `Taken.held_by`) whose units they were; empty when they were nobody's."""

    follower_key: str
    variant_id: str
    units: tuple[int, ...]
    line: int
    from_key: str = ""


@dataclass(frozen=True)
class Taken:
    """Units set aside for the waitlist; `held_by` names them in `assign`, `release` and the snapshot."""

    epoch: int
    units: tuple[int, ...]
    held_by: str


@dataclass(frozen=True)
class GateSnapshot:
    epoch: int
    line: int
    free: dict[str, frozenset[int]]
    given: dict[str, Given]


class Gate:
    def __init__(self, client: Client, breaker: Breaker | None = None) -> None:
        self._calls = Calls(client, breaker)

    def reserve(self, drop_id: str, asks: Sequence[Ask], now_ms: int | None = None) -> Batch:
        """One call for all asks. `now_ms` None: the server's clock. Raises GateNotReady."""
        if not 0 < len(asks) <= MOST_ASKS:
            raise Ours("a call of the gate carries one to 2,000 asks")
        args = [part for ask in asks for part in _ask_args(ask)]
        word, *rest = self._script("reserve", drop_id, _clock(now_ms), *args)
        if word == "not_ready":
            raise GateNotReady("the gate of this drop must be rebuilt")
        return Batch(rest[0], tuple(_proposal(entry) for entry in rest[1:]))

    def release(self, drop_id: str, epoch: int, releases: Sequence[GiveBack]) -> tuple[str, ...]:
        """One word each: `released`, `unknown` (does not hold them), or `stale` (another epoch)."""
        if not releases:
            return ()
        groups = (
            (back.follower_key, keys.checked_id(back.variant_id), _pack(back.units)) for back in releases
        )
        word, *words = self._script("release", drop_id, epoch, *(part for group in groups for part in group))
        return ("stale",) * len(releases) if word == "stale" else tuple(one.decode() for one in words)

    def forget(self, drop_id: str, follower_keys: Sequence[str]) -> int:
        """Drops entries without freeing their units (sold, or moved on); how many there were."""
        if not follower_keys:
            return 0
        with self._calls.guard():
            return self._calls.client.hdel(keys.of_drop(drop_id).given, *follower_keys)

    def assign(self, drop_id: str, epoch: int, move: Move) -> str:
        """Moves units to a follower: `assigned`, `already` (has others), `taken` (by another), `stale`."""
        who, what = keys.checked_follower(move.follower_key), keys.checked_id(move.variant_id)
        args = (who, what, _pack(move.units), move.line, move.from_key)
        return cast(str, self._script("assign", drop_id, epoch, *args)[0])

    def take(self, drop_id: str, variant_id: str, most: int, now_ms: int | None = None) -> Taken:
        """Sets up to `most` free units aside for the waitlist. Not repeatable: each call takes more."""
        what = keys.checked_id(variant_id)
        word, *rest = self._script("take", drop_id, _clock(now_ms), what, _checked_quantity(most))
        if word == "not_ready":
            raise GateNotReady("the gate of this drop must be rebuilt")
        if word == "none":
            return Taken(rest[0], (), "")
        return Taken(rest[0], tuple(rest[2:]), rest[1].decode())

    def restock(self, drop_id: str, epoch: int, variant_id: str, units: Sequence[int]) -> str:
        """Makes new or returned units free unless somebody has them: `restocked` or `stale`."""
        word = "restocked"
        for part in _chunks(sorted(set(units)), LOAD_CHUNK):
            word = self._script("restock", drop_id, epoch, keys.checked_id(variant_id), *part)[0]
        return word

    def rebuild(
        self,
        drop_id: str,
        epoch: int,
        free: Mapping[str, Sequence[int]],
        given: Sequence[Grant],
        last_line: int,
    ) -> str:
        """Loads beside the running gate, then swaps: `swapped`, `stale` (a later epoch is there) or `torn`
        (Redis was wiped meanwhile: try again)."""
        token = secrets.token_hex(8)
        next_free, next_given = keys.of_load(drop_id, token)
        members = {_member(variant_id, unit): 0 for variant_id, units in free.items() for unit in units}
        entries = {keys.checked_follower(grant[0]): _entry(grant) for grant in given}
        client = self._calls.client
        with self._calls.guard():
            for names in _chunks(list(members), LOAD_CHUNK):
                client.zadd(next_free, dict.fromkeys(names, 0))
                client.expire(next_free, LOAD_ENDS_SECONDS)
            for fields in _chunks(list(entries.items()), LOAD_CHUNK):
                client.hset(next_given, mapping=dict(fields))
                client.expire(next_given, LOAD_ENDS_SECONDS)
        live = keys.of_drop(drop_id)
        all_keys = (live.free, live.given, live.meta, next_free, next_given)
        args = (epoch, last_line, len(members), len(entries), token)
        return cast(str, self._calls.script("swap", all_keys, args)[0])

    def snapshot(self, drop_id: str) -> GateSnapshot | None:
        """Everything the gate believes at one moment; None when the drop is not loaded."""
        word, *rest = self._script("snapshot", drop_id)
        if word == "absent":
            return None
        epoch, line, members, fields = rest
        free: dict[str, set[int]] = {}
        for member in members:
            variant_id, _, unit = member.decode().rpartition(":")
            free.setdefault(variant_id, set()).add(int(unit))
        given = {name.decode(): _given(value) for name, value in zip(fields[::2], fields[1::2], strict=True)}
        return GateSnapshot(epoch, line, {name: frozenset(units) for name, units in free.items()}, given)

    def drop_keys(self, drop_id: str) -> None:
        """Removes the drop from Redis; the next reserve raises GateNotReady."""
        live = keys.of_drop(drop_id)
        with self._calls.guard():
            self._calls.client.unlink(live.free, live.given, live.meta)

    def _script(self, verb: str, drop_id: str, *args: str | int) -> list[Any]:
        live = keys.of_drop(drop_id)
        return self._calls.script(verb, (live.free, live.given, live.meta), args)


def _clock(now_ms: int | None) -> str | int:
    return "" if now_ms is None else now_ms


def _ask_args(ask: Ask) -> tuple[str, str, int, int]:
    who, what = keys.checked_follower(ask.follower_key), keys.checked_id(ask.variant_id)
    return who, what, _checked_quantity(ask.quantity), int(ask.partial)


def _checked_quantity(quantity: int) -> int:
    if not 0 < quantity <= MOST_UNITS:
        raise Ours("one to 1,000 units can be asked for at once")
    return quantity


def _proposal(entry: list[Any]) -> Proposal:
    word, line, variant_id, *units = entry
    return Proposal(cast(Any, word.decode()), line, tuple(units), variant_id.decode())


def _pack(units: Iterable[int]) -> str:
    packed = ",".join(str(unit) for unit in sorted(units))
    if not packed:
        raise Ours("the gate was told of no units at all")
    return packed


def _member(variant_id: str, unit: int) -> str:
    return f"{keys.checked_id(variant_id)}:{unit:08d}"


def _entry(grant: Grant) -> str:
    _, variant_id, units, line = grant
    # A line number is the milliseconds at which it was handed out, times 1,000.
    return f"{keys.checked_id(variant_id)}|{line}|{line // 1000}|{_pack(units)}"


def _given(value: bytes) -> Given:
    variant_id, line, at_ms, units = value.decode().split("|")
    return variant_id, int(line), int(at_ms), tuple(int(unit) for unit in units.split(","))


def _chunks(rows: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))
