"""What of a brand's work waits until a person mends something?"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from claimbot.core.outbox import RowState
from claimbot.db.engine import changed
from claimbot.db.tables import accounts, outbox


@dataclass(frozen=True, slots=True)
class Wait:
    """So many rows of one kind, and why. An empty reason: their account cannot send."""

    kind: str
    reason: str
    count: int
    oldest_at: datetime


def _waits(brand_id: str) -> ColumnElement[bool]:
    """Parked itself, or due for an account that is parked."""
    cannot_send = select(accounts.c.id).where(accounts.c.brand_id == brand_id, accounts.c.state == "parked")
    is_due = and_(outbox.c.state == RowState.READY.value, outbox.c.account_id.in_(cannot_send))
    return and_(outbox.c.brand_id == brand_id, or_(outbox.c.state == RowState.PARKED.value, is_due))


def list_waits(tx: Connection, brand_id: str) -> list[Wait]:
    """The most first."""
    count = func.count()
    query = select(outbox.c.kind, outbox.c.reason, count, func.min(outbox.c.created_at))
    grouped = query.where(_waits(brand_id)).group_by(outbox.c.kind, outbox.c.reason).order_by(count.desc())
    return [Wait(*row) for row in tx.execute(grouped)]


def release_waits(tx: Connection, brand_id: str, now: datetime) -> int:
    """All of it is due now; returns how many rows were parked."""
    parked = update(outbox).where(outbox.c.brand_id == brand_id, outbox.c.state == RowState.PARKED.value)
    return changed(tx.execute(parked.values(state=RowState.READY.value, next_at=now)))
