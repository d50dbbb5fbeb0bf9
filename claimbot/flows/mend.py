"""What does an operator mend by hand? Gates, what Stripe knows and we do not, work that was parked."""

from dataclasses import dataclass

from claimbot.core.drops import DropState
from claimbot.core.errors import Refused
from claimbot.core.outbox import Work
from claimbot.db import alerts, audit, brands, drops, leads, outbox
from claimbot.db.engine import Tx
from claimbot.flows.poll import ask_about_overdue, ask_for_events
from claimbot.flows.reconcile import rebuild_gate
from claimbot.parts import Parts

# What waits for a brand's Stripe key.
PAYMENT_WORK = (Work.EXPIRE, Work.REFUND)


@dataclass(frozen=True, slots=True)
class Mended:
    """How much of what was found."""

    gates: int
    silent_gates: int
    sessions: int
    events: int
    unparked: int


def mend(parts: Parts) -> Mended:
    """May be repeated, also while followers write. A wrong key parks its work again."""
    with parts.ledger.reading() as tx:
        live = [drop.id for drop in drops.list_drops(tx) if drop.state is DropState.OPEN]
    rebuilt = [rebuild_gate(parts, drop_id) for drop_id in live]
    unparked = parts.ledger.run(lambda tx: _unpark(parts, tx))
    parts.bell.ring()
    return Mended(
        gates=sum(rebuilt),
        silent_gates=len(rebuilt) - sum(rebuilt),
        sessions=ask_about_overdue(parts),
        events=ask_for_events(parts),
        unparked=unparked,
    )


def _unpark(parts: Parts, tx: Tx) -> int:
    now = parts.clock()
    all_brands = brands.list_brands(tx)
    for brand in all_brands:
        alerts.clear_alert(tx, "stripe", brand.id, now)
    return sum(outbox.unpark_brand_work(tx, brand.id, PAYMENT_WORK, now) for brand in all_brands)


def resume_lead(parts: Parts, actor: str, lead_id: str) -> None:
    """A person has answered: the machine answers this lead again. Raises Refused."""
    now = parts.clock()

    def story(tx: Tx) -> None:
        lead = leads.find_lead(tx, lead_id)
        if lead is None:
            raise Refused("There is no such lead; look for it with: claimbot export leads")
        leads.mark_lead(tx, lead.id, {"human_until": None})
        audit.insert_line(tx, actor, "lead_resumed", lead.id, now=now, brand_id=lead.brand_id)

    parts.ledger.run(story)
