"""Which rehearsals did a brand ask for, and what came out?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from claimbot.db.admin_tables import rehearsals
from claimbot.db.engine import changed

OPEN = ("asked", "running")


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """`plan` is what was asked for, `report` what came out; `reason` says why there is no report."""

    id: str
    brand_id: str
    drop_id: str
    copy_id: str
    state: str
    """asked, running, done or failed."""
    plan: Mapping[str, Any]
    asked_at: datetime
    report: Mapping[str, Any]
    reason: str = ""
    begun_at: datetime | None = None
    ended_at: datetime | None = None


def _read(row: Row[Any]) -> Rehearsal:
    return Rehearsal(**{name: getattr(row, name) for name in Rehearsal.__dataclass_fields__})


def insert_rehearsal(tx: Connection, one: Rehearsal) -> None:
    values = {name: getattr(one, name) for name in Rehearsal.__dataclass_fields__}
    tx.execute(insert(rehearsals).values(**{**values, "plan": dict(one.plan), "report": dict(one.report)}))


def find_rehearsal(tx: Connection, rehearsal_id: str) -> Rehearsal | None:
    row = tx.execute(select(rehearsals).where(rehearsals.c.id == rehearsal_id)).first()
    return _read(row) if row else None


def list_of_drop(tx: Connection, drop_id: str, most: int) -> list[Rehearsal]:
    """The latest first."""
    query = select(rehearsals).where(rehearsals.c.drop_id == drop_id)
    return [_read(row) for row in tx.execute(query.order_by(rehearsals.c.asked_at.desc()).limit(most))]


def list_copies(tx: Connection, brand_id: str) -> set[str]:
    """The drops that were made to be played."""
    query = select(rehearsals.c.copy_id).where(rehearsals.c.brand_id == brand_id)
    return set(tx.execute(query).scalars())


def find_open(tx: Connection) -> Rehearsal | None:
    """The first that is not over: they are played one after the other."""
    query = select(rehearsals).where(rehearsals.c.state.in_(OPEN)).order_by(rehearsals.c.asked_at)
    row = tx.execute(query.limit(1)).first()
    return _read(row) if row else None


def mark_begun(tx: Connection, rehearsal_id: str, now: datetime) -> bool:
    """False when somebody else plays it."""
    mine = update(rehearsals).where(rehearsals.c.id == rehearsal_id, rehearsals.c.state == "asked")
    return changed(tx.execute(mine.values(state="running", begun_at=now))) == 1


def mark_done(tx: Connection, rehearsal_id: str, now: datetime, report: Mapping[str, Any]) -> None:
    done = update(rehearsals).where(rehearsals.c.id == rehearsal_id)
    tx.execute(done.values(state="done", ended_at=now, report=dict(report)))


def mark_failed(tx: Connection, rehearsal_id: str, now: datetime, reason: str) -> None:
    failed = update(rehearsals).where(rehearsals.c.id == rehearsal_id)
    tx.execute(failed.values(state="failed", ended_at=now, reason=reason))
