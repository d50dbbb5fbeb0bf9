"""Which claims has a brand, and which wishes were refused? A page at a time, however many there are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, literal, select, tuple_

from claimbot.core.claims import Claim
from claimbot.core.messages import Outcome
from claimbot.db.claims import read_claim
from claimbot.db.columns import UtcDateTime
from claimbot.db.names import IsCalled
from claimbot.db.tables import claims, inbox, leads

Place = tuple[datetime, str]
NEWEST = (claims.c.created_at, claims.c.id)
# The follower wanted something of this drop and did not get it; their message says why.
REFUSALS = (
    Outcome.SOLD_OUT,
    Outcome.LIMIT_REACHED,
    Outcome.ALREADY_SOLD,
    Outcome.NOT_OPEN_YET,
    Outcome.PAUSED,
    Outcome.CLOSED,
    Outcome.UNKNOWN_VARIANT,
    Outcome.OPTED_OUT,
)
CLAIM_ID = "clm_"


@dataclass(frozen=True, slots=True)
class Wanted:
    brand_id: str
    drop_id: str | None = None
    state: str | None = None
    search: str | None = None
    """What words of the follower's names begin with, or a claim's id."""


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim with its follower."""

    claim: Claim
    promoted_at: datetime | None
    ended_at: datetime | None
    cancel_note: str
    username: str
    name: str
    opted_out_at: datetime | None
    window_expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Refusal:
    event_key: str
    received_at: datetime
    lead_id: str | None
    username: str
    name: str
    keyword: str
    outcome: str
    reason: str


def list_rows(tx: Connection, wanted: Wanted, before: Place | None, most: int) -> list[ClaimRow]:
    """The newest first; `before` is where the last page ended."""
    query = _query().where(claims.c.brand_id == wanted.brand_id)
    if wanted.drop_id is not None:
        query = query.where(claims.c.drop_id == wanted.drop_id)
    if wanted.state is not None:
        query = query.where(claims.c.state == wanted.state)
    if wanted.search is not None:
        query = query.where(_is_meant(wanted.search))
    if before is not None:
        query = query.where(tuple_(*NEWEST) < tuple_(literal(before[0], UtcDateTime), literal(before[1])))
    newest = query.order_by(*(column.desc() for column in NEWEST)).limit(most)
    return [_read(row) for row in tx.execute(newest)]


def find_notes(tx: Connection, claim_ids: Collection[str]) -> dict[str, str]:
    """claim → why the brand took it back, where somebody wrote that down."""
    query = select(claims.c.id, claims.c.cancel_note).where(claims.c.id.in_(claim_ids))
    return {row.id: row.cancel_note for row in tx.execute(query) if row.cancel_note}


def find_row(tx: Connection, brand_id: str, claim_id: str) -> ClaimRow | None:
    row = tx.execute(_query().where(claims.c.brand_id == brand_id, claims.c.id == claim_id)).first()
    return _read(row) if row else None


def _query() -> Select[Any]:
    person = (leads.c.username, leads.c.name, leads.c.opted_out_at, leads.c.window_expires_at)
    return select(claims, *person).join(leads, leads.c.id == claims.c.lead_id)


def _is_meant(search: str) -> ColumnElement[bool]:
    if search.startswith(CLAIM_ID):
        return claims.c.id == search
    return IsCalled(search)


def _read(row: Row[Any]) -> ClaimRow:
    return ClaimRow(
        claim=read_claim(row),
        promoted_at=row.promoted_at,
        ended_at=row.ended_at,
        cancel_note=row.cancel_note,
        username=row.username,
        name=row.name,
        opted_out_at=row.opted_out_at,
        window_expires_at=row.window_expires_at,
    )


def list_refusals(tx: Connection, drop_id: str, before: Place | None, most: int) -> Sequence[Refusal]:
    """Wishes for this drop that came to nothing, the newest first."""
    order = (inbox.c.received_at, inbox.c.event_key)
    query = (
        select(inbox, leads.c.username, leads.c.name)
        .outerjoin(leads, leads.c.id == inbox.c.lead_id)
        .where(inbox.c.drop_id == drop_id, inbox.c.outcome.in_([one.value for one in REFUSALS]))
    )
    if before is not None:
        query = query.where(tuple_(*order) < tuple_(literal(before[0], UtcDateTime), literal(before[1])))
    newest = query.order_by(*(column.desc() for column in order)).limit(most)
    return [
        Refusal(
            event_key=row.event_key,
            received_at=row.received_at,
            lead_id=row.lead_id,
            username=row.username or "",
            name=row.name or "",
            keyword=row.keyword,
            outcome=row.outcome,
            reason=row.reason,
        )
        for row in tx.execute(newest)
    ]
