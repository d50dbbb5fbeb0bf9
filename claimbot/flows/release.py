"""How does a claim end without a sale? Its units go to the next in line, in the same transaction."""

from datetime import datetime

from claimbot.core.claims import ENDING, WITH_UNIT, Claim, Event, State, advance
from claimbot.core.outbox import NewRow, Priority, Work
from claimbot.core.texts import TextKey
from claimbot.db import checkouts, claims, drops, leads, outbox, units
from claimbot.db.engine import Tx
from claimbot.failpoints import fp
from claimbot.flows.announce import announce
from claimbot.flows.hints import Hints, gate_key
from claimbot.flows.promote import ComeBack, promote_free
from claimbot.flows.round import reply_row
from claimbot.stock.gate import GiveBack


def end_claim(tx: Tx, now: datetime, claim: Claim, event: Event, hints: Hints) -> bool:
    """Begin the end of a claim (`event`: its time ran out, PASS, unreachable, cancelled).

    Somebody in line just leaves it. A hold becomes `expiring`: its unit stays taken until no session can
    be paid any more. Without a session that is now; otherwise Stripe is asked first.
    False when the claim had moved on meanwhile.
    """
    state = advance(claim.state, event)
    values = {"ended_reason": event.value}
    if state is not State.EXPIRING:
        has_left = claims.mark_state(tx, claim, state, ended_at=now, **values)
        announce(tx, now, claim.brand_id, [claim.id] if has_left else [])
        return has_left
    if not claims.mark_state(tx, claim, state, **values):
        return False
    outbox.drop_waiting_offer(tx, claim.id, event.value, now)
    if checkouts.find_latest(tx, claim.id) is None:
        expiring = claims.lock_claim(tx, claim.id)
        assert expiring is not None  # it was just changed
        return finish_end(tx, now, expiring, hints)
    outbox.insert_rows(tx, [expire_row(claim)], now)
    hints.rings = True
    return True


def expire_row(claim: Claim) -> NewRow:
    """Ask Stripe to end the session of this claim."""
    return NewRow(
        kind=Work.EXPIRE,
        priority=Priority.MONEY,
        dedupe_key=f"expire:{claim.id}",
        brand_id=claim.brand_id,
        payload={},
        claim_id=claim.id,
    )


def finish_end(tx: Tx, now: datetime, claim: Claim, hints: Hints) -> bool:
    """No session of this claim can be paid any more: it ends, and its units go on."""
    event = ENDING.get(claim.ended_reason, Event.ENDED_EXPIRED)
    return release(tx, now, claim, event, hints)


def release(tx: Tx, now: datetime, claim: Claim, event: Event, hints: Hints) -> bool:
    """End the claim by `event`; its units go to the line, and what is left over to the gate."""
    state = advance(claim.state, event)
    if not claims.mark_state(tx, claim, state, ended_at=now):
        return False
    announce(tx, now, claim.brand_id, [claim.id])
    hand_on(tx, now, claim, hints)
    fp("release.handed_on")
    _tell_the_end(tx, now, claim, state)
    hints.rings = True
    return True


def hand_on(tx: Tx, now: datetime, claim: Claim, hints: Hints) -> None:
    """Take the claim's units away: first the line, then everybody."""
    assert claim.state in WITH_UNIT
    freed = tuple(units.free_units(tx, [claim.id]))
    drop = drops.find_drop(tx, claim.drop_id)
    assert drop is not None  # a claim's drop is never deleted
    used = promote_free(tx, now, ComeBack(drop, claim.variant_id, freed), hints)
    key = gate_key(tx, claim.lead_id)
    left = tuple(number for number in freed if number not in used)
    hints.forget(drop.id, key)
    hints.free(drop.id, drop.gate_epoch, GiveBack(key, claim.variant_id, left))


END_TEXTS = {State.EXPIRED: TextKey.HOLD_ENDED, State.CANCELLED: TextKey.CANCELLED}


def _tell_the_end(tx: Tx, now: datetime, claim: Claim, state: State) -> None:
    """Who passed knows already; who cannot be reached cannot be told."""
    text = END_TEXTS.get(state)
    lead = leads.find_lead(tx, claim.lead_id)
    if text is None or lead is None:
        return
    if claim.state is State.PENDING:
        text = TextKey.PAYMENT_FAILED
    outbox.insert_rows(tx, [reply_row(claim, lead, text, Priority.PAYMENT)], now)
