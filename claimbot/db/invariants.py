"""Which rows break a promise of the design? Each check is a question to the ledger; no answer is good news.

A check yields one sentence for each broken row, with its id and nothing personal, and looks at most at
`ROWS_MOST` rows: the first few tell as much as all. Where the ledger keeps too little to be sure, a check
stays silent; its docstring says what it cannot see.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    text,
)

from claimbot.core.claims import COUNTED, ENDED, LIVE, WITH_UNIT, State
from claimbot.db.tables import (
    accounts,
    audit,
    checkouts,
    claims,
    drops,
    inbox,
    keywords,
    leads,
    outbox,
    payment_events,
    units,
    variants,
)

ROWS_MOST = 50
# All questions together take seconds on a ledger of a million rows; nothing waits for them.
STATEMENT_TIMEOUT_MS = 60_000

Check = Callable[[Connection, "Look"], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Look:
    """When we look, and how strictly. At rest everything that is due has been done."""

    now: datetime
    hold_grace: timedelta
    is_at_rest: bool = False


def be_patient(tx: Connection) -> None:
    """For this transaction only: statements may take longer than those that a follower waits for."""
    if tx.dialect.name == "postgresql":
        tx.execute(text(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}"))


def few(tx: Connection, query: Select[Any]) -> Sequence[Row[Any]]:
    return tx.execute(query.limit(ROWS_MOST)).all()


def words_of(states: Sequence[State]) -> list[str]:
    return [state.value for state in states]


def stock(tx: Connection, _look: Look) -> Iterator[str]:
    """I1. Units that a refund took off sale are missing from the open ones, and from nothing else."""
    owned = func.count(units.c.unit_no)
    wrong = (
        select(claims.c.id, claims.c.quantity, owned.label("owned"))
        .outerjoin(units, units.c.claim_id == claims.c.id)
        .where(claims.c.state.in_(words_of(WITH_UNIT)))
        .group_by(claims.c.id, claims.c.quantity)
        .having(owned != claims.c.quantity)
    )
    for row in few(tx, wrong):
        yield f"claim {row.id} owns {row.owned} units of {row.quantity}"
    is_wrong = or_(
        claims.c.state.not_in(words_of(WITH_UNIT)),
        claims.c.variant_id != units.c.variant_id,
        units.c.state != "open",
    )
    strays = select(units.c.variant_id, units.c.unit_no, claims.c.id, claims.c.state)
    for row in few(tx, strays.join(claims, claims.c.id == units.c.claim_id).where(is_wrong)):
        yield f"unit {row.unit_no} of variant {row.variant_id} is with claim {row.id}, which is {row.state}"
    for row in _counted_variants(tx):
        less = row.stock_units - row.open
        if row.created != row.highest or not 0 <= less <= min(row.retired, row.refunded):
            yield f"variant {row.id} has {row.open} open units of {row.stock_units}, {row.created} in all"


def _counted_variants(tx: Connection) -> Sequence[Row[Any]]:
    """Each variant with its units: open, retired, created, the highest number, and how many were refunded."""
    counted = (
        select(
            units.c.variant_id,
            func.count().label("created"),
            func.max(units.c.unit_no).label("highest"),
            func.sum(case((units.c.state == "open", 1), else_=0)).label("open"),
            func.sum(case((units.c.state == "retired", 1), else_=0)).label("retired"),
        )
        .group_by(units.c.variant_id)
        .subquery()
    )
    refunded = _quantities([State.REFUNDED], "refunded")
    sold = _quantities([State.SOLD, State.DISPUTED], "sold")
    names = ("created", "highest", "open", "retired")
    query = (
        select(
            variants.c.id,
            variants.c.stock_units,
            *(func.coalesce(counted.c[name], 0).label(name) for name in names),
            func.coalesce(refunded.c.refunded, 0).label("refunded"),
            func.coalesce(sold.c.sold, 0).label("sold"),
        )
        .outerjoin(counted, counted.c.variant_id == variants.c.id)
        .outerjoin(refunded, refunded.c.variant_id == variants.c.id)
        .outerjoin(sold, sold.c.variant_id == variants.c.id)
    )
    return list(tx.execute(query))


def _quantities(states: Sequence[State], name: str) -> Any:
    total = func.sum(claims.c.quantity).label(name)
    query = select(claims.c.variant_id, total).where(claims.c.state.in_(words_of(states)))
    return query.group_by(claims.c.variant_id).subquery()


def oversell(tx: Connection, _look: Look) -> Iterator[str]:
    """I2. What was sold against what exists; and nobody was told a number that does not exist."""
    for row in _counted_variants(tx):
        if row.sold > row.open:
            yield f"variant {row.id} has sold {row.sold} units of {row.open}"
    is_there = exists().where(units.c.variant_id == claims.c.variant_id, units.c.unit_no == claims.c.place)
    nowhere = select(claims.c.id, claims.c.place).where(
        claims.c.state.in_(words_of(WITH_UNIT)), claims.c.place > 0, ~is_there
    )
    for row in few(tx, nowhere):
        yield f"claim {row.id} was told unit {row.place}, which does not exist"


def one_claim(tx: Connection, _look: Look) -> Iterator[str]:
    """I3. Does not report claims that were made before their drop's limit was changed."""
    pair = (claims.c.drop_id, claims.c.lead_id)
    live = select(*pair).where(claims.c.state.in_(words_of(LIVE)))
    for row in few(tx, live.group_by(*pair).having(func.count() > 1)):
        yield f"lead {row.lead_id} has several live claims in drop {row.drop_id}"
    used, newest = func.sum(claims.c.quantity), func.max(claims.c.created_at)
    over = (
        select(*pair, newest.label("newest"))
        .join(drops, drops.c.id == claims.c.drop_id)
        .where(claims.c.state.in_(words_of(COUNTED)))
        .group_by(*pair, drops.c.per_follower_limit)
        .having(used > drops.c.per_follower_limit)
    )
    suspects = few(tx, over)
    changed_at = _limit_changes(tx, [row.drop_id for row in suspects])
    for row in suspects:
        if row.drop_id not in changed_at or changed_at[row.drop_id] < row.newest:
            yield f"lead {row.lead_id} has more units than the limit of drop {row.drop_id}"
    twice = select(claims.c.event_key).where(claims.c.event_key != "").group_by(claims.c.event_key)
    for row in few(tx, twice.having(func.count() > 1)):
        yield f"event {row.event_key} made several claims"


