"""What became of what was written since a moment? For a rehearsal's report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError

from claimbot.core.errors import LedgerUnavailable
from claimbot.core.outbox import RowState, Work
from claimbot.db.engine import Ledger
from claimbot.db.tables import claims, inbox, outbox

MESSAGES = (Work.OFFER.value, Work.REPLY.value)
WAITING = (RowState.READY.value, RowState.RUNNING.value)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """Of one drop, since one moment."""

    outcomes: Mapping[str, int]
    claims: Mapping[str, int]
    answered: int
    """Messages that were sent."""


def count_unsent(tx: Connection, since: datetime) -> int:
    """Messages that wait for a worker; look-ups of profiles are rationed and may wait for hours."""
    query = select(func.count()).where(
        outbox.c.state.in_(WAITING), outbox.c.kind.in_(MESSAGES), outbox.c.created_at >= since
    )
    return int(tx.execute(query).scalar_one())


def count_stored(tx: Connection, tag: str) -> int:
    """How many messages of the rehearsal with this tag are written down."""
    query = select(func.count()).where(inbox.c.event_id.startswith(f"storm-{tag}-", autoescape=True))
    return int(tx.execute(query).scalar_one())


def read_aftermath(tx: Connection, drop_id: str, since: datetime) -> Aftermath:
    written = (
        select(inbox.c.outcome, func.count())
        .where(inbox.c.received_at >= since, inbox.c.drop_id == drop_id)
        .group_by(inbox.c.outcome)
    )
    made = (
        select(claims.c.state, func.count())
        .where(claims.c.drop_id == drop_id, claims.c.created_at >= since)
        .group_by(claims.c.state)
    )
    sent = select(func.count()).where(
        outbox.c.state == RowState.DONE.value, outbox.c.kind.in_(MESSAGES), outbox.c.created_at >= since
    )
    return Aftermath(
        outcomes={row[0]: row[1] for row in tx.execute(written)},
        claims={row[0]: row[1] for row in tx.execute(made)},
        answered=int(tx.execute(sent).scalar_one()),
    )


def hold_ledger(ledger: Ledger) -> Callable[[], None]:
    """Nobody else may write down a message until the answer is called. Raises LedgerUnavailable."""
    holder = ledger.engine.connect()
    try:
        # On SQLite this is the one lock that there is; readers go on.
        holder.begin()
        if not ledger.is_sqlite:
            holder.execute(text("LOCK TABLE inbox IN EXCLUSIVE MODE"))
    except DBAPIError:
        holder.close()
        raise LedgerUnavailable("somebody else holds the ledger") from None
    return holder.close
