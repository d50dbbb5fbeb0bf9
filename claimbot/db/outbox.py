"""Which work waits for the outside? The record of it; RQ only wakes workers up."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Update,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)

from claimbot.core.outbox import LEASE, NewRow, OutboxRow, Priority, RowState, Work
from claimbot.db.columns import constant
from claimbot.db.engine import changed
from claimbot.db.ids import new_id, new_token
from claimbot.db.many import insert_many
from claimbot.db.tables import accounts, outbox

# What STOP ends.
TO_A_PERSON = (Work.OFFER, Work.REPLY, Work.PERSONAL, Work.PROFILE)
# Lost answers are rare; whoever had more of them gets the newest looked at.
DOUBTFUL_MAX = 20


INSERT = insert_many(
    outbox,
    (
        "id",
        "brand_id",
        "account_id",
        "lead_id",
        "claim_id",
        "kind",
        "priority",
        "dedupe_key",
        "payload",
        "state",
        "next_at",
        "created_at",
    ),
    "ON CONFLICT (dedupe_key) DO NOTHING",
)


def insert_rows(tx: Connection, rows: Sequence[NewRow], now: datetime) -> None:
    """Write work down; a row whose dedupe key is known is left as it was."""
    INSERT.run(tx, [_values(row, now) for row in rows])


def _values(row: NewRow, now: datetime) -> tuple[Any, ...]:
    return (
        new_id("out"),
        row.brand_id,
        row.account_id,
        row.lead_id,
        row.claim_id,
        row.kind.value,
        int(row.priority),
        row.dedupe_key,
        row.payload,
        RowState.READY.value,
        row.next_at or now,
        now,
    )


# The same words as in the partial index: they let both databases use it.
IS_OPEN = outbox.c.state.in_([constant(RowState.READY), constant(RowState.RUNNING)])
# Ready and its time has come, or leased to a worker that did not come back.
IS_DUE = or_(
    and_(outbox.c.state == constant(RowState.READY), outbox.c.next_at <= bindparam("now")),
    and_(outbox.c.state == constant(RowState.RUNNING), outbox.c.lease_until < bindparam("now")),
)
PARKED = select(accounts.c.id).where(accounts.c.state == "parked")
WAITS = and_(outbox.c.account_id.is_not(None), outbox.c.account_id.in_(PARKED))
DUE = (
    select(outbox.c.id)
    .where(IS_OPEN, IS_DUE, ~WAITS)
    .order_by(outbox.c.priority, outbox.c.next_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
TAKE = (
    update(outbox)
    .where(outbox.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        state=RowState.RUNNING.value,
        lease_until=bindparam("until"),
        lease_token=bindparam("token"),
        attempts=outbox.c.attempts + 1,
    )
    .returning(outbox)
)


def take_due(tx: Connection, now: datetime, most: int) -> list[OutboxRow]:
    """Lease up to `most` rows, the most urgent first; rows of parked accounts wait."""
    ids = list(tx.execute(DUE, {"now": now, "most": most}).scalars())
    if not ids:
        return []
    lease = {"ids": ids, "until": now + LEASE, "token": new_token()}
    rows = [_read(row, now) for row in tx.execute(TAKE, lease)]
    by_id = {row.id: row for row in rows}
    return [by_id[row_id] for row_id in ids if row_id in by_id]


def _read(row: Row[Any], now: datetime) -> OutboxRow:
    return OutboxRow(
        id=row.id,
        kind=Work(row.kind),
        brand_id=row.brand_id,
        account_id=row.account_id,
        lead_id=row.lead_id,
        claim_id=row.claim_id,
        payload=row.payload,
        attempts=row.attempts,
        sends=row.sends,
        lease_token=row.lease_token,
        called_at=row.called_at,
        created_at=row.created_at,
        taken_at=now,
    )


# Only the worker that holds the lease may write; a late one changes nothing.
MINE = and_(
    outbox.c.id == bindparam("of_row"),
    outbox.c.lease_token == bindparam("with_token"),
    outbox.c.state == constant(RowState.RUNNING),
)


def _done(now: Any, result_id: Any, reason: Any) -> dict[str, Any]:
    """Values, or the parameters that stand for them."""
    return {
        "state": RowState.DONE.value,
        "done_at": now,
        "result_id": result_id,
        "reason": reason,
        "called_at": None,
        "lease_until": None,
    }


def _calling(mine: ColumnElement[bool]) -> Update:
    called = update(outbox).where(mine, outbox.c.lease_until > bindparam("now"))
    return called.values(called_at=bindparam("now"), sends=outbox.c.sends + 1, lease_until=bindparam("until"))


def _finished(mine: ColumnElement[bool]) -> Update:
    done: dict[str, Any] = {
        "now": bindparam("now"),
        "result_id": bindparam("result"),
        "reason": bindparam("why"),
    }
    return update(outbox).where(mine).values(**_done(**done))


CALLING = _calling(MINE)
CALLING_WITH = CALLING.values(payload=bindparam("new_payload"))
DONE = _finished(MINE)


def _change(tx: Connection, row: OutboxRow, values: dict[str, Any]) -> bool:
    return changed(tx.execute(update(outbox).where(MINE).values(**values), _of(row))) == 1


def _of(row: OutboxRow) -> dict[str, Any]:
    return {"of_row": row.id, "with_token": row.lease_token}


def mark_calling(
    tx: Connection, row: OutboxRow, now: datetime, payload: dict[str, Any] | None = None
) -> bool:
    """The outside call begins now; False when the lease was lost and it must not be made."""
    values = {**_of(row), "now": now, "until": now + LEASE}
    if payload is None:
        return changed(tx.execute(CALLING, values)) == 1
    return changed(tx.execute(CALLING_WITH, {**values, "new_payload": payload})) == 1


def renew_lease(tx: Connection, row: OutboxRow, now: datetime) -> bool:
    """Keep the lease for another while; False when it was lost."""
    return _change(tx, row, {"lease_until": now + LEASE})


def mark_done(tx: Connection, row: OutboxRow, now: datetime, result_id: str = "", reason: str = "") -> bool:
    """The work is done, once: False when another worker, or the echo, was first."""
    values = {**_of(row), "now": now, "result": result_id, "why": reason}
    return changed(tx.execute(DONE, values)) == 1


def mark_again(tx: Connection, row: OutboxRow, next_at: datetime, reason: str, was_accepted: bool) -> bool:
    """Try again at `next_at`. `was_accepted`: it may have been accepted, so it stays counted as a send."""
    values: dict[str, Any] = {
        "state": RowState.READY.value,
        "next_at": next_at,
        "reason": reason,
        "lease_until": None,
    }
    if not was_accepted:
        values |= {"called_at": None, "sends": row.sends}
    return _change(tx, row, values)


def mark_stopped(tx: Connection, row: OutboxRow, state: RowState, reason: str, now: datetime) -> bool:
    """Parked or dead, with its reason. A parked row keeps its count of sends as it was before the call."""
    values: dict[str, Any] = {"state": state.value, "reason": reason, "lease_until": None, "called_at": None}
    values["done_at"] = now if state is RowState.DEAD else None
    if state is RowState.PARKED:
        values["sends"] = row.sends
    return _change(tx, row, values)


def unpark(tx: Connection, account_id: str, now: datetime) -> int:
    """The account works again: everything that waited for it is due."""
    waiting = update(outbox).where(outbox.c.account_id == account_id, outbox.c.state == RowState.PARKED.value)
    return changed(tx.execute(waiting.values(state=RowState.READY.value, next_at=now)))


def unpark_brand_work(tx: Connection, brand_id: str, kinds: Sequence[Work], now: datetime) -> int:
    """The brand's payment keys work again."""
    waiting = update(outbox).where(
        outbox.c.brand_id == brand_id,
        outbox.c.state == RowState.PARKED.value,
        outbox.c.kind.in_([kind.value for kind in kinds]),
    )
    return changed(tx.execute(waiting.values(state=RowState.READY.value, next_at=now)))


