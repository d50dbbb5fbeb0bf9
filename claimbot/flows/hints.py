"""What should the gate hear after a commit? SQL has the last word; a lost hint is found again."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from claimbot.core.errors import Outside
from claimbot.core.followers import follower_key
from claimbot.db.engine import Tx
from claimbot.db.leads import find_lead
from claimbot.stock.gate import Gate, GiveBack, Move

log = logging.getLogger("claimbot.gate")


def gate_key(tx: Tx, lead_id: str) -> str:
    """How the gate knows this lead; empty once they are erased."""
    lead = find_lead(tx, lead_id)
    return follower_key(lead.account_id, lead.external_id) if lead else ""


@dataclass
class Hints:
    """Collected in a transaction, told after its commit, thrown away with its rollback."""

    freed: list[tuple[str, int, GiveBack]] = field(default_factory=list)
    moved: list[tuple[str, int, Move]] = field(default_factory=list)
    restocked: list[tuple[str, int, str, tuple[int, ...]]] = field(default_factory=list)
    forgotten: list[tuple[str, str]] = field(default_factory=list)
    stale_drops: set[str] = field(default_factory=set)
    rings: bool = False

    def free(self, drop_id: str, epoch: int, back: GiveBack) -> None:
        """These units belong to nobody; the follower's entry in the gate goes."""
        if back.units:
            self.freed.append((drop_id, epoch, back))

    def move(self, drop_id: str, epoch: int, move: Move) -> None:
        """These units went straight from one follower to the next in line."""
        if move.units:
            self.moved.append((drop_id, epoch, move))

    def restock(self, drop_id: str, epoch: int, variant_id: str, units: Sequence[int]) -> None:
        if units:
            self.restocked.append((drop_id, epoch, variant_id, tuple(units)))

    def forget(self, drop_id: str, key: str) -> None:
        """The follower's word may make a new claim from now on; their units stay theirs."""
        self.forgotten.append((drop_id, key))

    def tell(self, gate: Gate) -> None:
        try:
            self._tell(gate)
        except Outside as trouble:
            log.warning("hint_lost %s", type(trouble).__name__)

    def _tell(self, gate: Gate) -> None:
        for drop_id, key in self.forgotten:
            gate.forget(drop_id, [key])
        for drop_id, epoch, move in self.moved:
            gate.assign(drop_id, epoch, move)
        for drop_id, epoch, back in self.freed:
            gate.release(drop_id, epoch, [back])
            gate.restock(drop_id, epoch, back.variant_id, back.units)
        for drop_id, epoch, variant_id, units in self.restocked:
            gate.restock(drop_id, epoch, variant_id, units)
