"""Who stands in the line of a drop? All of them at once, however many they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from claimbot.core.claims import State
from claimbot.db.tables import claims, leads

# SQLite takes at most 32,766 values in one statement.
IDS_AT_A_TIME = 10_000


@dataclass(frozen=True, slots=True)
class WaitingLead:
    """Somebody who waited, and the account that they wrote to."""

    claim_id: str
    lead_id: str
    account_id: str


def end_line(tx: Connection, drop_id: str, state: State, reason: str, now: datetime) -> list[str]:
    """Move everybody who waits in the drop to `state`; returns the ids of their claims."""
    moved = (
        update(claims)
        .where(claims.c.drop_id == drop_id, claims.c.state == State.WAITLISTED.value)
        .values(state=state.value, ended_reason=reason, ended_at=now)
    )
    return list(tx.execute(moved.returning(claims.c.id)).scalars())


def list_reachable(tx: Connection, claim_ids: Sequence[str], until: datetime) -> list[WaitingLead]:
    """Those who may be written to up to `until`, in line order."""
    found = [row for some in in_parts(claim_ids) for row in _rows(tx, some, until)]
    return [WaitingLead(*row[1:]) for row in sorted(found)]


def in_parts(claim_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many at a time as one statement may name."""
    return (claim_ids[at : at + IDS_AT_A_TIME] for at in range(0, len(claim_ids), IDS_AT_A_TIME))


def _rows(tx: Connection, claim_ids: Sequence[str], until: datetime) -> list[tuple[int, str, str, str]]:
    query = (
        select(claims.c.line, claims.c.id, leads.c.id, leads.c.account_id)
        .join(leads, leads.c.id == claims.c.lead_id)
        .where(claims.c.id.in_(claim_ids), leads.c.opted_out_at.is_(None), leads.c.window_expires_at > until)
    )
    return [(row[0], row[1], row[2], row[3]) for row in tx.execute(query)]
