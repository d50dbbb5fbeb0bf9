"""What happened to a follower's claim? Rows are kept; every change names the state it expects."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, select, update

from claimbot.core.claims import COUNTED, LIVE, Claim, State
from claimbot.core.money import Money
from claimbot.db.columns import constant
from claimbot.db.driver import ask
from claimbot.db.engine import changed
from claimbot.db.many import equals, insert_many
from claimbot.db.tables import claims, drops, leads, units, variants


@dataclass(frozen=True, slots=True)
class Origin:
    """Which message made the claim."""

    event_key: str
    keyword: str
    source: str


def read_claim(row: Row[Any]) -> Claim:
    return Claim(
        id=row.id,
        brand_id=row.brand_id,
        drop_id=row.drop_id,
        variant_id=row.variant_id,
        lead_id=row.lead_id,
        state=State(row.state),
        quantity=row.quantity,
        line=row.line,
        place=row.place,
        unit_price=Money(row.price_minor, row.currency),
        livemode=row.livemode,
        token=row.token,
        created_at=row.created_at,
        told_at=row.told_at,
        hold_expires_at=row.hold_expires_at,
        session_epoch=row.session_epoch,
        stripe_session_id=row.stripe_session_id,
        stripe_account=row.stripe_account,
        payment_intent=row.payment_intent,
        ended_reason=row.ended_reason,
        paid_at=row.paid_at,
        paid_minor=row.paid_minor,
        refunded_minor=row.refunded_minor,
    )


INSERT = insert_many(
    claims,
    (
        "id",
        "brand_id",
        "drop_id",
        "variant_id",
        "lead_id",
        "event_key",
        "state",
        "quantity",
        "line",
        "place",
        "price_minor",
        "currency",
        "livemode",
        "stripe_account",
        "token",
        "keyword",
        "source",
        "created_at",
        "paid_at",
    ),
)


def insert_claims(tx: Connection, made: Sequence[tuple[Claim, Origin]]) -> None:
    INSERT.run(tx, [_row(claim, origin) for claim, origin in made])


def _row(claim: Claim, origin: Origin) -> tuple[Any, ...]:
    return (
        claim.id,
        claim.brand_id,
        claim.drop_id,
        claim.variant_id,
        claim.lead_id,
        origin.event_key,
        claim.state.value,
        claim.quantity,
        claim.line,
        claim.place,
        claim.unit_price.minor,
        claim.unit_price.currency,
        claim.livemode,
        claim.stripe_account,
        claim.token,
        origin.keyword,
        origin.source,
        claim.created_at,
        claim.paid_at,
    )


def delete_unmade(tx: Connection, claim_id: str) -> None:
    """Take back a claim of this very transaction; a claim that was committed is never deleted."""
    tx.execute(delete(claims).where(claims.c.id == claim_id))


BY_ID = select(claims).where(claims.c.id == bindparam("of_id"))
BY_ID_LOCKED = BY_ID.with_for_update()


def find_claim(tx: Connection, claim_id: str) -> Claim | None:
    row = tx.execute(BY_ID, {"of_id": claim_id}).first()
    return read_claim(row) if row else None


def list_claims(tx: Connection, claim_ids: Sequence[str]) -> list[Claim]:
    query = select(claims).where(claims.c.id.in_(claim_ids)).order_by(claims.c.line, claims.c.id)
    return [read_claim(row) for row in tx.execute(query)]


def find_by_token(tx: Connection, token: str) -> Claim | None:
    row = tx.execute(select(claims).where(claims.c.token == token)).first()
    return read_claim(row) if row else None


def find_by_session(tx: Connection, session_id: str) -> Claim | None:
    row = tx.execute(select(claims).where(claims.c.stripe_session_id == session_id)).first()
    return read_claim(row) if row else None


def find_by_payment_intent(tx: Connection, payment_intent: str) -> Claim | None:
    row = tx.execute(select(claims).where(claims.c.payment_intent == payment_intent)).first()
    return read_claim(row) if row else None


def lock_claim(tx: Connection, claim_id: str) -> Claim | None:
    """The claim as it is now; nobody else changes it before this transaction ends."""
    row = tx.execute(BY_ID_LOCKED, {"of_id": claim_id}).first()
    return read_claim(row) if row else None


STANDING = (
    select(claims)
    .where(
        claims.c.lead_id.in_(bindparam("of_leads", expanding=True)),
        claims.c.state.in_([constant(state) for state in (*LIVE, State.SOLD, State.GRANTED)]),
    )
    .order_by(claims.c.created_at, claims.c.id)
)


def list_standing(tx: Connection, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Claim]]:
    """(drop, lead) → their claims that live, are sold or granted, oldest first."""
    wanted = set(pairs)
    if not wanted:
        return {}
    found: dict[tuple[str, str], list[Claim]] = {}
    for row in tx.execute(STANDING, {"of_leads": sorted({lead_id for _, lead_id in wanted})}):
        if (row.drop_id, row.lead_id) in wanted:
            found.setdefault((row.drop_id, row.lead_id), []).append(read_claim(row))
    return found


def list_live_of_lead(tx: Connection, lead_id: str) -> list[Claim]:
    states = [*LIVE, State.GRANTED]
    query = select(claims).where(claims.c.lead_id == lead_id, claims.c.state.in_(states))
    return [read_claim(row) for row in tx.execute(query.order_by(claims.c.created_at))]


def list_claims_of_lead(tx: Connection, lead_id: str) -> list[Claim]:
    query = select(claims).where(claims.c.lead_id == lead_id).order_by(claims.c.created_at)
    return [read_claim(row) for row in tx.execute(query)]


def mark_state(tx: Connection, claim: Claim, state: State, **values: Any) -> bool:
    """Move a claim on from the state it was read in; False when somebody else did so first."""
    moved = update(claims).where(claims.c.id == claim.id, claims.c.state == claim.state.value)
    return changed(tx.execute(moved.values(state=state.value, **values))) == 1


def mark_values(tx: Connection, claim_id: str, **values: Any) -> None:
    """Note facts about a claim that do not change its state."""
    tx.execute(update(claims).where(claims.c.id == claim_id).values(**values))


def find_first_waiting(tx: Connection, variant_id: str, until: datetime) -> Claim | None:
    """The first person in line who may be written to up to `until`; locked.

    Waits for who is locked: a person whose reply is being noted this very moment is not passed over.
    """
    waiting = (
        select(claims)
        .join(leads, leads.c.id == claims.c.lead_id)
        .where(
            claims.c.variant_id == variant_id,
            claims.c.state == constant(State.WAITLISTED),
            leads.c.opted_out_at.is_(None),
            leads.c.window_expires_at > until,
        )
        .order_by(claims.c.line, claims.c.id)
        .limit(1)
        .with_for_update(of=claims)
    )
    row = tx.execute(waiting).first()
    return read_claim(row) if row else None


WAITING = and_(claims.c.variant_id == bindparam("of_variant"), claims.c.state == constant(State.WAITLISTED))
COUNT_AHEAD = select(func.count()).select_from(claims).where(WAITING, claims.c.line < bindparam("line"))
LAST_LINE = select(func.coalesce(func.max(claims.c.line), 0)).where(WAITING)


def count_waiting(tx: Connection, variant_id: str, before_line: int | None = None) -> int:
    if before_line is None:
        # Asked for every word of a paid drop.
        query = f"SELECT count(*) FROM claims WHERE {equals(tx, 'variant_id')} AND state = 'waitlisted'"  # noqa: S608 - our own names
        return int(ask(tx, query, (variant_id,))[0][0])
    return int(tx.execute(COUNT_AHEAD, {"of_variant": variant_id, "line": before_line}).scalar_one())


def last_waiting_line(tx: Connection, variant_id: str) -> int:
    """Where the line ends; 0 when nobody waits."""
    return int(tx.execute(LAST_LINE, {"of_variant": variant_id}).scalar_one())


def list_due(tx: Connection, until: datetime, limit: int) -> list[Claim]:
    """Holds whose time ran out; locked, and those that another sweep has are left to it."""
    due = (
        select(claims)
        .where(claims.c.state == constant(State.HELD), claims.c.hold_expires_at <= until)
        .order_by(claims.c.hold_expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [read_claim(row) for row in tx.execute(due)]


def list_untold(tx: Connection, before: datetime, limit: int) -> list[tuple[Claim, datetime | None]]:
    """Holds made or promoted before then whose follower was not told, each with the end of their window."""
    since = func.coalesce(claims.c.promoted_at, claims.c.created_at)
    query = (
        select(claims, leads.c.window_expires_at)
        .join(leads, leads.c.id == claims.c.lead_id)
        .where(claims.c.state == State.HELD.value, claims.c.hold_expires_at.is_(None), since < before)
        .order_by(claims.c.created_at)
        .limit(limit)
        .with_for_update(of=claims, skip_locked=True)
    )
    return [(read_claim(row), row.window_expires_at) for row in tx.execute(query)]


def list_by_state(tx: Connection, drop_id: str, states: Sequence[State], limit: int = 100_000) -> list[Claim]:
    query = (
        select(claims)
        .where(claims.c.drop_id == drop_id, claims.c.state.in_([state.value for state in states]))
        .order_by(claims.c.line, claims.c.id)
        .limit(limit)
    )
    return [read_claim(row) for row in tx.execute(query)]


def list_pending(tx: Connection, limit: int) -> list[Claim]:
    """Claims whose delayed payment is on its way, the oldest first."""
    query = select(claims).where(claims.c.state == State.PENDING.value).order_by(claims.c.created_at)
    return [read_claim(row) for row in tx.execute(query.limit(limit))]


def count_by_state(tx: Connection, drop_id: str) -> dict[State, int]:
    query = select(claims.c.state, func.count()).where(claims.c.drop_id == drop_id).group_by(claims.c.state)
    return {State(state): count for state, count in tx.execute(query)}


def counted_quantity(standing: Iterable[Claim]) -> int:
    """How many units of the drop's limit these claims use."""
    return sum(claim.quantity for claim in standing if claim.state in COUNTED)


