"""Which drops are there, with their variants and words? A change raises the version that claims check."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from claimbot.core.drops import Drop, DropKind, DropState, LinkMode, Variant
from claimbot.core.errors import Refused
from claimbot.core.keywords import Keyword, Mode, normalise
from claimbot.core.leads import QualifyRule
from claimbot.core.money import Money
from claimbot.db.checkouts import read_options
from claimbot.db.driver import ask
from claimbot.db.engine import changed
from claimbot.db.ids import new_id
from claimbot.db.many import among, listed
from claimbot.db.tables import drops, keywords, units, variants


def _read(row: Row[Any], found: Sequence[Row[Any]]) -> Drop:
    return Drop(
        id=row.id,
        brand_id=row.brand_id,
        name=row.name,
        kind=DropKind(row.kind),
        state=DropState(row.state),
        price=Money(row.price_minor, row.currency),
        variants=tuple(_read_variant(one, row.currency) for one in found),
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        hold_minutes=row.hold_minutes,
        per_follower_limit=row.per_follower_limit,
        is_waitlist_on=row.is_waitlist_on,
        is_partial_allowed=row.is_partial_allowed,
        link_mode=LinkMode(row.link_mode),
        image_url=row.image_url,
        texts=row.texts,
        options=read_options(row.options),
        is_restocked_on_refund=row.is_restocked_on_refund,
        gate_epoch=row.gate_epoch,
        version=row.version,
    )


def _read_variant(row: Row[Any], currency: str) -> Variant:
    price = Money(row.price_minor, currency) if row.price_minor is not None else None
    return Variant(row.id, row.code, row.name, tuple(row.aliases), price)


def insert_drop(tx: Connection, drop: Drop, now: datetime) -> None:
    """The drop and its variants, without units and words."""
    tx.execute(insert(drops).values(**_values(drop), id=drop.id, brand_id=drop.brand_id, created_at=now))
    insert_variants(tx, drop)


def insert_variants(tx: Connection, drop: Drop) -> None:
    rows = [
        {
            "id": variant.id,
            "drop_id": drop.id,
            "code": variant.code,
            "name": variant.name,
            "aliases": list(variant.aliases),
            "price_minor": variant.price.minor if variant.price else None,
            "position": position,
        }
        for position, variant in enumerate(drop.variants)
    ]
    tx.execute(insert(variants), rows)


def _values(drop: Drop) -> dict[str, Any]:
    return {
        "name": drop.name,
        "kind": drop.kind.value,
        "state": drop.state.value,
        "opens_at": drop.opens_at,
        "closes_at": drop.closes_at,
        "price_minor": drop.price.minor,
        "currency": drop.price.currency,
        "hold_minutes": drop.hold_minutes,
        "per_follower_limit": drop.per_follower_limit,
        "is_waitlist_on": drop.is_waitlist_on,
        "is_partial_allowed": drop.is_partial_allowed,
        "is_restocked_on_refund": drop.is_restocked_on_refund,
        "link_mode": drop.link_mode.value,
        "image_url": drop.image_url,
        "texts": dict(drop.texts),
        "options": asdict(drop.options),
    }


def change_drop(tx: Connection, drop: Drop) -> None:
    """Write everything that a brand may change, but for variants and words; its state stays as it is."""
    values = {name: value for name, value in _values(drop).items() if name != "state"}
    mark_drop(tx, drop, **values)


def delete_variants(tx: Connection, drop_id: str) -> None:
    """With their units; for drafts only, because a claim's variant is never deleted."""
    own = select(variants.c.id).where(variants.c.drop_id == drop_id)
    tx.execute(delete(units).where(units.c.variant_id.in_(own)))
    tx.execute(delete(variants).where(variants.c.drop_id == drop_id))


def delete_drop(tx: Connection, drop_id: str) -> None:
    """For drafts that nobody wrote about."""
    delete_variants(tx, drop_id)
    tx.execute(delete(keywords).where(keywords.c.drop_id == drop_id))
    tx.execute(delete(drops).where(drops.c.id == drop_id))


def insert_keywords(tx: Connection, brand_id: str, words: Sequence[Keyword]) -> None:
    # In their order: the first is the word that replies name.
    ids = sorted(new_id("key") for _ in words)
    rows = [
        {
            "id": key_id,
            "brand_id": brand_id,
            "drop_id": word.drop_id,
            "word": word.word,
            "normalised": normalise(word.word),
            "mode": word.mode.value,
        }
        for key_id, word in zip(ids, words, strict=True)
    ]
    if rows:
        tx.execute(insert(keywords), rows)


def replace_keywords(tx: Connection, brand_id: str, drop_id: str, words: Sequence[Keyword]) -> None:
    tx.execute(delete(keywords).where(keywords.c.drop_id == drop_id))
    insert_keywords(tx, brand_id, words)


def list_keywords(tx: Connection) -> list[tuple[str, Keyword]]:
    """(brand, keyword) of all drops."""
    rows = tx.execute(select(keywords).order_by(keywords.c.id))
    return [(row.brand_id, Keyword(row.drop_id, row.word, Mode(row.mode))) for row in rows]


