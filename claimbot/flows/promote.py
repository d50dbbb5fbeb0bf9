"""Who is next when a unit comes back? The first reachable person in line, in the same transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from claimbot.core.claims import Claim, Event, advance
from claimbot.core.drops import Drop, DropKind, Phase, phase
from claimbot.core.followers import WINDOW_MARGIN, follower_key
from claimbot.core.outbox import NewRow, Priority, Work
from claimbot.core.texts import TextKey
from claimbot.db import claims, leads, outbox, units
from claimbot.db.engine import Tx
from claimbot.flows.announce import announce
from claimbot.flows.hints import Hints
from claimbot.stock.gate import Move


@dataclass(frozen=True, slots=True)
class ComeBack:
    """Free units of a variant. `only` names those that nobody else is being offered; None means all."""

    drop: Drop
    variant_id: str
    only: Collection[int] | None
    from_key: str = ""
    """As whose the gate knows these units; empty when they are nobody's there."""


def promote_free(tx: Tx, now: datetime, come_back: ComeBack, hints: Hints) -> list[int]:
    """Give units that came back to the line, in order; returns the numbers that found somebody.

    Stops at the first person who would have to wait for more units than are free. Does nothing while
    the drop takes no claims: an offer after the end would be a lie.
    """
    drop, variant_id = come_back.drop, come_back.variant_id
    used: list[int] = []
    if phase(drop, now) is not Phase.OPEN:
        return used
    while (first := claims.find_first_waiting(tx, variant_id, now + WINDOW_MARGIN)) is not None:
        numbers = units.take_any(tx, first.id, variant_id, first.quantity, come_back.only)
        is_enough = len(numbers) == first.quantity or (numbers and drop.is_partial_allowed)
        if not is_enough:
            units.free_units(tx, [first.id])
            break
        _promote(tx, now, Promotion(drop, first, numbers, come_back.from_key), hints)
        used += numbers
    return used


@dataclass(frozen=True, slots=True)
class Promotion:
    drop: Drop
    first: Claim
    units: tuple[int, ...]
    from_key: str


def _promote(tx: Tx, now: datetime, promotion: Promotion, hints: Hints) -> None:
    drop, first, numbers = promotion.drop, promotion.first, promotion.units
    state = advance(first.state, Event.PROMOTE)
    is_free = drop.kind is DropKind.FREE
    values = {"quantity": len(numbers), "place": numbers[0], "promoted_at": now}
    if is_free:
        state, values = advance(state, Event.GIVEN), {**values, "paid_at": now}
    claims.mark_state(tx, first, state, **values)
    announce(tx, now, first.brand_id, [first.id])
    lead = leads.find_lead(tx, first.lead_id)
    assert lead is not None  # the query that found the claim joined it
    text = TextKey.FREE_GIVEN if is_free else TextKey.PROMOTED
    row = NewRow(
        kind=Work.REPLY if is_free else Work.OFFER,
        priority=Priority.PROMOTED,
        dedupe_key=f"promoted:{first.id}",
        brand_id=first.brand_id,
        payload={"text": text.value, "drop_id": drop.id, "values": {"place": str(numbers[0])}},
        account_id=lead.account_id,
        lead_id=lead.id,
        claim_id=first.id,
    )
    outbox.insert_rows(tx, [row], now)
    key = follower_key(lead.account_id, lead.external_id)
    hints.move(drop.id, drop.gate_epoch, Move(key, first.variant_id, numbers, first.line, promotion.from_key))
    hints.rings = True
