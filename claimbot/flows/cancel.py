"""How does a brand take back a claim that was not paid? As every hold ends: Stripe first, then the next."""

from datetime import datetime

from claimbot.core.claims import Claim, Event, State
from claimbot.core.errors import Refused
from claimbot.core.outbox import Priority
from claimbot.core.texts import TextKey
from claimbot.db import audit, claims, leads, outbox
from claimbot.db.engine import Tx
from claimbot.flows.hints import Hints
from claimbot.flows.release import end_claim
from claimbot.flows.round import reply_row
from claimbot.flows.tell import tell
from claimbot.parts import Parts

WHY_NOT = {
    State.EXPIRING: "This hold is ending already.",
    State.PENDING: "A payment is on its way: wait for it, then send the money back.",
    State.SOLD: "This claim is paid: send the money back instead.",
    State.GRANTED: "A place on an early-access list takes nothing from anybody: it stays.",
}


# What the audit calls it.
CANCELLED = "claim_cancelled"
NOTE_CHARS_MOST = 200


def cancel_claim(parts: Parts, actor: str, claim_id: str, note: str = "") -> None:
    """`note` is for the team alone. Raises Refused when there is nothing to take back, or it is too long."""
    now = parts.clock()
    if len(note) > NOTE_CHARS_MOST:
        raise Refused(f"Say why in at most {NOTE_CHARS_MOST} characters.")

    def story(tx: Tx) -> Hints:
        hints = Hints()
        claim = claims.lock_claim(tx, claim_id)
        if claim is None or claim.state not in (State.WAITLISTED, State.HELD):
            raise Refused(WHY_NOT.get(claim.state, "This claim has ended.") if claim else "No such claim.")
        audit.insert_line(tx, actor, CANCELLED, claim.id, now=now, brand_id=claim.brand_id)
        if note:
            claims.mark_values(tx, claim.id, cancel_note=note)
        end_claim(tx, now, claim, Event.CANCEL, hints)
        if claim.state is State.WAITLISTED:
            _tell_them(tx, now, claim, hints)
        return hints

    tell(parts, parts.ledger.run(story))


def _tell_them(tx: Tx, now: datetime, claim: Claim, hints: Hints) -> None:
    """Who held a unit is told when the hold has ended; who waited, now."""
    lead = leads.find_lead(tx, claim.lead_id)
    if lead is not None:
        row = reply_row(claim, lead, TextKey.LINE_LEFT, Priority.PAYMENT)
        outbox.insert_rows(tx, [row], now)
        hints.rings = True
