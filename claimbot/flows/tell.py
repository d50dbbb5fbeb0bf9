"""What happens right after a commit? The gate hears what changed, and the workers are woken up."""

from claimbot.failpoints import fp
from claimbot.flows.hints import Hints
from claimbot.flows.reconcile import rebuild_gate
from claimbot.parts import Parts


def tell(parts: Parts, hints: Hints) -> None:
    """Never raises for Redis: a lost hint is found by the next look at the gate."""
    fp("tell")
    hints.tell(parts.gate)
    for drop_id in sorted(hints.stale_drops):
        rebuild_gate(parts, drop_id)
    if hints.rings:
        parts.bell.ring()