def list_keywords_of(tx: Connection, drop_id: str) -> list[Keyword]:
    rows = tx.execute(select(keywords).where(keywords.c.drop_id == drop_id).order_by(keywords.c.id))
    return [Keyword(row.drop_id, row.word, Mode(row.mode)) for row in rows]


def list_drops(tx: Connection, brand_id: str | None = None) -> list[Drop]:
    query = select(drops).order_by(drops.c.created_at, drops.c.id)
    theirs = select(variants).order_by(variants.c.position, variants.c.id)
    if brand_id is not None:
        query = query.where(drops.c.brand_id == brand_id)
        theirs = theirs.where(variants.c.drop_id.in_(select(drops.c.id).where(drops.c.brand_id == brand_id)))
    found: dict[str, list[Row[Any]]] = {}
    for row in tx.execute(theirs):
        found.setdefault(row.drop_id, []).append(row)
    return [_read(row, found.get(row.id, [])) for row in tx.execute(query)]


BY_ID = select(drops).where(drops.c.id == bindparam("of_id"))
VARIANTS_OF = (
    select(variants)
    .where(variants.c.drop_id == bindparam("of_drop"))
    .order_by(variants.c.position, variants.c.id)
)
STOCK_OF = select(variants.c.id, variants.c.stock_units).where(variants.c.drop_id == bindparam("of_drop"))


def find_drop(tx: Connection, drop_id: str) -> Drop | None:
    row = tx.execute(BY_ID, {"of_id": drop_id}).first()
    return _read(row, _variants_of(tx, drop_id)) if row else None


def get_drop_id(tx: Connection, variant_id: str) -> str:
    """The drop of a variant. Raises Refused when there is no such variant."""
    found = tx.execute(select(variants.c.drop_id).where(variants.c.id == variant_id)).scalar()
    if found is None:
        raise Refused("There is no such variant; see: claimbot drop list")
    return str(found)


def lock_drop(tx: Connection, drop_id: str) -> Drop | None:
    """The drop as it is now; no claim is made in it before this transaction ends."""
    row = tx.execute(select(drops).where(drops.c.id == drop_id).with_for_update()).first()
    return _read(row, _variants_of(tx, drop_id)) if row else None


def _variants_of(tx: Connection, drop_id: str) -> list[Row[Any]]:
    return list(tx.execute(VARIANTS_OF, {"of_drop": drop_id}))


def find_latest_currency(tx: Connection, brand_id: str) -> str:
    """Of the brand's newest drop; empty before the first."""
    query = select(drops.c.currency).where(drops.c.brand_id == brand_id)
    newest = query.order_by(drops.c.created_at.desc(), drops.c.id).limit(1)
    return str(tx.execute(newest).scalar() or "")


def find_versions(tx: Connection, drop_ids: Sequence[str]) -> dict[str, int]:
    """drop → its version."""
    query = f"SELECT id, version FROM drops WHERE {among(tx, 'id')}"  # noqa: S608 - our own names
    return dict(ask(tx, query, (listed(tx, drop_ids),)))


def mark_drop(tx: Connection, drop: Drop, **values: Any) -> None:
    """Change a drop; claims that looked at the old one start again."""
    query = update(drops).where(drops.c.id == drop.id)
    tx.execute(query.values(version=drops.c.version + 1, **values))


def raise_epoch(tx: Connection, drop_id: str) -> int:
    """A new epoch for the gate of this drop: what the old gate proposed no longer counts."""
    query = update(drops).where(drops.c.id == drop_id).values(gate_epoch=drops.c.gate_epoch + 1)
    return int(tx.execute(query.returning(drops.c.gate_epoch)).scalar_one())


def raise_epoch_to(tx: Connection, drop_id: str, epoch: int) -> bool:
    """True when it was less."""
    behind = update(drops).where(drops.c.id == drop_id, drops.c.gate_epoch < epoch)
    return changed(tx.execute(behind.values(gate_epoch=epoch))) == 1


def mark_stock(tx: Connection, variant_id: str, stock_units: int) -> None:
    tx.execute(update(variants).where(variants.c.id == variant_id).values(stock_units=stock_units))


def list_stock(tx: Connection, drop_id: str) -> dict[str, int]:
    """variant → the stock that the brand asked for."""
    return {row.id: row.stock_units for row in tx.execute(STOCK_OF, {"of_drop": drop_id})}


def find_qualify_rule(tx: Connection, drop_id: str) -> QualifyRule:
    stored = tx.execute(select(drops.c.qualify).where(drops.c.id == drop_id)).scalar_one()
    return QualifyRule(**stored)


def mark_qualify_rule(tx: Connection, drop_id: str, rule: QualifyRule) -> str:
    """Returns the brand of the drop."""
    changed_rule = update(drops).where(drops.c.id == drop_id).values(qualify=asdict(rule))
    return str(tx.execute(changed_rule.returning(drops.c.brand_id)).scalar_one())
