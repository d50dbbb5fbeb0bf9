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


SQL_IS_DOWN = "SQL does not answer: look at DATABASE_URL and the database's own log"
REDIS_IS_DOWN = "Redis does not answer: look at STOCK_REDIS_URL and the server's own log"


@dataclass(frozen=True, slots=True)
class Readiness:
    """`is_ready` while a webhook can be stored: one of SQL and Redis is enough for that."""

    is_ready: bool
    troubles: tuple[str, ...]
    """What does not answer, one sentence each; empty when all is well."""


def read_readiness(parts: Parts) -> Readiness:
    troubles = []
    try:
        with parts.ledger.reading() as tx:
            marks.find_mark(tx, marks.CATALOG)
    except LedgerUnavailable:
        troubles.append(SQL_IS_DOWN)
    try:
        parts.spool.depth()
    except StockUnavailable:
        troubles.append(REDIS_IS_DOWN)
    return Readiness(len(troubles) < 2, tuple(troubles))


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
