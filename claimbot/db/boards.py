"""How does a drop stand? Counts and the latest messages, cheap enough to be asked every two seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from claimbot.core.claims import State
from claimbot.db.tables import claims, inbox, keywords, leads, units, variants
from claimbot.db.units import StockCount


@dataclass(frozen=True, slots=True)
class Event:
    """A message about a drop, and how it ended."""

    received_at: datetime
    lead_id: str | None
    username: str
    name: str
    outcome: str
    reason: str
    keyword: str
    claim_id: str | None
    place: int | None
    quantity: int | None
    state: State | None
    """Of the claim that it led to, as it is now."""


def count_claims(tx: Connection, drop_ids: Sequence[str]) -> dict[tuple[str, State], tuple[int, int]]:
    """(variant, state) → claims and the units they are about."""
    query = select(claims.c.variant_id, claims.c.state, func.count(), func.sum(claims.c.quantity))
    counted = query.where(claims.c.drop_id.in_(drop_ids)).group_by(claims.c.variant_id, claims.c.state)
    return {(row[0], State(row[1])): (int(row[2]), int(row[3])) for row in tx.execute(counted)}


def count_units(tx: Connection, drop_ids: Sequence[str]) -> dict[str, StockCount]:
    """variant → its units by what became of them."""
    is_taken = units.c.claim_id.is_not(None)
    counted = (
        select(units.c.variant_id, units.c.state, is_taken, func.count())
        .join(variants, variants.c.id == units.c.variant_id)
        .where(variants.c.drop_id.in_(drop_ids))
        .group_by(units.c.variant_id, units.c.state, is_taken)
    )
    found: dict[str, dict[tuple[str, bool], int]] = {}
    for variant_id, state, taken, count in tx.execute(counted):
        found.setdefault(variant_id, {})[state, bool(taken)] = int(count)
    return {variant_id: _stock(counts) for variant_id, counts in found.items()}


def _stock(counts: dict[tuple[str, bool], int]) -> StockCount:
    taken, free = counts.get(("open", True), 0), counts.get(("open", False), 0)
    return StockCount(taken + free, taken, free, counts.get(("retired", False), 0))


def list_words(tx: Connection, drop_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """drop → its keywords as the brand wrote them."""
    query = select(keywords.c.drop_id, keywords.c.word).where(keywords.c.drop_id.in_(drop_ids))
    found: dict[str, tuple[str, ...]] = {}
    for drop_id, word in tx.execute(query.order_by(keywords.c.id)):
        found[drop_id] = (*found.get(drop_id, ()), word)
    return found


def list_events(tx: Connection, drop_id: str, most: int) -> list[Event]:
    """The latest messages about the drop, the newest first."""
    said = (
        select(inbox.c.received_at, inbox.c.lead_id, leads.c.username, leads.c.name)
        .add_columns(inbox.c.outcome, inbox.c.reason, inbox.c.keyword, inbox.c.claim_id)
        .add_columns(claims.c.place, claims.c.quantity, claims.c.state)
        .outerjoin(leads, leads.c.id == inbox.c.lead_id)
        .outerjoin(claims, claims.c.id == inbox.c.claim_id)
        .where(inbox.c.drop_id == drop_id)
        .order_by(inbox.c.received_at.desc(), inbox.c.event_key)
        .limit(most)
    )
    return [
        Event(
            received_at=row.received_at,
            lead_id=row.lead_id,
            username=row.username or "",
            name=row.name or "",
            outcome=row.outcome,
            reason=row.reason,
            keyword=row.keyword,
            claim_id=row.claim_id,
            place=row.place or None,
            quantity=row.quantity,
            state=State(row.state) if row.state else None,
        )
        for row in tx.execute(said)
    ]
