"""How far is the work for a claim? What a brand is told of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from claimbot.core.outbox import RowState, Work
from claimbot.db.tables import outbox


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work for a claim is."""

    claim_id: str
    kind: Work
    state: RowState
    reason: str
    dedupe_key: str
    next_at: datetime
    done_at: datetime | None
    payload: Mapping[str, Any]


def list_progress(tx: Connection, claim_ids: Sequence[str], kinds: Sequence[Work]) -> list[Progress]:
    """The work of these kinds for these claims, oldest first."""
    query = select(outbox).where(
        outbox.c.claim_id.in_(claim_ids), outbox.c.kind.in_([one.value for one in kinds])
    )
    return [
        Progress(
            claim_id=row.claim_id,
            kind=Work(row.kind),
            state=RowState(row.state),
            reason=row.reason,
            dedupe_key=row.dedupe_key,
            next_at=row.next_at,
            done_at=row.done_at,
            payload=row.payload,
        )
        for row in tx.execute(query.order_by(outbox.c.created_at, outbox.c.id))
    ]