def drop_waiting(tx: Connection, lead_id: str, reason: str, now: datetime) -> int:
    """Messages to this person that were not begun are never sent (STOP, erase)."""
    waiting = update(outbox).where(
        outbox.c.lead_id == lead_id,
        outbox.c.state.in_([RowState.READY.value, RowState.PARKED.value]),
        outbox.c.kind.in_([kind.value for kind in TO_A_PERSON]),
        outbox.c.called_at.is_(None),
    )
    return changed(tx.execute(waiting.values(state=RowState.DEAD.value, reason=reason, done_at=now)))


def drop_waiting_offer(tx: Connection, claim_id: str, reason: str, now: datetime) -> int:
    """The offer of a claim that ends is not sent any more, unless its call was begun."""
    waiting = update(outbox).where(
        outbox.c.claim_id == claim_id,
        outbox.c.kind == Work.OFFER.value,
        outbox.c.state.in_([RowState.READY.value, RowState.PARKED.value]),
        outbox.c.called_at.is_(None),
    )
    return changed(tx.execute(waiting.values(state=RowState.DEAD.value, reason=reason, done_at=now)))


def find_by_result(tx: Connection, account_id: str, result_id: str) -> str | None:
    """The row that sent this message, by the platform's id."""
    query = select(outbox.c.id).where(outbox.c.result_id == result_id, outbox.c.account_id == account_id)
    return tx.execute(query).scalars().first()