def highest_line(tx: Connection, drop_id: str) -> int:
    query = select(func.coalesce(func.max(claims.c.line), 0)).where(claims.c.drop_id == drop_id)
    return int(tx.execute(query).scalar_one())


@dataclass(frozen=True, slots=True)
class Holding:
    """A claim that has units and may still lose them, as the gate must know it."""

    account_id: str
    external_id: str
    variant_id: str
    line: int
    units: tuple[int, ...]


def list_holdings(tx: Connection, drop_id: str) -> list[Holding]:
    query = (
        select(claims.c.id, claims.c.variant_id, claims.c.line, leads.c.account_id, leads.c.external_id)
        .add_columns(units.c.unit_no)
        .join(leads, leads.c.id == claims.c.lead_id)
        .join(units, units.c.claim_id == claims.c.id)
        .where(claims.c.drop_id == drop_id, claims.c.state.in_(list(LIVE)))
        .order_by(claims.c.line, claims.c.id, units.c.unit_no)
    )
    found: dict[str, Holding] = {}
    for row in tx.execute(query):
        before = found[row.id].units if row.id in found else ()
        found[row.id] = Holding(
            row.account_id, row.external_id, row.variant_id, row.line, (*before, row.unit_no)
        )
    return list(found.values())


def list_lines_with_free_units(tx: Connection) -> list[tuple[str, str, int]]:
    """(drop, variant, free units) where somebody waits although units are free, in open drops."""
    free = (
        select(units.c.variant_id, func.count().label("free"))
        .where(units.c.claim_id.is_(None), units.c.state == constant("open"))
        .group_by(units.c.variant_id)
        .subquery()
    )
    waits = select(claims.c.id).where(
        claims.c.variant_id == variants.c.id, claims.c.state == constant(State.WAITLISTED)
    )
    query = (
        select(variants.c.drop_id, variants.c.id, free.c.free)
        .join(free, free.c.variant_id == variants.c.id)
        .join(drops, drops.c.id == variants.c.drop_id)
        .where(drops.c.state == "open", waits.exists())
    )
    return [(row[0], row[1], row[2]) for row in tx.execute(query)]
