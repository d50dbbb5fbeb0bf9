"""How much is there of what? Counts over the whole ledger, for an operator's graphs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from claimbot.db import outbox
from claimbot.db.tables import accounts, alerts, claims


@dataclass(frozen=True, slots=True)
class Figures:
    """As of one moment."""

    outbox: Mapping[str, int]
    """state → rows."""
    oldest_ready_at: datetime | None
    """Since when due work has been waiting."""
    claims: Mapping[str, int]
    """state → claims."""
    alerts_open: int
    heard: Mapping[str, datetime | None]
    """account → when its platform last delivered something."""


def read_figures(tx: Connection, now: datetime) -> Figures:
    by_state = select(claims.c.state, func.count()).group_by(claims.c.state)
    open_alerts = select(func.count()).select_from(alerts).where(alerts.c.cleared_at.is_(None))
    heard = select(accounts.c.id, accounts.c.last_event_at).order_by(accounts.c.id)
    return Figures(
        outbox=outbox.count_by_state(tx),
        oldest_ready_at=outbox.oldest_ready(tx, now),
        claims={row[0]: row[1] for row in tx.execute(by_state)},
        alerts_open=int(tx.execute(open_alerts).scalar_one()),
        heard={row[0]: row[1] for row in tx.execute(heard)},
    )
