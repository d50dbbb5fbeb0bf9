"""How does a brand change a drop that it made? A draft in every part, a live drop where nobody loses by it.

What a hold or a line rests on stays: the kind, the price, the variants. Claims carry their own price, and a
checkout its own frozen request, so that a new name, time or text never reaches what was promised before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from claimbot.core.drops import Drop, DropState, drop_faults
from claimbot.core.errors import Refused
from claimbot.core.keywords import Keyword, Mode
from claimbot.db import brands, drops, inbox
from claimbot.db.engine import Tx
from claimbot.db.ids import new_id
from claimbot.flows.hints import Hints
from claimbot.flows.launch import NewDrop, clashes, locked, note, stock_up
from claimbot.flows.promote import ComeBack, promote_free
from claimbot.flows.tell import tell
from claimbot.parts import Parts

# Told by name in the audit when they changed; texts and addresses are not quoted there.
FIELDS = (
    "name",
    "kind",
    "price",
    "opens_at",
    "closes_at",
    "hold_minutes",
    "per_follower_limit",
    "is_waitlist_on",
    "is_partial_allowed",
    "is_restocked_on_refund",
    "link_mode",
    "image_url",
    "texts",
    "options",
)


@dataclass(frozen=True, slots=True)
class Known:
    """A drop with what stands beside it, as its form shows it."""

    drop: Drop
    stock: dict[str, int]
    """Variant code → units."""
    words: tuple[str, ...]
    mode: Mode

    @property
    def is_draft(self) -> bool:
        return self.drop.state is DropState.DRAFT


@dataclass(frozen=True, slots=True)
class Change:
    """What a drop is to become. `version` is that of the drop that the form showed."""

    drop_id: str
    version: int
    new: NewDrop


def find_known(parts: Parts, brand_id: str, drop_id: str) -> Known | None:
    """None when this brand has no such drop."""
    with parts.ledger.reading() as tx:
        drop = drops.find_drop(tx, drop_id)
        if drop is None or drop.brand_id != brand_id:
            return None
        by_id = drops.list_stock(tx, drop_id)
        keywords = drops.list_keywords_of(tx, drop_id)
    stock = {variant.code: by_id[variant.id] for variant in drop.variants}
    mode = keywords[0].mode if keywords else Mode.WORD
    return Known(drop, stock, tuple(keyword.word for keyword in keywords), mode)


def find_clashes(parts: Parts, brand_id: str, drop_id: str, words: Sequence[str]) -> list[str]:
    """Which of these words cannot be had, and which drop has them? `drop_id` is empty for a new one."""
    with parts.ledger.reading() as tx:
        return clashes(tx, brand_id, drop_id, words)


def find_usual_currency(parts: Parts, brand_id: str) -> str:
    """That of the brand's latest drop; empty before the first."""
    with parts.ledger.reading() as tx:
        return drops.find_latest_currency(tx, brand_id)


def change_drop(parts: Parts, actor: str, change: Change) -> Drop:
    """Raises Refused with one sentence for each fault."""
    now = parts.clock()

    def story(tx: Tx) -> tuple[Drop, Hints]:
        hints = Hints()
        brands.lock_brand(tx, change.new.drop.brand_id)
        before = locked(tx, change.drop_id)
        if before.version != change.version:
            raise Refused("This drop was changed meanwhile, in another window or by somebody else.")
        after = _after(before, change.new)
        _refuse_faults(tx, before, after, change.new)
        drops.change_drop(tx, after)
        words = [Keyword(after.id, word, change.new.mode) for word in change.new.words]
        drops.replace_keywords(tx, after.brand_id, after.id, words)
        if before.state is DropState.DRAFT:
            drops.delete_variants(tx, after.id)
            drops.insert_variants(tx, after)
            stock_up(tx, after, change.new.stock)
        note(tx, now, actor, "drop_changed", after, **_facts(before, after))
        # New times may have opened it: who waits comes before who writes next.
        for variant in after.variants:
            promote_free(tx, now, ComeBack(after, variant.id, None), hints)
        return after, hints

    after, hints = parts.ledger.run(story)
    tell(parts, hints)
    return after


def _after(before: Drop, new: NewDrop) -> Drop:
    """The new drop with what the old one must keep."""
    after = replace(
        new.drop,
        id=before.id,
        brand_id=before.brand_id,
        state=before.state,
        gate_epoch=before.gate_epoch,
        version=before.version,
    )
    if before.state is DropState.DRAFT:
        return replace(after, variants=tuple(replace(one, id=new_id("var")) for one in after.variants))
    return replace(after, kind=before.kind, price=before.price, variants=before.variants)


def _refuse_faults(tx: Tx, before: Drop, after: Drop, new: NewDrop) -> None:
    is_draft = before.state is DropState.DRAFT
    stock = new.stock if is_draft else {variant.code: 0 for variant in after.variants}
    faults = drop_faults(after, stock, new.words)
    # A closed drop keeps its words only until somebody else takes them.
    if before.state is not DropState.CLOSED:
        faults += clashes(tx, after.brand_id, after.id, new.words)
    if faults:
        raise Refused("\n".join(faults))


def _facts(before: Drop, after: Drop) -> dict[str, object]:
    """For the audit: the names of what changed. A new limit with its number: invariant I3 looks for it."""
    changed = [name for name in FIELDS if getattr(before, name) != getattr(after, name)]
    is_limit_new = "per_follower_limit" in changed
    limit = {"per_follower_limit": after.per_follower_limit} if is_limit_new else {}
    return {"changed": changed, **limit}


def delete_draft(parts: Parts, actor: str, drop_id: str) -> None:
    """Raises Refused for a drop that was open, or that somebody wrote about."""
    now = parts.clock()

    def story(tx: Tx) -> None:
        drop = locked(tx, drop_id)
        if drop.state is not DropState.DRAFT:
            raise Refused("Only a draft can be deleted; this drop was open and stays in the books: close it.")
        if inbox.is_about(tx, drop_id):
            raise Refused("Somebody wrote about this draft already, and what they wrote is kept with it.")
        note(tx, now, actor, "drop_deleted", drop)
        drops.delete_drop(tx, drop_id)

    parts.ledger.run(story)
