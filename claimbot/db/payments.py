"""Which payment events did we hear, and what did each lead to?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from claimbot.db.engine import changed
from claimbot.db.tables import payment_events


@dataclass(frozen=True, slots=True)
class Heard:
    """A signed event as it came. `object_id` tells one fact from the next of the same type."""

    event_id: str
    brand_id: str
    type: str
    object_id: str
    payload: str


def insert_new(tx: Connection, heard: Heard, now: datetime) -> bool:
    """Write the event down; False when it, or another event about the same fact, is known."""
    dialect: Any = postgresql if tx.dialect.name == "postgresql" else sqlite
    made = dialect.insert(payment_events).values(
        event_id=heard.event_id,
        brand_id=heard.brand_id,
        type=heard.type,
        object_id=heard.object_id,
        payload=heard.payload,
        received_at=now,
    )
    return tx.execute(made.on_conflict_do_nothing().returning(payment_events.c.event_id)).first() is not None


def find_known_ids(tx: Connection, event_ids: Sequence[str]) -> set[str]:
    known = select(payment_events.c.event_id).where(payment_events.c.event_id.in_(event_ids))
    return set(tx.execute(known).scalars())


def mark_ended(tx: Connection, event_id: str, outcome: str, reason: str, claim_id: str | None) -> None:
    """`outcome` is applied, ignored, or review (kept for a person to look at, nothing sold)."""
    ended = update(payment_events).where(payment_events.c.event_id == event_id)
    tx.execute(ended.values(outcome=outcome, reason=reason, claim_id=claim_id))


def forget_payload(tx: Connection, event_id: str) -> None:
    """What happened stays; the event's own words go."""
    tx.execute(update(payment_events).where(payment_events.c.event_id == event_id).values(payload=""))


def list_reviews(tx: Connection, brand_id: str) -> list[tuple[str, str, str]]:
    """(event id, type, reason) of everything that waits for a person."""
    query = select(payment_events.c.event_id, payment_events.c.type, payment_events.c.reason)
    rows = tx.execute(
        query.where(payment_events.c.brand_id == brand_id, payment_events.c.outcome == "review")
    )
    return [(row[0], row[1], row[2]) for row in rows]


def purge_payloads(tx: Connection, before: datetime) -> int:
    """Events as Stripe sent them name the buyer; they are kept for a few days only."""
    old = update(payment_events).where(payment_events.c.received_at < before, payment_events.c.payload != "")
    return changed(tx.execute(old.values(payload="")))
