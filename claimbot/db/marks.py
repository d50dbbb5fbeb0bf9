"""Small facts of the whole deployment: the catalog's version, when each sweep last ran, what it found."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from claimbot.db.tables import marks

CATALOG = "catalog"


@dataclass(frozen=True, slots=True)
class Mark:
    name: str
    value: int
    facts: Mapping[str, Any]
    at: datetime


def set_mark(tx: Connection, name: str, now: datetime, facts: Mapping[str, Any] | None = None) -> None:
    """Note that `name` happened now; its value counts how often."""
    dialect: Any = postgresql if tx.dialect.name == "postgresql" else sqlite
    made = dialect.insert(marks).values(name=name, value=1, facts=dict(facts or {}), at=now)
    changes = {"value": marks.c.value + 1, "facts": made.excluded.facts, "at": now}
    tx.execute(made.on_conflict_do_update(index_elements=["name"], set_=changes))


def find_mark(tx: Connection, name: str) -> Mark | None:
    row = tx.execute(select(marks).where(marks.c.name == name)).first()
    return Mark(row.name, row.value, row.facts, row.at) if row else None


def list_marks(tx: Connection, prefix: str = "") -> list[Mark]:
    """Those whose name begins so."""
    query = select(marks).where(marks.c.name.startswith(prefix, autoescape=True))
    rows = tx.execute(query.order_by(marks.c.name))
    return [Mark(row.name, row.value, row.facts, row.at) for row in rows]


def delete_old(tx: Connection, prefix: str, before: datetime) -> None:
    """Forget marks whose name begins so and that were not set since."""
    tx.execute(delete(marks).where(marks.c.name.startswith(prefix, autoescape=True), marks.c.at < before))