def list_unconfirmed(tx: Connection, lead_id: str) -> list[OutboxRow]:
    """Messages to this person whose call was begun and whose outcome is not known; locked."""
    query = (
        select(outbox)
        .where(
            outbox.c.lead_id == lead_id,
            outbox.c.state.in_([RowState.RUNNING.value, RowState.READY.value]),
            outbox.c.called_at.is_not(None),
        )
        .order_by(outbox.c.called_at)
        .with_for_update()
    )
    return [_read(row, row.called_at) for row in tx.execute(query)]


def list_doubtful(tx: Connection, lead_id: str) -> list[OutboxRow]:
    """Messages to this person that may have reached them under an id that we never heard."""
    was_lost = or_(outbox.c.sends > 1, outbox.c.reason == "unknown_outcome")
    is_over = outbox.c.state.in_([RowState.DONE.value, RowState.DEAD.value])
    query = select(outbox).where(outbox.c.lead_id == lead_id, is_over, was_lost)
    newest = query.order_by(outbox.c.created_at.desc()).limit(DOUBTFUL_MAX)
    return [_read(row, row.created_at) for row in tx.execute(newest)]


def mark_confirmed(tx: Connection, row_id: str, now: datetime, result_id: str) -> bool:
    """The platform's echo proves that it was sent, whoever holds the lease."""
    query = update(outbox).where(
        outbox.c.id == row_id, outbox.c.state.in_([RowState.RUNNING.value, RowState.READY.value])
    )
    return changed(tx.execute(query.values(**_done(now, result_id, "echo")))) == 1


def count_by_state(tx: Connection) -> dict[str, int]:
    counted = select(outbox.c.state, func.count()).group_by(outbox.c.state)
    return {state: count for state, count in tx.execute(counted)}


def is_waiting(tx: Connection, account_id: str, until: Priority, now: datetime) -> bool:
    """Is due work of this account, as urgent as `until`, still to be taken?"""
    is_it = (outbox.c.account_id == account_id, outbox.c.priority <= int(until))
    is_due = (outbox.c.state == constant(RowState.READY), outbox.c.next_at <= now)
    return bool(tx.execute(select(exists().where(*is_it, *is_due))).scalar_one())


def oldest_ready(tx: Connection, now: datetime) -> datetime | None:
    """Since when has due work been waiting?"""
    query = select(func.min(outbox.c.next_at)).where(outbox.c.state == "ready", outbox.c.next_at <= now)
    found: datetime | None = tx.execute(query).scalar_one()
    return found
