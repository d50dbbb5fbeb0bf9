"""Where does a brand listen, and what became of each notice to it?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, insert, or_, select, update

from claimbot.core.webhooks import (
    AGE_MAX,
    FAILURES_MOST,
    DeliveryAttempt,
    Endpoint,
    EndpointState,
    Happening,
    Notice,
    NoticeState,
)
from claimbot.db.columns import constant
from claimbot.db.engine import changed
from claimbot.db.ids import new_id, new_token
from claimbot.db.many import insert_many
from claimbot.db.sealing import Sealer
from claimbot.db.webhook_tables import endpoints, notices

# A turn is over well before it: a few exchanges with a limit of some seconds each.
LEASE = timedelta(seconds=60)


def _place(endpoint_id: str, column: str = "secret") -> str:
    return f"endpoints/{column}/{endpoint_id}"


def insert_endpoint(tx: Connection, sealer: Sealer, endpoint: Endpoint) -> None:
    sealed = sealer.seal(endpoint.secrets[0], _place(endpoint.id))
    tx.execute(
        insert(endpoints).values(
            id=endpoint.id,
            brand_id=endpoint.brand_id,
            url=endpoint.url,
            state=endpoint.state.value,
            secret_sealed=sealed,
            made_at=endpoint.made_at,
        )
    )


def _read(row: Row[Any], secrets: tuple[str, ...] = ()) -> Endpoint:
    return Endpoint(
        id=row.id,
        brand_id=row.brand_id,
        url=row.url,
        state=EndpointState(row.state),
        made_at=row.made_at,
        secrets=secrets,
        failures=row.failures,
        rest_until=row.rest_until,
        lease_token=row.lease_token,
    )


IS_THERE = endpoints.c.state != constant(EndpointState.REMOVED)
OF_BRAND = (
    select(endpoints)
    .where(endpoints.c.brand_id == bindparam("of_brand"), IS_THERE)
    .order_by(endpoints.c.made_at, endpoints.c.id)
)
LISTENERS = select(endpoints.c.id).where(endpoints.c.brand_id == bindparam("of_brand"), IS_THERE)


def list_endpoints(tx: Connection, brand_id: str) -> list[Endpoint]:
    return [_read(row) for row in tx.execute(OF_BRAND, {"of_brand": brand_id})]


def list_listeners(tx: Connection, brand_id: str) -> list[str]:
    """Ids of the endpoints that are to hear of everything; paused ones hear of it later."""
    return list(tx.execute(LISTENERS, {"of_brand": brand_id}).scalars())


def list_listening_brands(tx: Connection) -> set[str]:
    return set(tx.execute(select(endpoints.c.brand_id).where(IS_THERE).distinct()).scalars())


def find_endpoint(tx: Connection, brand_id: str, endpoint_id: str) -> Endpoint | None:
    """None: this brand has no such endpoint."""
    is_it = and_(endpoints.c.id == endpoint_id, endpoints.c.brand_id == brand_id, IS_THERE)
    row = tx.execute(select(endpoints).where(is_it)).first()
    return _read(row) if row else None


def mark_endpoint_state(tx: Connection, endpoint_id: str, state: EndpointState) -> None:
    """A person did it: what went wrong before does not count any more."""
    values: dict[str, Any] = {"state": state.value, "failures": 0, "rest_until": None}
    if state is EndpointState.REMOVED:
        values |= {"url": "", "secret_sealed": "", "old_secret_sealed": "", "old_secret_until": None}
    tx.execute(update(endpoints).where(endpoints.c.id == endpoint_id).values(**values))


def mark_new_secret(
    tx: Connection, sealer: Sealer, endpoint_id: str, secret: str, old_until: datetime
) -> None:
    """The old one signs as well until then."""
    query = select(endpoints.c.secret_sealed).where(endpoints.c.id == endpoint_id)
    old = sealer.unseal(tx.execute(query).scalar_one(), _place(endpoint_id))
    tx.execute(
        update(endpoints)
        .where(endpoints.c.id == endpoint_id)
        .values(
            secret_sealed=sealer.seal(secret, _place(endpoint_id)),
            old_secret_sealed=sealer.seal(old, _place(endpoint_id, "old_secret")),
            old_secret_until=old_until,
        )
    )


@dataclass(frozen=True, slots=True)
class NewNotice:
    """One event for one endpoint; the key keeps the same event from being told twice."""

    brand_id: str
    endpoint_id: str
    dedupe_key: str
    payload: dict[str, Any]


INSERT = insert_many(
    notices,
    (
        "id",
        "brand_id",
        "endpoint_id",
        "dedupe_key",
        "happening",
        "payload",
        "state",
        "created_at",
        "next_at",
    ),
    "ON CONFLICT (dedupe_key) DO NOTHING",
)


def insert_notices(tx: Connection, new: Sequence[NewNotice], now: datetime) -> None:
    INSERT.run(tx, [_values(one, now) for one in new])


def _values(one: NewNotice, now: datetime) -> tuple[Any, ...]:
    head = (new_id("ntc"), one.brand_id, one.endpoint_id, one.dedupe_key)
    return (*head, one.payload["type"], one.payload, NoticeState.WAITING.value, now, now)


IS_WAITING = notices.c.state == constant(NoticeState.WAITING)
IS_DUE = and_(IS_WAITING, notices.c.endpoint_id == endpoints.c.id, notices.c.next_at <= bindparam("now"))
IS_READY = and_(
    endpoints.c.state == constant(EndpointState.LIVE),
    or_(endpoints.c.rest_until.is_(None), endpoints.c.rest_until <= bindparam("now")),
    or_(endpoints.c.lease_until.is_(None), endpoints.c.lease_until < bindparam("now")),
)
READY = (
    select(endpoints.c.id)
    .where(IS_READY, select(notices.c.id).where(IS_DUE).exists())
    # Who was served longest ago comes first, so that many endpoints share few hands.
    .order_by(endpoints.c.lease_until.asc().nulls_first(), endpoints.c.id)
    .limit(bindparam("most"))
)


def list_ready(tx: Connection, now: datetime, most: int) -> list[str]:
    """Endpoints that may be called now and for which something is due."""
    return list(tx.execute(READY, {"now": now, "most": most}).scalars())


LEASE_IT = (
    update(endpoints)
    .where(endpoints.c.id == bindparam("of_id"), IS_READY)
    .values(lease_until=bindparam("until"), lease_token=bindparam("token"))
    .returning(endpoints)
)


def lease(tx: Connection, sealer: Sealer, endpoint_id: str, now: datetime) -> Endpoint | None:
    """Nobody else calls this endpoint meanwhile; with its secrets. None: another worker was first."""
    values = {"of_id": endpoint_id, "now": now, "until": now + LEASE, "token": new_token()}
    row = tx.execute(LEASE_IT, values).first()
    if row is None:
        return None
    secrets = [sealer.unseal(row.secret_sealed, _place(row.id))]
    if row.old_secret_until is not None and row.old_secret_until > now:
        secrets.append(sealer.unseal(row.old_secret_sealed, _place(row.id, "old_secret")))
    return _read(row, tuple(secrets))


def give_back(tx: Connection, endpoint: Endpoint, now: datetime) -> None:
    """The turn is over. The time stays: see READY."""
    mine = and_(endpoints.c.id == endpoint.id, endpoints.c.lease_token == endpoint.lease_token)
    tx.execute(update(endpoints).where(mine).values(lease_until=now, lease_token=""))


def list_due(tx: Connection, endpoint_id: str, now: datetime, most: int) -> list[Notice]:
    """In the order in which they happened, as far as none had to be tried again."""
    is_due = and_(IS_WAITING, notices.c.endpoint_id == endpoint_id, notices.c.next_at <= now)
    query = select(notices).where(is_due).order_by(notices.c.next_at, notices.c.id).limit(most)
    return [_read_notice(row) for row in tx.execute(query)]


def _read_notice(row: Row[Any]) -> Notice:
    return Notice(
        id=row.id,
        endpoint_id=row.endpoint_id,
        happening=Happening(row.happening),
        payload=row.payload,
        state=NoticeState(row.state),
        attempts=row.attempts,
        status=row.status,
        reason=row.reason,
        created_at=row.created_at,
        tried_at=row.tried_at,
        next_at=row.next_at,
    )


def mark_tried(
    tx: Connection, notice: Notice, done: DeliveryAttempt, now: datetime, next_at: datetime
) -> None:
    """What became of an attempt. A notice that was given up meanwhile, or delivered by another, stays so."""
    state = NoticeState.DELIVERED if done.is_accepted else NoticeState.WAITING
    values = {"state": state.value, "attempts": notice.attempts + 1, "status": done.status}
    tx.execute(
        update(notices)
        .where(notices.c.id == notice.id, IS_WAITING)
        .values(**values, reason=done.reason, tried_at=now, next_at=next_at)
    )


def mark_working(tx: Connection, endpoint: Endpoint) -> None:
    """It accepted one."""
    it = update(endpoints).where(endpoints.c.id == endpoint.id, endpoints.c.failures > 0)
    tx.execute(it.values(failures=0, rest_until=None))


def mark_failing(tx: Connection, endpoint: Endpoint, rest_until: datetime | None) -> None:
    it = update(endpoints).where(endpoints.c.id == endpoint.id)
    tx.execute(it.values(failures=endpoints.c.failures + 1, rest_until=rest_until))


def hurry(tx: Connection, endpoint_id: str, now: datetime) -> int:
    """It works again: what failed while it was away is due at once."""
    waiting = and_(notices.c.endpoint_id == endpoint_id, IS_WAITING, notices.c.next_at > now)
    return changed(tx.execute(update(notices).where(waiting).values(next_at=now)))


def list_away(tx: Connection, since: datetime) -> dict[str, str]:
    """endpoint → brand, of those that refuse again and again while something waits from before `since`."""
    is_old = and_(IS_WAITING, notices.c.endpoint_id == endpoints.c.id, notices.c.created_at < since)
    fails = and_(endpoints.c.state == constant(EndpointState.LIVE), endpoints.c.failures >= FAILURES_MOST)
    which = select(endpoints.c.id, endpoints.c.brand_id)
    query = which.where(fails, select(notices.c.id).where(is_old).exists())
    return {row.id: row.brand_id for row in tx.execute(query)}


def give_up_old(tx: Connection, now: datetime) -> dict[tuple[str, str], int]:
    """(brand, endpoint) → how many notices are given up because they could not be told for a day."""
    old = update(notices).where(IS_WAITING, notices.c.created_at < now - AGE_MAX)
    reason = func.coalesce(func.nullif(notices.c.reason, ""), "not_called")
    given_up = old.values(state=NoticeState.GIVEN_UP.value, reason=reason)
    found: dict[tuple[str, str], int] = {}
    for row in tx.execute(given_up.returning(notices.c.brand_id, notices.c.endpoint_id)):
        found[row.brand_id, row.endpoint_id] = found.get((row.brand_id, row.endpoint_id), 0) + 1
    return found


def give_up_removed(tx: Connection) -> None:
    """A person removed their endpoint; a change that went on at that moment may have written one more."""
    gone = select(endpoints.c.id).where(endpoints.c.state == constant(EndpointState.REMOVED))
    waiting = update(notices).where(notices.c.endpoint_id.in_(gone), IS_WAITING)
    tx.execute(waiting.values(state=NoticeState.GIVEN_UP.value, reason="removed"))


def purge_notices(tx: Connection, before: datetime) -> int:
    is_old = and_(notices.c.created_at < before, notices.c.state != NoticeState.WAITING.value)
    return changed(tx.execute(delete(notices).where(is_old)))


def list_latest(tx: Connection, brand_id: str, most: int) -> list[Notice]:
    query = select(notices).where(notices.c.brand_id == brand_id)
    newest = query.order_by(notices.c.created_at.desc(), notices.c.id.desc()).limit(most)
    return [_read_notice(row) for row in tx.execute(newest)]


def resend(tx: Connection, brand_id: str, notice_id: str, now: datetime) -> bool:
    """Once more, at once, under the same id, with a day to arrive. False: this brand cannot send it again."""
    is_it = and_(notices.c.id == notice_id, notices.c.brand_id == brand_id)
    there = and_(endpoints.c.id == notices.c.endpoint_id, IS_THERE)
    again = update(notices).where(is_it, select(endpoints.c.id).where(there).exists())
    values = {"state": NoticeState.WAITING.value, "attempts": 0, "next_at": now, "created_at": now}
    endpoint_id = tx.execute(again.values(**values).returning(notices.c.endpoint_id)).scalar()
    if endpoint_id is None:
        return False
    tx.execute(update(endpoints).where(endpoints.c.id == endpoint_id).values(rest_until=None))
    return True


@dataclass(frozen=True, slots=True)
class Backlog:
    """How an endpoint of a brand is doing."""

    endpoint: Endpoint
    waiting: int
    given_up: int


def list_backlogs(tx: Connection, brand_id: str | None = None) -> list[Backlog]:
    """Of every endpoint that is not removed; of one brand or of all."""
    which = (notices.c.endpoint_id, notices.c.state)
    undone = select(*which, func.count()).where(notices.c.state != NoticeState.DELIVERED.value)
    counts = {(row[0], row[1]): int(row[2]) for row in tx.execute(undone.group_by(*which))}
    query = select(endpoints).where(IS_THERE).order_by(endpoints.c.made_at, endpoints.c.id)
    if brand_id is not None:
        query = query.where(endpoints.c.brand_id == brand_id)
    return [
        Backlog(
            _read(row),
            counts.get((row.id, NoticeState.WAITING.value), 0),
            counts.get((row.id, NoticeState.GIVEN_UP.value), 0),
        )
        for row in tx.execute(query)
    ]
