"""How does a launch go? Its pace and its funnel, each counted by one question that an index answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    and_,
    case,
    cast,
    distinct,
    extract,
    func,
    literal_column,
    or_,
    select,
    update,
)

from claimbot.core.claims import State
from claimbot.core.messages import Outcome
from claimbot.db.admin_tables import claims, inbox

# A picture has so many bars, whatever the span.
BARS = 60
# The name of a span → seconds of one bar.
SPANS = MappingProxyType({"minute": 1, "5 minutes": 5, "hour": 60, "day": 1_440})
GOT = frozenset((Outcome.HELD, Outcome.GRANTED))
WAITS = frozenset((Outcome.WAITLISTED,))
# A claim in one of these has, or had, a unit; the others are looked at more closely.
HAD_UNIT = (
    State.HELD,
    State.EXPIRING,
    State.PENDING,
    State.SOLD,
    State.DISPUTED,
    State.EXPIRED,
    State.UNREACHABLE,
    State.REFUNDING,
    State.REFUNDED,
)
# Without a clock these never had one.
IN_LINE = (State.WAITLISTED, State.PASSED, State.CANCELLED, State.CLOSED, State.ERASED)


@dataclass(frozen=True, slots=True)
class Funnel:
    """`wrote` counts people, the others claims. Each step is a part of the one before."""

    wrote: int
    held: int
    told: int
    opened: int
    """Went on from our page to Stripe's, or paid: a link straight to Stripe is seen only when it is paid."""
    paid: int
    refunded: int


@dataclass(frozen=True, slots=True)
class Bar:
    """Messages that came from `at` on, until the next bar."""

    at: datetime
    got: int
    waits: int
    others: int

    @property
    def total(self) -> int:
        return self.got + self.waits + self.others


@dataclass(frozen=True, slots=True)
class Pace:
    """The messages of one span, which ends with the latest one."""

    span: str
    seconds: int
    """Of one bar."""
    bars: Sequence[Bar]

    @property
    def most(self) -> int:
        return max(bar.total for bar in self.bars)

    @property
    def peak_per_second(self) -> float:
        return self.most / self.seconds


def mark_opened(tx: Connection, claim_id: str, now: datetime) -> None:
    """The first time stays."""
    mine = and_(claims.c.id == claim_id, claims.c.opened_at.is_(None))
    tx.execute(update(claims).where(mine).values(opened_at=now))


def count_funnel(tx: Connection, drop_id: str) -> Funnel:
    """Who passed on a hold before they were told is counted as if they never had it: nothing shows it."""
    was_paid, has_clock = claims.c.paid_at.is_not(None), claims.c.hold_expires_at.is_not(None)
    never_waited = and_(claims.c.state.not_in([one.value for one in IN_LINE]), claims.c.promoted_at.is_(None))
    # Who waits was told a place in line, which is no unit.
    was_told = and_(claims.c.told_at.is_not(None), or_(has_clock, never_waited))
    had_unit = or_(
        claims.c.state.in_([one.value for one in HAD_UNIT]), was_told, claims.c.promoted_at.is_not(None)
    )
    steps = (
        had_unit,
        or_(was_told, was_paid),
        or_(claims.c.opened_at.is_not(None), was_paid),
        was_paid,
        claims.c.state == State.REFUNDED.value,
    )
    counted = select(*(func.coalesce(func.sum(_one(step)), 0) for step in steps))
    row = tx.execute(counted.where(claims.c.drop_id == drop_id)).one()
    people = select(func.count(distinct(inbox.c.lead_id))).where(inbox.c.drop_id == drop_id)
    wrote = tx.execute(people).scalar_one()
    return Funnel(int(wrote), *(int(count) for count in row))


def _one(step: ColumnElement[bool]) -> ColumnElement[int]:
    return case((step, 1), else_=0)


def find_pace(tx: Connection, drop_id: str, span: str = "") -> Pace | None:
    """None before the first message. Without a known `span`: the shortest that shows the latest day."""
    ends_at = _edge(tx, drop_id, inbox.c.received_at.desc())
    begins_at = _edge(tx, drop_id, inbox.c.received_at.asc())
    if ends_at is None or begins_at is None:
        return None
    chosen = span if span in SPANS else _shortest(ends_at - begins_at)
    seconds = SPANS[chosen]
    last = int(ends_at.timestamp()) // seconds
    first = last - BARS + 1
    counts = count_bars(tx, drop_id, seconds, datetime.fromtimestamp(first * seconds, UTC))
    bars = [_bar(number, seconds, counts.get(number, {})) for number in range(first, last + 1)]
    return Pace(chosen, seconds, bars)


def _edge(tx: Connection, drop_id: str, order: ColumnElement[Any]) -> datetime | None:
    query = select(inbox.c.received_at).where(inbox.c.drop_id == drop_id).order_by(order).limit(1)
    found: datetime | None = tx.execute(query).scalar()
    return found


def _shortest(span: timedelta) -> str:
    fitting = (name for name, seconds in SPANS.items() if span.total_seconds() < seconds * (BARS - 1))
    return next(fitting, "day")


def count_bars(tx: Connection, drop_id: str, seconds: int, since: datetime) -> dict[int, dict[str, int]]:
    """Number of the bar → outcome → messages."""
    if tx.dialect.name == "postgresql":
        epoch: ColumnElement[Any] = func.floor(extract("epoch", inbox.c.received_at))
    else:
        epoch = func.strftime("%s", inbox.c.received_at)
    bar = (cast(epoch, Integer) // literal_column(str(int(seconds)))).label("bar")
    query = (
        select(bar, inbox.c.outcome, func.count())
        .where(inbox.c.drop_id == drop_id, inbox.c.received_at >= since)
        .group_by("bar", inbox.c.outcome)
    )
    found: dict[int, dict[str, int]] = {}
    for number, outcome, count in tx.execute(query):
        found.setdefault(int(number), {})[outcome] = count
    return found


def _bar(number: int, seconds: int, counts: dict[str, int]) -> Bar:
    got = sum(count for outcome, count in counts.items() if outcome in GOT)
    waits = sum(count for outcome, count in counts.items() if outcome in WAITS)
    at = datetime.fromtimestamp(number * seconds, UTC)
    return Bar(at, got, waits, sum(counts.values()) - got - waits)
