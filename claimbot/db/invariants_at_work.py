"""Which work was left undone? The checks on money, messages, holds and lines; see invariants.py."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, exists, func, literal, or_, select

from claimbot.core.claims import State
from claimbot.core.followers import WINDOW_MARGIN
from claimbot.core.messages import Outcome
from claimbot.core.outbox import AGE_MAX, SENDS_MAX, RowState, Work
from claimbot.core.webhooks import AGE_MAX as WEBHOOK_AGE_MAX
from claimbot.db.columns import constant
from claimbot.db.invariants import Check, Look, few, words_of
from claimbot.db.tables import (
    accounts,
    alerts,
    audit,
    checkouts,
    claims,
    drops,
    inbox,
    leads,
    outbox,
    payment_events,
    units,
)
from claimbot.db.units import FREE
from claimbot.db.webhook_tables import notices

# Ending a hold takes a sweep and a call; this long after the grace it is late.
HOLD_LATE = timedelta(seconds=30)
# A unit that came back goes to the line at once, or, when its proposal was lost, after the gate was compared.
LINE_LATE = timedelta(seconds=90)
# Giving up old work takes one more try, and tries are at most five minutes apart.
AGE_LATE = timedelta(minutes=10)
# A transaction that took its time and its line here may commit this much later: on SQLite it waits five
# seconds for its turn in the process, and five for the other processes.
COMMIT_LATE = timedelta(seconds=10)
# How many places in line are looked at more closely.
SUSPECTS_MOST = 2_000

REFUSED = "checkout.session.async_payment_failed"
OPEN_ROWS = (constant(RowState.READY), constant(RowState.RUNNING))
PAID_STATES = (State.PENDING, State.SOLD, State.DISPUTED, State.REFUNDING, State.REFUNDED)
# Every event that ends so is answered; the others only sometimes, by their reason.
ANSWERED = (
    Outcome.HELD,
    Outcome.ALREADY_HELD,
    Outcome.ALREADY_SOLD,
    Outcome.WAITLISTED,
    Outcome.ALREADY_WAITLISTED,
    Outcome.SOLD_OUT,
    Outcome.LIMIT_REACHED,
    Outcome.NOT_OPEN_YET,
    Outcome.PAUSED,
    Outcome.CLOSED,
    Outcome.WHICH_VARIANT,
    Outcome.UNKNOWN_VARIANT,
    Outcome.GRANTED,
    Outcome.PASSED,
    Outcome.OPTED_IN,
    Outcome.HELP,
)


def _is_alerted(kinds: Sequence[str], subject: ColumnElement[Any]) -> ColumnElement[bool]:
    """A person was told of it, and it is not mended yet."""
    return exists().where(
        alerts.c.kind.in_(kinds), alerts.c.subject == subject, alerts.c.cleared_at.is_(None)
    )


def paid_item(tx: Connection, look: Look) -> Iterator[str]:
    """I4. A session that Stripe completed was sold, is on its way back, or waits for a person."""
    refund = exists().where(outbox.c.dedupe_key == literal("refund:").concat(checkouts.c.session_id))
    told = and_(payment_events.c.claim_id == claims.c.id, payment_events.c.reason == "payment_failed")
    # Whoever paid on another session before their bank refused this one keeps what they paid for.
    refused = and_(payment_events.c.type == REFUSED, payment_events.c.object_id == checkouts.c.session_id)
    explained = exists().where(or_(told, refused, _is_review(claims.c.id)))
    # Money that does not fit its offer; the alert stays in the table when a person has cleared it.
    reviewed = exists().where(alerts.c.kind == "review", alerts.c.subject == checkouts.c.session_id)
    is_its_own = and_(
        claims.c.state.in_(words_of(PAID_STATES)), claims.c.stripe_session_id == checkouts.c.session_id
    )
    nothing = (
        select(checkouts.c.claim_id, checkouts.c.session_id, claims.c.state)
        .join(claims, claims.c.id == checkouts.c.claim_id)
        .where(checkouts.c.state == "complete", ~or_(is_its_own, refund, explained, reviewed))
    )
    for row in few(tx, nothing):
        yield f"session {row.session_id} is complete, but claim {row.claim_id} is {row.state}"
    key = literal("refund:").concat(claims.c.stripe_session_id)
    on_its_way = exists().where(outbox.c.dedupe_key == key, outbox.c.state != RowState.DEAD.value)
    is_stuck = ~or_(on_its_way, _is_alerted(["refund"], claims.c.id))
    owed = select(claims.c.id).where(claims.c.state == State.REFUNDING.value)
    for row in few(tx, owed if look.is_at_rest else owed.where(is_stuck)):
        yield f"claim {row.id} is owed its money and nobody sends it back"


def _is_review(claim_id: ColumnElement[Any]) -> ColumnElement[bool]:
    return and_(payment_events.c.claim_id == claim_id, payment_events.c.outcome == "review")


def answered(tx: Connection, _look: Look) -> Iterator[str]:
    """I8. Whether an answer is still to come in time is the business of I10."""
    unended = select(inbox.c.event_key).where(inbox.c.outcome == "")
    for row in few(tx, unended):
        yield f"event {row.event_key} has no outcome"
    keys = [literal(f"{kind.value}:").concat(inbox.c.event_key) for kind in (Work.REPLY, Work.OFFER)]
    silent = select(inbox.c.event_key, inbox.c.outcome).where(
        inbox.c.outcome.in_([outcome.value for outcome in ANSWERED]),
        ~exists().where(outbox.c.dedupe_key.in_(keys)),
    )
    for row in few(tx, silent):
        yield f"event {row.event_key} ended as {row.outcome} and was never answered"
    is_mute = and_(outbox.c.state == RowState.DEAD.value, outbox.c.reason == "")
    for row in few(tx, select(outbox.c.id).where(is_mute)):
        yield f"outbox {row.id} was given up without a reason"
    for row in few(tx, select(outbox.c.id, outbox.c.sends).where(outbox.c.sends > SENDS_MAX)):
        yield f"outbox {row.id} was sent {row.sends} times"


def no_undersell(tx: Connection, look: Look) -> Iterator[str]:
    """I9. While work goes on, a unit or a person that came just now is not reported."""
    for row in tx.execute(_first_in_line(look)):
        is_enough = row.free >= row.quantity or row.is_partial_allowed
        if is_enough and (look.is_at_rest or _is_old(tx, row, look.now - LINE_LATE)):
            yield f"claim {row.id} waits although variant {row.variant_id} has {row.free} free units"
    for row in few(tx, _late_holds(look)):
        yield f"claim {row.id} is {row.state} although its time is over"
    offer = exists().where(
        outbox.c.claim_id == claims.c.id,
        outbox.c.kind == Work.OFFER.value,
        outbox.c.state.not_in([RowState.DONE.value, RowState.DEAD.value]),
    )
    lost = select(claims.c.id).where(
        claims.c.state == constant(State.HELD), claims.c.hold_expires_at.is_(None), ~offer
    )
    for row in few(tx, lost):
        yield f"claim {row.id} is held, its clock does not run, and no offer is on its way"


def _first_in_line(look: Look) -> Select[Any]:
    """The first reachable person of each line that has free units, in drops that take claims now."""
    free = select(units.c.variant_id, func.count().label("free")).where(FREE).group_by(units.c.variant_id)
    spare = free.subquery()
    nth = func.row_number().over(partition_by=claims.c.variant_id, order_by=(claims.c.line, claims.c.id))
    waiting = (
        select(
            claims.c.id,
            claims.c.variant_id,
            claims.c.drop_id,
            claims.c.quantity,
            claims.c.created_at,
            leads.c.last_seen_at,
            drops.c.opens_at,
            drops.c.is_partial_allowed,
            spare.c.free,
            nth.label("nth"),
        )
        .join(spare, spare.c.variant_id == claims.c.variant_id)
        .join(leads, leads.c.id == claims.c.lead_id)
        .join(drops, drops.c.id == claims.c.drop_id)
        .where(
            claims.c.state == constant(State.WAITLISTED),
            leads.c.opted_out_at.is_(None),
            leads.c.window_expires_at > look.now + WINDOW_MARGIN,
            drops.c.state == "open",
            or_(drops.c.opens_at.is_(None), drops.c.opens_at <= look.now),
            or_(drops.c.closes_at.is_(None), drops.c.closes_at > look.now),
        )
        .subquery()
    )
    return select(waiting).where(waiting.c.nth == 1)


def _is_old(tx: Connection, row: Row[Any], before: datetime) -> bool:
    """Has nothing changed around this line since then: no message, no end of a claim, no edit of the drop?"""
    if max(row.last_seen_at, row.created_at, row.opens_at or row.created_at) > before:
        return False
    ended = exists().where(claims.c.variant_id == row.variant_id, claims.c.ended_at > before)
    edited = exists().where(audit.c.subject == row.drop_id, audit.c.at > before)
    return not tx.execute(select(or_(ended, edited))).scalar_one()


def _late_holds(look: Look) -> Select[Any]:
    late = look.now - look.hold_grace - HOLD_LATE
    ending = exists().where(
        outbox.c.claim_id == claims.c.id, outbox.c.kind == Work.EXPIRE.value, outbox.c.created_at <= late
    )
    is_expiring = claims.c.state == State.EXPIRING.value
    is_late = or_(
        and_(claims.c.state == State.HELD.value, claims.c.hold_expires_at <= late),
        and_(is_expiring, or_(claims.c.hold_expires_at <= late, ending)),
    )
    is_known = _is_alerted(["stripe_unreachable", "stripe"], claims.c.brand_id)
    query = select(claims.c.id, claims.c.state)
    return query.where(or_(is_late, is_expiring) if look.is_at_rest else and_(is_late, ~is_known))


def drained(tx: Connection, look: Look) -> Iterator[str]:
    """I10. What waits for a person or for a silent Stripe may be old, if somebody was told."""
    parked = select(accounts.c.id).where(accounts.c.state == "parked")
    waits = and_(outbox.c.account_id.is_not(None), outbox.c.account_id.in_(parked))
    money = outbox.c.kind.in_([Work.EXPIRE.value, Work.REFUND.value])
    is_known = and_(money, _is_alerted(["stripe_unreachable", "stripe"], outbox.c.brand_id))
    unfinished = select(outbox.c.id, outbox.c.kind).where(outbox.c.state.in_(OPEN_ROWS), ~waits)
    old = unfinished.where(outbox.c.created_at < look.now - AGE_MAX - AGE_LATE, ~is_known)
    for row in few(tx, old):
        yield f"outbox {row.id} ({row.kind}) is older than a day and not finished"
    if look.is_at_rest:
        is_due = or_(outbox.c.state == RowState.RUNNING.value, outbox.c.next_at <= look.now)
        for row in few(tx, unfinished.where(is_due)):
            yield f"outbox {row.id} ({row.kind}) is due and not done"
    told = or_(_is_alerted(["account"], outbox.c.account_id), _is_alerted(["stripe"], outbox.c.brand_id))
    silent = and_(outbox.c.state == RowState.PARKED.value, or_(outbox.c.reason == "", ~told))
    for row in few(tx, select(outbox.c.id).where(silent)):
        yield f"outbox {row.id} is parked without a reason or an alert"
    is_unsaid = or_(accounts.c.reason == "", ~_is_alerted(["account"], accounts.c.id))
    for row in few(tx, select(accounts.c.id).where(accounts.c.state == "parked", is_unsaid)):
        yield f"account {row.id} is parked without a reason or an alert"
    yield from _notices_left(tx, look)


def _notices_left(tx: Connection, look: Look) -> Iterator[str]:
    """An endpoint of a brand may be away for a day; what it never heard is given up aloud."""
    late = look.now - WEBHOOK_AGE_MAX - AGE_LATE
    is_old = and_(notices.c.state == constant("waiting"), notices.c.created_at < late)
    for row in few(tx, select(notices.c.id).where(is_old)):
        yield f"notice {row.id} is older than a day and not finished"
    is_told = exists().where(alerts.c.kind == "webhook", alerts.c.subject == notices.c.endpoint_id)
    is_silent = or_(notices.c.reason == "", and_(notices.c.reason != "removed", ~is_told))
    for row in few(tx, select(notices.c.id).where(notices.c.state == "given_up", is_silent)):
        yield f"notice {row.id} was given up without a reason or an alert"


def line_order(tx: Connection, _look: Look) -> Iterator[str]:
    """I11. Was anybody served who stood behind somebody that could have been served?

    Sees, for each person in line, the first and the last promotion and the last newcomer behind them. Cannot
    see when a person was reachable in the past: a window is only sure from the moment at which we heard their
    last message to its end, so who has written again since, or left the line, is not reported.
    """
    for row in tx.execute(_passed_over().limit(SUSPECTS_MOST)):
        moments = (row.promoted_behind, row.first_behind)
        if any(moment and _could_be_served(row, moment) for moment in moments):
            yield f"claim {row.id} stood before somebody who was promoted earlier"
        elif row.newcomer_behind and _was_in_line(row, row.newcomer_behind):
            yield f"claim {row.id} waited while a newcomer behind it got a unit"


def _could_be_served(row: Row[Any], moment: datetime) -> bool:
    if not _was_in_line(row, moment) or row.opted_out_at is not None or row.window_expires_at is None:
        return False
    # A message may come long after it was written; before it came nobody could be reached by it.
    heard_at = max(row.last_seen_at, row.heard_at or row.last_seen_at)
    return bool(heard_at + COMMIT_LATE < moment < row.window_expires_at - WINDOW_MARGIN)


def _was_in_line(row: Row[Any], moment: datetime) -> bool:
    is_still_in_line = not row.promoted_at or moment + COMMIT_LATE < row.promoted_at
    return bool(row.created_at + COMMIT_LATE < moment and is_still_in_line)


# Who was given a unit without waiting is in one of these, or left them for a state that waiters reach too.
SERVED = (*PAID_STATES, State.HELD, State.EXPIRING, State.EXPIRED, State.UNREACHABLE)


def _passed_over() -> Select[Any]:
    """Places in line with what happened behind them, where that is suspicious at all."""
    is_new = and_(claims.c.promoted_at.is_(None), claims.c.state.in_(words_of(SERVED)))
    newcomer = case((is_new, claims.c.created_at), else_=None)
    # `range` leaves out who has the same number.
    behind: dict[str, Any] = {
        "partition_by": claims.c.variant_id,
        "order_by": claims.c.line.desc(),
        "range_": (None, -1),
    }
    line = (
        select(
            claims.c.id,
            claims.c.lead_id,
            claims.c.state,
            claims.c.created_at,
            claims.c.promoted_at,
            func.max(claims.c.promoted_at).over(**behind).label("promoted_behind"),
            func.min(claims.c.promoted_at).over(**behind).label("first_behind"),
            func.max(newcomer).over(**behind).label("newcomer_behind"),
        )
        .where(or_(claims.c.promoted_at.is_not(None), claims.c.state == State.WAITLISTED.value, is_new))
        .subquery()
    )
    waits = line.c.state == State.WAITLISTED.value
    is_suspect = or_(
        and_(
            waits, or_(line.c.promoted_behind > line.c.created_at, line.c.newcomer_behind > line.c.created_at)
        ),
        and_(line.c.first_behind > line.c.created_at, line.c.first_behind < line.c.promoted_at),
    )
    heard_at = select(func.max(inbox.c.received_at)).where(inbox.c.lead_id == leads.c.id).scalar_subquery()
    seen = select(
        line,
        leads.c.last_seen_at,
        leads.c.window_expires_at,
        leads.c.opted_out_at,
        heard_at.label("heard_at"),
    )
    return seen.join(leads, leads.c.id == line.c.lead_id).where(is_suspect)


CHECKS: Mapping[str, Check] = MappingProxyType(
    {"I4": paid_item, "I8": answered, "I9": no_undersell, "I10": drained, "I11": line_order}
)
