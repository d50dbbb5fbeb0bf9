"""What is known of some leads, for a page that shows them? Three questions, however many they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from claimbot.core.claims import State
from claimbot.core.leads import QualifyRule
from claimbot.db.lead_lines import rank_of
from claimbot.db.tables import accounts, claims, drops, inbox, leads, variants

# A lead and one of its drops.
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Person:
    """A lead as the list shows it."""

    id: str
    channel: str
    username: str
    name: str
    email: str
    phone: str
    consent_marketing: bool | None
    consent_at: datetime | None
    follows_account: bool | None
    source: str
    opted_out_at: datetime | None
    window_expires_at: datetime | None
    tags: tuple[str, ...]
    note: str
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """How the last message of a lead about a drop ended, and the word that they wrote."""

    outcome: str
    keyword: str
    source: str


@dataclass(frozen=True, slots=True)
class Stand:
    """The claim that speaks for a lead in a drop."""

    state: State
    place: int
    quantity: int
    variant: str
    paid_minor: int
    currency: str
    keyword: str
    source: str
    told_at: datetime | None
    paid_at: datetime | None
    promoted_at: datetime | None
    hold_expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class DropName:
    """A drop as the list names it; `position` is its place among the brand's drops."""

    name: str
    position: int
    rule: QualifyRule


def list_drop_names(tx: Connection, brand_id: str) -> dict[str, DropName]:
    query = select(drops.c.id, drops.c.name, drops.c.qualify).where(drops.c.brand_id == brand_id)
    rows = tx.execute(query.order_by(drops.c.id))
    return {row.id: DropName(row.name, place, QualifyRule(**row.qualify)) for place, row in enumerate(rows)}


def find_people(tx: Connection, lead_ids: Sequence[str]) -> dict[str, Person]:
    query = select(leads, accounts.c.channel).join(accounts, accounts.c.id == leads.c.account_id)
    return {row.id: _person(row) for row in tx.execute(query.where(leads.c.id.in_(lead_ids)))}


def _person(row: Row[Any]) -> Person:
    return Person(
        id=row.id,
        channel=row.channel,
        username=row.username,
        name=row.name,
        email=row.email,
        phone=row.phone,
        consent_marketing=row.consent_marketing,
        consent_at=row.consent_at,
        follows_account=row.follows_account,
        source=row.source,
        opted_out_at=row.opted_out_at,
        window_expires_at=row.window_expires_at,
        tags=tuple(row.tags),
        note=row.note,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
    )


def find_said(tx: Connection, lead_ids: Sequence[str]) -> dict[tuple[str, str | None], Said]:
    """(lead, drop) → their last message about it; the drop is None for messages about none."""
    pair = (inbox.c.lead_id, inbox.c.drop_id)
    latest = (inbox.c.received_at.desc(), inbox.c.event_key.desc())
    nth = func.row_number().over(partition_by=pair, order_by=latest).label("nth")
    # A tap carries no word; the word that led to it does.
    word = func.max(inbox.c.keyword).over(partition_by=pair).label("word")
    found = select(*pair, inbox.c.outcome, inbox.c.source, word, nth).where(inbox.c.lead_id.in_(lead_ids))
    ranked = found.subquery()
    rows = tx.execute(select(ranked).where(ranked.c.nth == 1))
    return {(row.lead_id, row.drop_id): Said(row.outcome, row.word, row.source) for row in rows}


def find_stands(tx: Connection, lead_ids: Sequence[str]) -> dict[Pair, Stand]:
    """(lead, drop) → the claim that speaks for them."""
    pair = (claims.c.lead_id, claims.c.drop_id)
    order = (rank_of(claims.c.state), claims.c.created_at.desc(), claims.c.id.desc())
    nth = func.row_number().over(partition_by=pair, order_by=order).label("nth")
    found = select(claims, variants.c.code, nth).join(variants, variants.c.id == claims.c.variant_id)
    ranked = found.where(claims.c.lead_id.in_(lead_ids)).subquery()
    rows = tx.execute(select(ranked).where(ranked.c.nth == 1))
    return {(row.lead_id, row.drop_id): _stand(row) for row in rows}


def _stand(row: Row[Any]) -> Stand:
    return Stand(
        state=State(row.state),
        place=row.place,
        quantity=row.quantity,
        variant=row.code,
        paid_minor=row.paid_minor,
        currency=row.currency,
        keyword=row.keyword,
        source=row.source,
        told_at=row.told_at,
        paid_at=row.paid_at,
        promoted_at=row.promoted_at,
        hold_expires_at=row.hold_expires_at,
    )
