"""Which units does the gate propose for these messages? One call for each drop; nothing is promised yet."""

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from claimbot.core.drops import DropKind
from claimbot.core.errors import Outside
from claimbot.core.intents import IntentKind
from claimbot.flows.hints import Hints
from claimbot.flows.reconcile import rebuild_gate
from claimbot.flows.round import Arrived
from claimbot.parts import Parts
from claimbot.stock.gate import Ask, Batch, Gate, GateNotReady, GiveBack, Proposal

log = logging.getLogger("claimbot.gate")

# One rebuild at a time in a process: the others wait for it and then ask again.
rebuild_lock = threading.Lock()


@dataclass
class Proposals:
    """What the gate said. An event without a proposal takes its unit straight from SQL."""

    by_event: dict[str, Proposal] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)
    """drop → epoch of its gate; a drop that is missing has no gate now."""
    askers: dict[str, tuple[str, str]] = field(default_factory=dict)
    """event key → (drop, follower key)."""
    unused: dict[tuple[str, str], GiveBack] = field(default_factory=dict)
    """(drop, follower key) → units that were newly proposed and that nobody has used so far."""

    def of(self, event_key: str) -> Proposal | None:
        return self.by_event.get(event_key)

    def use(self, event_key: str, units: Sequence[int]) -> None:
        """These units go to the ledger; what else was proposed to the follower goes back."""
        key = self.askers[event_key]
        back = self.unused.pop(key, None)
        rest = tuple(sorted(set(back.units) - set(units))) if back else ()
        if back and rest:
            self.unused[key] = GiveBack(back.follower_key, back.variant_id, rest)

    def for_one_run(self) -> "Proposals":
        """The same proposals; what one run of a transaction uses is unused again when it is run anew."""
        return replace(self, unused=dict(self.unused))

    def leave_to_others(self, event_keys: Iterable[str]) -> None:
        """These events were another delivery's after all, and so is what was proposed for them."""
        for event_key in event_keys:
            self.unused.pop(self.askers.get(event_key, ("", "")), None)

    def give_back_unused(self, hints: Hints) -> None:
        for (drop_id, _), back in self.unused.items():
            hints.free(drop_id, self.epochs[drop_id], back)

    def give_back_all(self, gate: Gate) -> None:
        hints = Hints()
        self.give_back_unused(hints)
        hints.tell(gate)


def propose(parts: Parts, fresh: Sequence[Arrived]) -> Proposals:
    """Ask the gate for everybody who wants a unit. Never raises: without a gate SQL decides alone."""
    wishes: dict[str, list[Arrived]] = {}
    for one in fresh:
        if one.intent.kind is IntentKind.CLAIM and one.drop.kind is not DropKind.LIST:
            wishes.setdefault(one.drop.id, []).append(one)
    found = Proposals()
    for drop_id, wanting in wishes.items():
        batch = _ask(parts, drop_id, [_ask_of(one) for one in wanting])
        if batch is not None:
            _note(found, drop_id, wanting, batch)
    return found


def _ask_of(one: Arrived) -> Ask:
    quantity = max(1, min(one.intent.quantity, one.drop.per_follower_limit))
    return Ask(one.follower_key, one.intent.variant_id, quantity, one.drop.is_partial_allowed)


def _reserve(parts: Parts, drop_id: str, asks: Sequence[Ask]) -> Batch:
    """By the database's time: line numbers that are given out without a gate are made of it, too."""
    return parts.gate.reserve(drop_id, asks, int(parts.clock().timestamp() * 1000))


def _ask(parts: Parts, drop_id: str, asks: Sequence[Ask]) -> Batch | None:
    try:
        return _reserve(parts, drop_id, asks)
    except GateNotReady:
        return _ask_after_rebuild(parts, drop_id, asks)
    except Outside as trouble:
        log.warning("gate_down %s", type(trouble).__name__)
        return None


def _ask_after_rebuild(parts: Parts, drop_id: str, asks: Sequence[Ask]) -> Batch | None:
    with rebuild_lock:
        try:
            return _reserve(parts, drop_id, asks)
        except GateNotReady:
            log.warning("gate_lost drop=%s", drop_id)
        except Outside:
            return None
        rebuild_gate(parts, drop_id)
    try:
        return _reserve(parts, drop_id, asks)
    except Outside:
        return None


def _note(found: Proposals, drop_id: str, wanting: Sequence[Arrived], batch: Batch) -> None:
    found.epochs[drop_id] = batch.epoch
    for one, proposal in zip(wanting, batch.proposals, strict=True):
        key = (drop_id, one.follower_key)
        found.by_event[one.event_key] = proposal
        found.askers[one.event_key] = key
        if proposal.word == "held":
            found.unused[key] = GiveBack(one.follower_key, proposal.variant_id, proposal.units)
