"""Does the gate still say what the ledger says? Rebuild it, or give back what leaked."""

import logging
from datetime import datetime

from claimbot.core.drops import DropState
from claimbot.core.errors import Outside
from claimbot.core.followers import follower_key
from claimbot.db import claims, drops, units
from claimbot.parts import Parts
from claimbot.stock.gate import GateSnapshot, GiveBack

log = logging.getLogger("claimbot.gate")

# A proposal that no transaction used by then was lost with its process.
PROPOSAL_MS = 60_000
REBUILD_TRIES = 3

# variant → its free units, as the ledger says
Free = dict[str, set[int]]


def rebuild_gate(parts: Parts, drop_id: str) -> bool:
    """Load the drop's gate from SQL under a new epoch. False when Redis does not answer."""
    try:
        for _ in range(REBUILD_TRIES):
            word = _rebuild(parts, drop_id)
            if word == "swapped" or (word == "stale" and not _catch_up(parts, drop_id)):
                return True
    except Outside as trouble:
        log.warning("gate_rebuild_failed drop=%s %s", drop_id, type(trouble).__name__)
    return False


def _rebuild(parts: Parts, drop_id: str) -> str:
    with parts.ledger.begin() as tx:
        epoch = drops.raise_epoch(tx, drop_id)
        drop = drops.find_drop(tx, drop_id)
        assert drop is not None  # its epoch was just raised
        free = {variant.id: units.list_free(tx, variant.id) for variant in drop.variants}
        holdings = claims.list_holdings(tx, drop_id)
        last_line = claims.highest_line(tx, drop_id)
    given = [
        (follower_key(one.account_id, one.external_id), one.variant_id, one.units, one.line)
        for one in holdings
    ]
    word = parts.gate.rebuild(drop_id, epoch, free, given, last_line)
    log.info("gate_rebuilt drop=%s epoch=%d units=%d %s", drop_id, epoch, sum(map(len, free.values())), word)
    return word


def _catch_up(parts: Parts, drop_id: str) -> bool:
    """Is the gate ahead of the ledger itself? So it is after the restore of a backup: count on from there."""
    seen = parts.gate.snapshot(drop_id)
    if seen is None:
        return True
    with parts.ledger.begin() as tx:
        return drops.raise_epoch_to(tx, drop_id, seen.epoch)


def check_gate(parts: Parts, drop_id: str, now: datetime) -> str:
    """Compare the gate with the ledger: `same`, `mended` (leaked units given back) or `rebuilt`.

    The ledger is read before the gate: what is proposed in between is seen as a fresh proposal.
    Raises StockUnavailable when Redis does not answer.
    """
    with parts.ledger.reading() as tx:
        drop = drops.find_drop(tx, drop_id)
        assert drop is not None  # drops are never deleted
        free = {variant.id: set(units.list_free(tx, variant.id)) for variant in drop.variants}
    seen = parts.gate.snapshot(drop_id)
    if seen is None or seen.epoch != drop.gate_epoch or _has_too_much(parts, seen, free):
        rebuild_gate(parts, drop_id)
        return "rebuilt"
    return "mended" if _give_back_leaked(parts, drop_id, seen, free, now) else "same"


def _has_too_much(parts: Parts, seen: GateSnapshot, free: Free) -> bool:
    """Does the gate offer units that are taken? A unit freed since the first look is asked for again."""
    suspects = {name: set(numbers) - free.get(name, set()) for name, numbers in seen.free.items()}
    with parts.ledger.reading() as tx:
        return any(found - set(units.list_free(tx, name)) for name, found in suspects.items() if found)


def _give_back_leaked(parts: Parts, drop_id: str, seen: GateSnapshot, free: Free, now: datetime) -> bool:
    now_ms = int(now.timestamp() * 1000)
    lost = {name: numbers - seen.free.get(name, frozenset()) for name, numbers in free.items()}
    backs = []
    for key, (variant_id, _, at_ms, numbers) in seen.given.items():
        is_fresh = now_ms - at_ms < PROPOSAL_MS
        leaked = tuple(number for number in numbers if number in lost.get(variant_id, set()))
        if leaked and not is_fresh:
            backs.append(GiveBack(key, variant_id, leaked))
        lost.get(variant_id, set()).difference_update(numbers)
    parts.gate.release(drop_id, seen.epoch, backs)
    for name, missing in lost.items():
        parts.gate.restock(drop_id, seen.epoch, name, sorted(missing))
    return bool(backs) or any(lost.values())


def check_gates(parts: Parts, now: datetime) -> dict[str, str]:
    """check_gate for every drop that takes claims; drop → word."""
    with parts.ledger.reading() as tx:
        live = [drop.id for drop in drops.list_drops(tx) if drop.state is DropState.OPEN]
    return {drop_id: check_gate(parts, drop_id, now) for drop_id in live}
