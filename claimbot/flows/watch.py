"""Is the engine well? Do SQL and Redis answer, and what do the figures say?"""

from dataclasses import dataclass
from datetime import datetime

from claimbot.core.errors import LedgerUnavailable, StockUnavailable
from claimbot.db import marks
from claimbot.db.figures import Figures, read_figures
from claimbot.parts import Parts


@dataclass(frozen=True, slots=True)
class Watched:
    """What could be found out; None stands for what did not answer."""

    at: datetime
    figures: Figures | None
    spool: tuple[int, int] | None
    """Entries and bytes that wait for SQL."""
    is_gate_open: bool
    """The gate is asked; False while its breaker leaves a failing Redis alone."""


def list_troubles(parts: Parts) -> list[str]:
    """What does not answer, one sentence each; empty when all is well."""
    troubles = []
    try:
        with parts.ledger.reading() as tx:
            marks.find_mark(tx, marks.CATALOG)
    except LedgerUnavailable:
        troubles.append("SQL does not answer: look at DATABASE_URL and the database's own log")
    try:
        parts.spool.depth()
    except StockUnavailable:
        troubles.append("Redis does not answer: look at STOCK_REDIS_URL and the server's own log")
    return troubles


def watch(parts: Parts) -> Watched:
    now = parts.clock()
    return Watched(now, _figures(parts, now), _spool(parts), not parts.breaker.is_open)


def _figures(parts: Parts, now: datetime) -> Figures | None:
    try:
        with parts.ledger.reading() as tx:
            return read_figures(tx, now)
    except LedgerUnavailable:
        return None


def _spool(parts: Parts) -> tuple[int, int] | None:
    try:
        return parts.spool.depth()
    except StockUnavailable:
        return None
