"""Which brand's list is being downloaded, and how far is it? One at a time, over all processes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from claimbot.db.tables import marks

# A download notes this often that it goes on; one that has not for so long has died with its process.
DEAD_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Download:
    lines: int
    actor: str
    at: datetime
    """When it last went on."""


def _name(brand_id: str) -> str:
    return f"download:{brand_id}"


def begin_download(tx: Connection, brand_id: str, actor: str, now: datetime) -> bool:
    """False while another one of this brand is running."""
    dialect: Any = postgresql if tx.dialect.name == "postgresql" else sqlite
    row = {"name": _name(brand_id), "value": 0, "facts": {"actor": actor}, "at": now}
    made = dialect.insert(marks).values(**row)
    dead = made.on_conflict_do_update(
        index_elements=["name"],
        set_={"value": 0, "facts": made.excluded.facts, "at": now},
        where=marks.c.at < now - DEAD_AFTER,
    )
    return tx.execute(dead.returning(marks.c.name)).first() is not None


def mark_download(tx: Connection, brand_id: str, lines: int, now: datetime) -> None:
    tx.execute(update(marks).where(marks.c.name == _name(brand_id)).values(value=lines, at=now))


def end_download(tx: Connection, brand_id: str) -> None:
    tx.execute(delete(marks).where(marks.c.name == _name(brand_id)))


def find_download(tx: Connection, brand_id: str, now: datetime) -> Download | None:
    """The one that is running now."""
    row = tx.execute(select(marks).where(marks.c.name == _name(brand_id))).first()
    if row is None or row.at < now - DEAD_AFTER:
        return None
    return Download(row.value, str(row.facts.get("actor", "")), row.at)
