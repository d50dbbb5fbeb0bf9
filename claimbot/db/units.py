"""Which unit belongs to whom? The last word on stock: one conditional update, or not at all."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from operator import itemgetter

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, text, update

from claimbot.db.columns import constant
from claimbot.db.many import update_many
from claimbot.db.tables import units

FREE: ColumnElement[bool] = and_(units.c.claim_id.is_(None), units.c.state == constant("open"))

# So many new units change what PostgreSQL should expect of the table.
NEWS_FROM = 100

TAKE = update_many(
    units,
    ("claim_id",),
    ("variant_id", "unit_no"),
    only="units.claim_id IS NULL AND units.state = 'open'",
)


@dataclass(frozen=True, slots=True)
class Taking:
    """A claim that wants these units of a variant."""

    claim_id: str
    variant_id: str
    units: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StockCount:
    """How many units of a variant there are, by what became of them."""

    open: int
    taken: int
    free: int
    retired: int


def insert_units(tx: Connection, variant_id: str, numbers: Sequence[int]) -> None:
    rows = [{"variant_id": variant_id, "unit_no": number} for number in numbers]
    if rows:
        tx.execute(insert(units), rows)
    if len(rows) >= NEWS_FROM and tx.dialect.name == "postgresql":
        # Until it looks by itself, a minute later, it takes free units for rare: all are read for each claim.
        tx.execute(text("ANALYZE (SKIP_LOCKED) units"))


def take_units(tx: Connection, takings: Sequence[Taking]) -> list[Taking]:
    """Give each claim its proposed units; returns the takings that lost, because their gate was stale.

    A taking that lost keeps none of its units.
    """
    wanted = [(taking.claim_id, taking.variant_id, number) for taking in takings for number in taking.units]
    # Always in the same order, so that two transactions never wait for each other.
    wanted.sort(key=itemgetter(1, 2))
    if TAKE.run(tx, wanted) == len(wanted):
        return []
    got = count_taken(tx, [taking.claim_id for taking in takings])
    lost = [taking for taking in takings if got.get(taking.claim_id, 0) != len(taking.units)]
    free_units(tx, [taking.claim_id for taking in lost])
    return lost


def take_any(
    tx: Connection, claim_id: str, variant_id: str, most: int, only: Collection[int] | None = None
) -> tuple[int, ...]:
    """Take up to `most` free units straight from the ledger, lowest first; `only` of these, if given."""
    free = select(units.c.unit_no).where(units.c.variant_id == variant_id, FREE)
    if only is not None:
        free = free.where(units.c.unit_no.in_(sorted(only)))
    locked = free.order_by(units.c.unit_no).limit(most).with_for_update(skip_locked=True)
    numbers = tuple(tx.execute(locked).scalars())
    take_units(tx, [Taking(claim_id, variant_id, numbers)])
    return numbers


def count_taken(tx: Connection, claim_ids: Sequence[str]) -> dict[str, int]:
    counted = (
        select(units.c.claim_id, func.count())
        .where(units.c.claim_id.in_(claim_ids))
        .group_by(units.c.claim_id)
    )
    return {claim_id: count for claim_id, count in tx.execute(counted)}


def free_units(tx: Connection, claim_ids: Sequence[str]) -> list[int]:
    """Take the units away from these claims; returns their numbers, lowest first."""
    if not claim_ids:
        return []
    freed = update(units).where(units.c.claim_id.in_(claim_ids)).values(claim_id=None)
    return sorted(tx.execute(freed.returning(units.c.unit_no)).scalars())


def retire_units_of(tx: Connection, claim_id: str) -> None:
    """The units of this claim are never sold again."""
    tx.execute(update(units).where(units.c.claim_id == claim_id).values(claim_id=None, state="retired"))


def list_units_of(tx: Connection, claim_id: str) -> tuple[int, ...]:
    numbers = select(units.c.unit_no).where(units.c.claim_id == claim_id).order_by(units.c.unit_no)
    return tuple(tx.execute(numbers).scalars())


def list_free(tx: Connection, variant_id: str, limit: int | None = None) -> list[int]:
    free = select(units.c.unit_no).where(units.c.variant_id == variant_id, FREE).order_by(units.c.unit_no)
    return list(tx.execute(free.limit(limit) if limit is not None else free).scalars())


def list_taken(tx: Connection, variant_ids: Sequence[str]) -> dict[str, list[int]]:
    """claim → its unit numbers, for all claims that own a unit of these variants."""
    taken = select(units.c.claim_id, units.c.unit_no).where(
        units.c.variant_id.in_(variant_ids), units.c.claim_id.is_not(None)
    )
    found: dict[str, list[int]] = {}
    for claim_id, number in tx.execute(taken.order_by(units.c.unit_no)):
        found.setdefault(claim_id, []).append(number)
    return found


def count_stock(tx: Connection, variant_id: str) -> StockCount:
    counted = (
        select(units.c.state, units.c.claim_id.is_not(None), func.count())
        .where(units.c.variant_id == variant_id)
        .group_by(units.c.state, units.c.claim_id.is_not(None))
    )
    found = {(state, bool(is_taken)): count for state, is_taken, count in tx.execute(counted)}
    taken, free = found.get(("open", True), 0), found.get(("open", False), 0)
    return StockCount(taken + free, taken, free, found.get(("retired", False), 0))


def retire_free(tx: Connection, variant_id: str, count: int) -> list[int]:
    """Retire `count` free units, highest numbers first; returns those that it got."""
    free = select(units.c.unit_no).where(units.c.variant_id == variant_id, FREE)
    numbers = list(tx.execute(free.order_by(units.c.unit_no.desc()).limit(count).with_for_update()).scalars())
    retired = update(units).where(units.c.variant_id == variant_id, units.c.unit_no.in_(numbers), FREE)
    tx.execute(retired.values(state="retired"))
    return numbers


def reopen_retired(tx: Connection, variant_id: str, count: int) -> list[int]:
    """Bring back up to `count` retired units, lowest numbers first; returns those that it got."""
    retired = select(units.c.unit_no).where(units.c.variant_id == variant_id, units.c.state == "retired")
    numbers = list(tx.execute(retired.order_by(units.c.unit_no).limit(count).with_for_update()).scalars())
    opened = update(units).where(units.c.variant_id == variant_id, units.c.unit_no.in_(numbers))
    tx.execute(opened.values(state="open"))
    return numbers


def highest_number(tx: Connection, variant_id: str) -> int:
    highest = select(func.coalesce(func.max(units.c.unit_no), 0)).where(units.c.variant_id == variant_id)
    return int(tx.execute(highest).scalar_one())
