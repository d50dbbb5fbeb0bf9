"""How does a drop come to life, change and end? Create, open, pause, close, restock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from claimbot.core.brands import Brand
from claimbot.core.drops import Drop, DropKind, DropState, drop_faults
from claimbot.core.errors import Refused
from claimbot.core.keywords import Keyword, Mode, clash, normalise
from claimbot.db import audit, brands, drops, marks, units
from claimbot.db.engine import Tx
from claimbot.db.ids import new_id
from claimbot.flows.close_line import close_line
from claimbot.flows.hints import Hints
from claimbot.flows.promote import ComeBack, promote_free
from claimbot.flows.reconcile import rebuild_gate
from claimbot.flows.tell import tell
from claimbot.parts import Parts


@dataclass(frozen=True, slots=True)
class NewDrop:
    """A drop to make. Ids are given here; `stock` is by variant code."""

    drop: Drop
    stock: Mapping[str, int]
    words: Sequence[str]
    mode: Mode = Mode.WORD


def create_drop(parts: Parts, actor: str, new: NewDrop) -> Drop:
    """Make a draft with its units. Raises Refused with one sentence for each fault."""
    now = parts.clock()
    variants = tuple(replace(variant, id=new_id("var")) for variant in new.drop.variants)
    drop = replace(new.drop, id=new_id("drp"), state=DropState.DRAFT, variants=variants)

    def story(tx: Tx) -> None:
        brands.lock_brand(tx, drop.brand_id)
        faults = [*drop_faults(drop, new.stock, new.words), *clashes(tx, drop.brand_id, drop.id, new.words)]
        if faults:
            raise Refused("\n".join(faults))
        drops.insert_drop(tx, drop, now)
        drops.insert_keywords(tx, drop.brand_id, [Keyword(drop.id, word, new.mode) for word in new.words])
        stock_up(tx, drop, new.stock)
        note(tx, now, actor, "drop_created", drop)

    parts.ledger.run(story)
    return drop


def stock_up(tx: Tx, drop: Drop, stock: Mapping[str, int]) -> None:
    """Make the units of a new drop; a list drop has none."""
    for variant in drop.variants:
        count = stock.get(variant.code, 0) if drop.kind is not DropKind.LIST else 0
        units.insert_units(tx, variant.id, range(1, count + 1))
        drops.mark_stock(tx, variant.id, count)


def clashes(tx: Tx, brand_id: str, drop_id: str, words: Sequence[str]) -> list[str]:
    """Two live drops of one brand cannot own the same word. `drop_id` is the one that wants them."""
    others = [one for one in drops.list_drops(tx, brand_id) if one.id != drop_id]
    live = {one.id: one.name for one in others if one.state is not DropState.CLOSED}
    taken = {
        normalise(keyword.word): live[keyword.drop_id]
        for _, keyword in drops.list_keywords(tx)
        if keyword.drop_id in live
    }
    return clash(words, taken)


def note(tx: Tx, now: datetime, actor: str, action: str, drop: Drop, **facts: object) -> None:
    """In the audit, and for everybody who keeps the catalog in memory."""
    audit.insert_line(tx, actor, action, drop.id, now=now, brand_id=drop.brand_id, **facts)
    marks.set_mark(tx, marks.CATALOG, now)


def locked(tx: Tx, drop_id: str) -> Drop:
    """Raises Refused when there is no such drop."""
    drop = drops.lock_drop(tx, drop_id)
    if drop is None:
        raise Refused("There is no such drop; see: claimbot drop list")
    return drop


def open_drop(parts: Parts, actor: str, drop_id: str) -> None:
    """Take claims from now on (or from `opens_at`). Who waited is served before any newcomer."""
    now = parts.clock()

    def story(tx: Tx) -> Hints:
        hints = Hints()
        drop = locked(tx, drop_id)
        if drop.state is DropState.CLOSED:
            raise Refused("A closed drop stays closed; make a new one")
        drops.mark_drop(tx, drop, state=DropState.OPEN.value)
        note(tx, now, actor, "drop_opened", drop)
        for variant in drop.variants:
            come_back = ComeBack(replace(drop, state=DropState.OPEN), variant.id, None)
            promote_free(tx, now, come_back, hints)
        return hints

    hints = parts.ledger.run(story)
    rebuild_gate(parts, drop_id)
    tell(parts, hints)


def pause_drop(parts: Parts, actor: str, drop_id: str) -> None:
    """Take no new claims for a while; holds go on, the line stands still."""
    now = parts.clock()

    def story(tx: Tx) -> None:
        drop = locked(tx, drop_id)
        if drop.state is not DropState.OPEN:
            raise Refused(f"Only an open drop can be paused; this one is {drop.state.value}")
        drops.mark_drop(tx, drop, state=DropState.PAUSED.value)
        note(tx, now, actor, "drop_paused", drop)

    parts.ledger.run(story)


def close_drop(parts: Parts, actor: str, drop_id: str) -> None:
    """Take no claims any more. Who waits leaves the line; who holds a unit may still pay."""
    now = parts.clock()

    def story(tx: Tx) -> Hints:
        hints = Hints()
        drop = locked(tx, drop_id)
        if drop.state is DropState.DRAFT:
            raise Refused("A draft was never open; there is nothing to close")
        drops.mark_drop(tx, drop, state=DropState.CLOSED.value)
        close_line(tx, now, drop, hints)
        note(tx, now, actor, "drop_closed", drop)
        return hints

    tell(parts, parts.ledger.run(story))


def restock(parts: Parts, actor: str, variant_id: str, stock_units: int) -> None:
    """Set a variant's stock, also while the drop is open. New units go to the line first.

    Raises Refused, with the smallest allowed number, when more units are taken than should be left.
    """
    now = parts.clock()

    def story(tx: Tx) -> tuple[str, Hints]:
        hints = Hints()
        drop = locked(tx, drops.get_drop_id(tx, variant_id))
        before = units.count_stock(tx, variant_id)
        if stock_units > before.open:
            _raise_stock(tx, now, ComeBack(drop, variant_id, None), stock_units - before.open, hints)
        else:
            _lower_stock(tx, variant_id, before, stock_units)
        drops.mark_stock(tx, variant_id, stock_units)
        drops.mark_drop(tx, drop)
        note(tx, now, actor, "restocked", drop, variant=variant_id, stock_units=stock_units)
        return drop.id, hints

    drop_id, hints = parts.ledger.run(story)
    rebuild_gate(parts, drop_id)
    tell(parts, hints)


def _raise_stock(tx: Tx, now: datetime, come_back: ComeBack, more: int, hints: Hints) -> None:
    variant_id = come_back.variant_id
    numbers = units.reopen_retired(tx, variant_id, more)
    highest = units.highest_number(tx, variant_id)
    new = list(range(highest + 1, highest + 1 + more - len(numbers)))
    units.insert_units(tx, variant_id, new)
    promote_free(tx, now, replace(come_back, only=[*numbers, *new]), hints)


def _lower_stock(tx: Tx, variant_id: str, before: units.StockCount, stock_units: int) -> None:
    less = before.open - stock_units
    if less and len(units.retire_free(tx, variant_id, less)) < less:
        raise Refused(f"{before.taken} units are held or sold: the smallest possible stock is {before.taken}")


def create_brand(parts: Parts, actor: str, brand: Brand) -> Brand:
    """Raises Refused when the slug is taken."""
    now = parts.clock()
    made = replace(brand, id=new_id("brd"))
    parts.ledger.run(lambda tx: insert_new_brand(tx, actor, made, now))
    return made


def insert_new_brand(tx: Tx, actor: str, made: Brand, now: datetime) -> None:
    """Raises Refused when the slug is taken."""
    if brands.find_brand(tx, made.slug) is not None:
        raise Refused(f"There is a brand {made.slug} already; choose another name for its addresses")
    brands.insert_brand(tx, made, now)
    audit.insert_line(tx, actor, "brand_created", made.id, now=now, brand_id=made.id)
    marks.set_mark(tx, marks.CATALOG, now)
