"""Who or what changed what, and when? Append-only; each line carries the hash of the one before."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, insert, literal, or_, select, text

from claimbot.db.admin_tables import memberships
from claimbot.db.tables import audit

# Any number serves: it keeps two writers from taking the same predecessor on PostgreSQL.
CHAIN_LOCK = 7_020_311


def insert_line(
    tx: Connection, actor: str, action: str, subject: str, *, now: datetime, **facts: Any
) -> None:
    """`facts` hold ids, counts and words, never names or message texts."""
    brand_id = facts.pop("brand_id", None)
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": CHAIN_LOCK})
    previous = tx.execute(select(audit.c.hash).order_by(audit.c.id.desc()).limit(1)).scalar() or ""
    line = {"at": now.astimezone(UTC), "actor": actor, "action": action, "subject": subject, "facts": facts}
    digest = _digest(previous, line)
    tx.execute(insert(audit).values(**line, brand_id=brand_id, previous_hash=previous, hash=digest))


def _digest(previous: str, line: Mapping[str, Any]) -> str:
    words = {**line, "at": line["at"].isoformat()}
    return hashlib.sha256((previous + json.dumps(words, sort_keys=True)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that somebody, or a process, did."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Lines older than number `before` (0: all), of one action (empty: of any)."""

    before: int
    action: str
    count: int


def _of_brand(brand_id: str) -> ColumnElement[bool]:
    """Its own, and what its people did with their own way in."""
    people = select(literal("operator:") + memberships.c.operator_id).where(
        memberships.c.brand_id == brand_id
    )
    own_way_in = and_(audit.c.brand_id.is_(None), audit.c.actor.in_(people))
    return or_(audit.c.brand_id == brand_id, own_way_in)


def list_lines(tx: Connection, brand_id: str, wanted: Wanted) -> list[Line]:
    """The latest first."""
    query = select(audit).where(_of_brand(brand_id)).order_by(audit.c.id.desc()).limit(wanted.count)
    if wanted.before:
        query = query.where(audit.c.id < wanted.before)
    if wanted.action:
        query = query.where(audit.c.action == wanted.action)
    return [Line(row.id, row.at, row.actor, row.action, row.subject, row.facts) for row in tx.execute(query)]


def find_line(tx: Connection, action: str, subject: str) -> Line | None:
    """The latest about this subject."""
    is_it = (audit.c.action == action, audit.c.subject == subject)
    row = tx.execute(select(audit).where(*is_it).order_by(audit.c.id.desc()).limit(1)).first()
    return Line(row.id, row.at, row.actor, row.action, row.subject, row.facts) if row else None


def list_actions(tx: Connection, brand_id: str) -> list[str]:
    found = select(audit.c.action).where(_of_brand(brand_id)).distinct().order_by(audit.c.action)
    return list(tx.execute(found).scalars())


def find_break(tx: Connection) -> int | None:
    """The number of the first line that does not follow from the one before; None when all do."""
    previous = ""
    for row in tx.execute(select(audit).order_by(audit.c.id)):
        line = {
            "at": row.at,
            "actor": row.actor,
            "action": row.action,
            "subject": row.subject,
            "facts": row.facts,
        }
        if row.previous_hash != previous or row.hash != _digest(previous, line):
            return int(row.id)
        previous = row.hash
    return None