def _limit_changes(tx: Connection, drop_ids: Sequence[str]) -> dict[str, datetime]:
    """drop → when its limit per follower was last changed, as its audit lines say."""
    if not drop_ids:
        return {}
    lines = select(audit.c.subject, audit.c.at, audit.c.facts).where(audit.c.subject.in_(drop_ids))
    found = tx.execute(lines.order_by(audit.c.id))
    return {row.subject: row.at for row in found if "per_follower_limit" in row.facts}


def known_states(tx: Connection, _look: Look) -> Iterator[str]:
    """I12. Every claim is in a state of the table, and has the facts that its state rests on."""
    is_paid = claims.c.paid_at.is_not(None)
    paid = (State.SOLD, State.DISPUTED, State.REFUNDING, State.REFUNDED)
    rules: tuple[tuple[str, ColumnElement[bool]], ...] = (
        ("is in no known state", claims.c.state.not_in(words_of(list(State)))),
        ("was never paid", and_(claims.c.state.in_(words_of(paid)), ~is_paid)),
        ("was paid once", and_(claims.c.state.in_(words_of((*LIVE, *ENDED, State.GRANTED))), is_paid)),
        ("has no end", and_(claims.c.state.in_(words_of(ENDED)), claims.c.ended_at.is_(None))),
        ("has ended before", and_(claims.c.state.in_(words_of(LIVE)), claims.c.ended_at.is_not(None))),
        (
            "got no money back",
            and_(
                claims.c.state == State.REFUNDED.value, claims.c.paid_minor > 0, claims.c.refunded_minor <= 0
            ),
        ),
        (
            "has a clock without being told",
            and_(claims.c.hold_expires_at.is_not(None), claims.c.told_at.is_(None)),
        ),
    )
    why = case(*((rule, saying) for saying, rule in rules), else_="")
    wrong = select(claims.c.id, claims.c.state, why.label("why")).where(or_(*(rule for _, rule in rules)))
    for row in few(tx, wrong):
        yield f"claim {row.id} is {row.state} and {row.why}"


# child → the parents whose brand must be its own, with the column that leads there
FAMILIES: tuple[tuple[Table, str, tuple[tuple[Table, str], ...]], ...] = (
    (claims, "id", ((drops, "drop_id"), (leads, "lead_id"))),
    (leads, "id", ((accounts, "account_id"),)),
    (keywords, "id", ((drops, "drop_id"),)),
    (checkouts, "claim_id", ((claims, "claim_id"),)),
    (outbox, "id", ((accounts, "account_id"), (leads, "lead_id"), (claims, "claim_id"))),
    (
        inbox,
        "event_key",
        ((accounts, "account_id"), (leads, "lead_id"), (drops, "drop_id"), (claims, "claim_id")),
    ),
    (payment_events, "event_id", ((claims, "claim_id"),)),
)


def tenant(tx: Connection, _look: Look) -> Iterator[str]:
    """I7. Everything that hangs together belongs to one brand."""
    for child, name, parents in FAMILIES:
        query = select(child.c[name].label("name"))
        differs = []
        for parent, column in parents:
            other = parent.alias()
            query = query.outerjoin(other, other.c.id == child.c[column])
            differs.append(other.c.brand_id != child.c.brand_id)
        for row in few(tx, query.where(or_(*differs))):
            yield f"{child.name} {row.name} belongs to one brand and hangs on another's row"
    of_drop = select(claims.c.id).join(variants, variants.c.id == claims.c.variant_id)
    for row in few(tx, of_drop.where(variants.c.drop_id != claims.c.drop_id)):
        yield f"claims {row.id} has a variant of another drop"


RULES: Mapping[str, Check] = MappingProxyType(
    {"I1": stock, "I2": oversell, "I3": one_claim, "I7": tenant, "I12": known_states}
)
