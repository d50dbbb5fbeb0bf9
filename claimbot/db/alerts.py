"""What should a person look at? Each trouble is raised once, until it is cleared."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from claimbot.db.engine import changed
from claimbot.db.ids import new_id
from claimbot.db.tables import alerts


@dataclass(frozen=True, slots=True)
class Alert:
    """One trouble. `kind` and `subject` name it; `text` says what to do."""

    kind: str
    subject: str
    text: str
    brand_id: str | None = None
    raised_at: datetime | None = None
    id: str = ""
    """Given when it is raised."""


def raise_alert(tx: Connection, alert: Alert, now: datetime) -> bool:
    """True when it was not known yet."""
    dialect: Any = postgresql if tx.dialect.name == "postgresql" else sqlite
    made = dialect.insert(alerts).values(
        id=new_id("alr"),
        brand_id=alert.brand_id,
        kind=alert.kind,
        subject=alert.subject,
        text=alert.text,
        raised_at=now,
    )
    once = made.on_conflict_do_nothing(
        index_elements=["kind", "subject"], index_where=text("cleared_at IS NULL")
    )
    return tx.execute(once.returning(alerts.c.id)).first() is not None


def clear_alert(tx: Connection, kind: str, subject: str, now: datetime) -> bool:
    cleared = update(alerts).where(
        alerts.c.kind == kind, alerts.c.subject == subject, alerts.c.cleared_at.is_(None)
    )
    return changed(tx.execute(cleared.values(cleared_at=now))) > 0


def is_open(tx: Connection, kind: str, subject: str) -> bool:
    is_it = (alerts.c.kind == kind, alerts.c.subject == subject, alerts.c.cleared_at.is_(None))
    return tx.execute(select(alerts.c.id).where(*is_it)).first() is not None


def list_open(tx: Connection) -> list[Alert]:
    rows = tx.execute(select(alerts).where(alerts.c.cleared_at.is_(None)).order_by(alerts.c.raised_at))
    return [Alert(row.kind, row.subject, row.text, row.brand_id, row.raised_at, row.id) for row in rows]


def clear_by_id(tx: Connection, alert_id: str, brand_id: str, now: datetime) -> str | None:
    """Its kind; None when this brand has no such open alert."""
    is_it = (alerts.c.id == alert_id, alerts.c.brand_id == brand_id, alerts.c.cleared_at.is_(None))
    cleared = update(alerts).where(*is_it).values(cleared_at=now).returning(alerts.c.kind)
    kind: str | None = tx.execute(cleared).scalar()
    return kind
