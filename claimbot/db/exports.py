"""What is known of a brand's leads, page by page? Three questions for each page, and none between pages.

Pages follow one another by the place where the last one ended, so memory stays flat, and no transaction stays
open while somebody downloads slowly (which would keep PostgreSQL from cleaning up, and SQLite's log growing).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Tuple,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from claimbot.core.claims import LIVE, State
from claimbot.core.leads import QualifyRule
from claimbot.db.columns import UtcDateTime
from claimbot.db.tables import accounts, claims, drops, inbox, leads, variants

# A lead and one of its drops.
Pair = tuple[str, str]
# Where a page ends and the next one begins.
Place = tuple[datetime, str]
FIRST_SEEN = (leads.c.first_seen_at, leads.c.id)
# Which of several claims in one drop speaks for the lead: the paid one, else one that lives, else the latest.
BEST_FIRST = {State.SOLD: 0, **dict.fromkeys((*LIVE, State.GRANTED, State.DISPUTED), 1)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which leads: of this brand, and, where given, of this drop and this channel."""

    brand_id: str
    drop_id: str | None = None
    channel: str | None = None
    search: str | None = None
    """A part of their name on the platform, their own name or their e-mail address."""


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

    @property
    def place(self) -> Place:
        """Where the next page begins."""
        return self.first_seen_at, self.id


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
    rows = tx.execute(query.order_by(drops.c.created_at, drops.c.id))
    return {row.id: DropName(row.name, place, QualifyRule(**row.qualify)) for place, row in enumerate(rows)}


def list_page(tx: Connection, wanted: Wanted, after: Place | None, most: int) -> list[Person]:
    """The next `most` leads in the order in which they were first seen."""
    query = _leads(wanted)
    if after is not None:
        query = query.where(tuple_(*FIRST_SEEN) > _place(after))
    return [_person(row) for row in tx.execute(query.order_by(*FIRST_SEEN).limit(most))]


def list_latest(tx: Connection, wanted: Wanted, before: Place | None, most: int) -> list[Person]:
    """The other way round: the newest first."""
    query = _leads(wanted)
    if before is not None:
        query = query.where(tuple_(*FIRST_SEEN) < _place(before))
    latest = query.order_by(*(column.desc() for column in FIRST_SEEN)).limit(most)
    return [_person(row) for row in tx.execute(latest)]


def _place(place: Place) -> Tuple:
    return tuple_(literal(place[0], UtcDateTime), literal(place[1]))


def _leads(wanted: Wanted) -> Select[Any]:
    query = select(leads, accounts.c.channel).join(accounts, accounts.c.id == leads.c.account_id)
    query = query.where(leads.c.brand_id == wanted.brand_id)
    if wanted.channel is not None:
        query = query.where(accounts.c.channel == wanted.channel)
    if wanted.drop_id is not None:
        query = query.where(_is_in(wanted.drop_id))
    if wanted.search is not None:
        query = query.where(_is_called(wanted.search))
    return query


def _is_called(search: str) -> ColumnElement[bool]:
    names = (leads.c.username, leads.c.name, leads.c.email)
    return or_(*(func.lower(name).contains(search.lower(), autoescape=True) for name in names))


def _is_in(drop_id: str) -> ColumnElement[bool]:
    wrote = exists().where(inbox.c.lead_id == leads.c.id, inbox.c.drop_id == drop_id)
    claimed = exists().where(claims.c.lead_id == leads.c.id, claims.c.drop_id == drop_id)
    return or_(wrote, claimed)


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
    best = case(*((claims.c.state == state.value, rank) for state, rank in BEST_FIRST.items()), else_=2)
    order = (best, claims.c.created_at.desc(), claims.c.id.desc())
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
