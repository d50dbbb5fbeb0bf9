"""Who or what changed what, and when? Append-only; each line carries the hash of the one before."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, text

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
