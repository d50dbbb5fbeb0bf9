"""How does a brand give money back? It asks, Stripe does it, and only then the claim changes (invariant I12).

One refund of a claim at a time: the next may be asked for when this one is done. All the money frees the
unit as the drop says; a part is noted, and the unit stays with its buyer.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from claimbot.core.claims import Claim, State
from claimbot.core.errors import Refused
from claimbot.core.money import Money, plain
from claimbot.core.outbox import NewRow, Priority, RowState, Work
from claimbot.core.payments import RefundPart
from claimbot.core.texts import TextKey
from claimbot.db import audit, claims, leads, outbox, progress
from claimbot.db.engine import Tx
from claimbot.flows.hints import Hints
from claimbot.flows.round import reply_row
from claimbot.flows.settle import give_money_back
from claimbot.flows.tell import tell
from claimbot.parts import Parts

OPEN = (RowState.READY, RowState.RUNNING, RowState.PARKED)


def ask_refund(parts: Parts, actor: str, claim_id: str, amount: Money | None) -> None:
    """Send `amount` back, or all that is left. Raises Refused."""
    now = parts.clock()

    def story(tx: Tx) -> Hints:
        hints = Hints(rings=True)
        claim = claims.lock_claim(tx, claim_id)
        if claim is None or claim.state is not State.SOLD:
            raise Refused(_why_not(claim))
        part = _part(claim, amount)
        facts = {"amount_minor": part.amount.minor} if part else {}
        audit.insert_line(tx, actor, "refund_asked", claim.id, now=now, brand_id=claim.brand_id, **facts)
        if not claim.payment_intent:
            # Free, or a promotion code left nothing to pay: there is only the unit to take back.
            _take_back(tx, now, claim, hints)
            return hints
        _refuse_second(tx, claim)
        outbox.insert_rows(tx, [_row(claim, part)], now)
        return hints

    tell(parts, parts.ledger.run(story))


def _why_not(claim: Claim | None) -> str:
    if claim is None:
        return "There is no such claim."
    words = {
        State.REFUNDED: "All the money of this claim is back with the buyer already.",
        State.REFUNDING: "The money of this claim is on its way back already.",
        State.DISPUTED: "The buyer's bank has taken this money back: answer the dispute in Stripe.",
        State.PENDING: "The payment is still on its way: wait until it has arrived.",
    }
    return words.get(claim.state, "Nothing was paid for this claim: there is no money to send back.")


def _part(claim: Claim, amount: Money | None) -> RefundPart | None:
    """None for all that is left."""
    left = Money(claim.paid_minor - claim.refunded_minor, claim.unit_price.currency)
    if amount is None or amount == left:
        return None
    if amount.currency != left.currency or not 0 < amount.minor < left.minor:
        raise Refused(f"An amount between zero and {plain(left)}, which is what is left of the payment.")
    return RefundPart(amount, claim.refunded_minor)


def _refuse_second(tx: Tx, claim: Claim) -> None:
    known = progress.list_progress(tx, [claim.id], [Work.REFUND])
    if any(row.state in OPEN for row in known):
        raise Refused("A refund of this claim is on its way already: wait until Stripe has done it.")
    whole = key_of(claim, None)
    if any(row.dedupe_key == whole for row in known):
        raise Refused("Stripe has refused to send this money back: do it in Stripe's dashboard.")


def key_of(claim: Claim, part: RefundPart | None) -> str:
    of_part = f":{part.already_minor}:{part.amount.minor}" if part else ""
    return f"refund:{claim.stripe_session_id}{of_part}"


def _row(claim: Claim, part: RefundPart | None) -> NewRow:
    of_part = {"amount_minor": part.amount.minor, "already_minor": part.already_minor} if part else {}
    return NewRow(
        kind=Work.REFUND,
        priority=Priority.MONEY,
        dedupe_key=key_of(claim, part),
        brand_id=claim.brand_id,
        payload={
            "session_id": claim.stripe_session_id,
            "payment_intent": claim.payment_intent,
            "currency": claim.unit_price.currency,
            "is_asked_for": True,
            **of_part,
        },
        claim_id=claim.id,
    )


def part_of(payload: Mapping[str, Any]) -> RefundPart | None:
    """What of the payment this row sends back; None for all of it."""
    if "amount_minor" not in payload:
        return None
    return RefundPart(Money(payload["amount_minor"], payload["currency"]), payload["already_minor"])


def note_refund(tx: Tx, now: datetime, claim: Claim, payload: Mapping[str, Any], hints: Hints) -> None:
    """Stripe has done it. Its own news of it may have come first, and then there is nothing left to note."""
    part = part_of(payload)
    if part is not None:
        refunded_minor = max(claim.refunded_minor, part.already_minor + part.amount.minor)
        claims.mark_values(tx, claim.id, refunded_minor=refunded_minor)
        _say(tx, now, claim, TextKey.PART_REFUNDED, part.amount)
        return
    back = Money(claim.paid_minor, claim.unit_price.currency)
    if claim.state in (State.SOLD, State.DISPUTED):
        give_money_back(tx, now, claim, back.minor, hints)
    _say(tx, now, claim, TextKey.REFUNDED, back)


def _take_back(tx: Tx, now: datetime, claim: Claim, hints: Hints) -> None:
    give_money_back(tx, now, claim, 0, hints)
    lead = leads.find_lead(tx, claim.lead_id)
    if lead is not None:
        outbox.insert_rows(tx, [reply_row(claim, lead, TextKey.CANCELLED, Priority.PAYMENT)], now)


def _say(tx: Tx, now: datetime, claim: Claim, text: TextKey, back: Money) -> None:
    lead = leads.find_lead(tx, claim.lead_id)
    if lead is None:
        return
    row = reply_row(claim, lead, text, Priority.PAYMENT, values={"total": plain(back)})
    # Several parts are several messages.
    key = f"{row.dedupe_key}:{claim.refunded_minor}"
    outbox.insert_rows(tx, [replace(row, dedupe_key=key)], now)
