"""What became of what was written since a moment? For a rehearsal's report."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from claimbot.core.outbox import RowState, Work
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
