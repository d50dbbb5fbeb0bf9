"""What happened between a brand and one person? Every word, reply, claim and payment, each bounded."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from claimbot.core.drops import ONLY_CODE
from claimbot.core.outbox import Work
from claimbot.db.tables import accounts, claims, drops, inbox, leads, outbox, payment_events, variants

# So many of each kind are shown, the latest; nobody reads more, and no page grows without end.
LATEST = 100


@dataclass(frozen=True, slots=True)
class Person:
    """A lead as their own page shows them."""

    id: str
    brand_id: str
    channel: str
    username: str
    name: str
    email: str
    phone: str
    note: str
    source: str
    tags: tuple[str, ...]
    consent_marketing: bool | None
    consent_at: datetime | None
    first_seen_at: datetime
    last_seen_at: datetime
    opted_out_at: datetime | None
    human_until: datetime | None
    window_expires_at: datetime | None
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class Word:
    """A message of theirs."""

    at: datetime
    kind: str
    text: str
    source: str
    outcome: str
    reason: str
    drop: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A message of ours. `text` is empty until it was written for sending."""

    at: datetime
    done_at: datetime | None
    kind: str
    occasion: str
    text: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim of theirs."""

    id: str
    drop: str
    drop_id: str
    variant: str
    """Its name, else its code; empty where the drop has only one."""
    state: str
    quantity: int
    place: int
    created_at: datetime
    promoted_at: datetime | None
    told_at: datetime | None
    hold_expires_at: datetime | None
    ended_at: datetime | None
    ended_reason: str
    cancel_note: str
    paid_at: datetime | None
    paid_minor: int
    refunded_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Payment:
    """What Stripe told us about a claim of theirs."""

    at: datetime
    type: str
    outcome: str
    reason: str


def find_person(tx: Connection, lead_id: str) -> Person | None:
    query = select(leads, accounts.c.channel).join(accounts, accounts.c.id == leads.c.account_id)
    row = tx.execute(query.where(leads.c.id == lead_id)).first()
    return _read(Person, {**row._mapping, "tags": tuple(row.tags)}) if row else None


def list_words(tx: Connection, lead_id: str) -> list[Word]:
    query = select(inbox, drops.c.name.label("drop")).outerjoin(drops, drops.c.id == inbox.c.drop_id)
    found = query.where(inbox.c.lead_id == lead_id).order_by(inbox.c.received_at.desc()).limit(LATEST)
    rows = [row._mapping for row in tx.execute(found)]
    return [_read(Word, {**row, "at": row["received_at"], "drop": row["drop"] or ""}) for row in rows]


def list_replies(tx: Connection, lead_id: str) -> list[Reply]:
    kinds = [Work.OFFER.value, Work.REPLY.value, Work.PERSONAL.value]
    query = select(outbox).where(outbox.c.lead_id == lead_id, outbox.c.kind.in_(kinds))
    rows = tx.execute(query.order_by(outbox.c.created_at.desc()).limit(LATEST))
    return [
        Reply(
            at=row.created_at,
            done_at=row.done_at,
            kind=row.kind,
            occasion=str(row.payload.get("text", "")),
            text=str(row.payload.get("rendered") or row.payload.get("words", "")),
            state=row.state,
            reason=row.reason,
        )
        for row in rows
    ]


def list_claims(tx: Connection, lead_id: str) -> list[Claimed]:
    query = (
        select(claims, drops.c.name.label("drop"), variants.c.code, variants.c.name.label("variant_name"))
        .join(drops, drops.c.id == claims.c.drop_id)
        .join(variants, variants.c.id == claims.c.variant_id)
        .where(claims.c.lead_id == lead_id)
    )
    rows = tx.execute(query.order_by(claims.c.created_at.desc()).limit(LATEST))
    return [_read(Claimed, {**row._mapping, "variant": _variant(row.variant_name, row.code)}) for row in rows]


def _variant(name: str, code: str) -> str:
    return "" if code == ONLY_CODE else name or code


def list_payments(tx: Connection, lead_id: str) -> list[Payment]:
    query = select(payment_events).join(claims, claims.c.id == payment_events.c.claim_id)
    found = query.where(claims.c.lead_id == lead_id).order_by(payment_events.c.received_at.desc())
    rows = tx.execute(found.limit(LATEST))
    return [Payment(row.received_at, row.type, row.outcome, row.reason) for row in rows]


def _read(shape: Any, row: dict[str, Any]) -> Any:
    return shape(**{name: row[name] for name in shape.__dataclass_fields__})
