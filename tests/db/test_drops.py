"""Drops are read as they were written, and each change is noticed."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from claimbot.core.drops import DropState, LinkMode, Variant
from claimbot.core.errors import Refused
from claimbot.core.keywords import Keyword, Mode
from claimbot.core.leads import QualifyRule
from claimbot.core.money import Money
from claimbot.core.payments import CheckoutOptions
from claimbot.db import catalog, drops, marks
from claimbot.db.engine import Ledger
from tests.builders import NOW, World, make_drop, make_sealer


def test_a_drop_is_read_as_it_was_written(ledger: Ledger, world: World) -> None:
    wanted = {
        "opens_at": NOW,
        "closes_at": NOW + timedelta(days=1),
        "link_mode": LinkMode.PAY_LINK,
        "texts": {"held": "Yours until {deadline}"},
        "options": CheckoutOptions(collect_phone=True, shipping_countries=("DE",)),
        "variants": (
            Variant("var_m", "M", "Medium", ("MED",)),
            Variant("var_l", "L", "Large", (), Money(1, "EUR")),
        ),
    }
    drop = world.drop(**wanted)
    assert {name: getattr(drop, name) for name in wanted} == wanted
    assert (drop.version, drop.gate_epoch) == (1, 1)


def test_variants_keep_the_order_of_the_brand(ledger: Ledger, world: World) -> None:
    drop = world.drop(variants=("S", "M", "L", "XL", "A"))
    assert [variant.code for variant in drop.variants] == ["S", "M", "L", "XL", "A"]


def test_a_variant_code_exists_once_in_a_drop(ledger: Ledger, world: World) -> None:
    with pytest.raises(IntegrityError):
        world.drop(variants=("M", "M"))


def test_a_change_raises_the_version(ledger: Ledger, world: World) -> None:
    drop = world.drop()
    with ledger.begin() as tx:
        drops.mark_drop(tx, drop, state=DropState.PAUSED.value)
        changed = drops.lock_drop(tx, drop.id)
        assert drops.find_versions(tx, [drop.id]) == {drop.id: 2}
        assert drops.find_versions(tx, []) == {}
    assert changed is not None
    assert (changed.state, changed.version) == (DropState.PAUSED, 2)


def test_a_new_epoch_is_one_higher(ledger: Ledger, world: World) -> None:
    drop = world.drop()
    with ledger.begin() as tx:
        assert [drops.raise_epoch(tx, drop.id), drops.raise_epoch(tx, drop.id)] == [2, 3]


def test_drops_are_listed_for_their_brand(ledger: Ledger, world: World) -> None:
    mine, theirs = world.drop(), make_drop(ledger, world.other_brand)
    with ledger.reading() as tx:
        assert drops.list_drops(tx, world.brand.id) == [mine]
        assert {drop.id for drop in drops.list_drops(tx)} == {mine.id, theirs.id}
        assert drops.find_drop(tx, "drp_none") is None
        assert drops.lock_drop(tx, "drp_none") is None


def test_a_variant_leads_to_its_drop(ledger: Ledger, world: World) -> None:
    drop = world.drop()
    with ledger.reading() as tx:
        assert drops.get_drop_id(tx, drop.variants[0].id) == drop.id
        with pytest.raises(Refused):
            drops.get_drop_id(tx, "var_none")


def test_stock_is_remembered_for_each_variant(ledger: Ledger, world: World) -> None:
    drop = world.drop(stock_units=4, variants=("S", "M"))
    with ledger.begin() as tx:
        drops.mark_stock(tx, drop.variants[1].id, 9)
        assert drops.list_stock(tx, drop.id) == {drop.variants[0].id: 4, drop.variants[1].id: 9}


def test_words_are_replaced(ledger: Ledger, world: World) -> None:
    drop = world.drop(words=("LAUNCH",))
    words = [Keyword(drop.id, "Nächte", Mode.STARTS), Keyword(drop.id, "JACKET", Mode.EXACT)]
    with ledger.begin() as tx:
        drops.replace_keywords(tx, world.brand.id, drop.id, words)
        found = drops.list_keywords(tx)
    assert sorted(found, key=str) == sorted([(world.brand.id, word) for word in words], key=str)


def test_a_word_spelled_alike_exists_once_in_a_drop(ledger: Ledger, world: World) -> None:
    with pytest.raises(IntegrityError):
        world.drop(words=("LAUNCH", "launch!"))


def test_a_drop_qualifies_leads_by_the_default_rule(ledger: Ledger, world: World) -> None:
    drop = world.drop()
    with ledger.reading() as tx:
        assert drops.find_qualify_rule(tx, drop.id) == QualifyRule()


def test_the_catalog_knows_every_brand_account_drop_and_word(ledger: Ledger, world: World) -> None:
    drop = world.drop(words=("LAUNCH", "JACKET"))
    with ledger.reading() as tx:
        found = catalog.load_catalog(tx, make_sealer())
    book = found.book_by_slug("aurora")
    assert book is not None
    assert (book.brand, book.drops) == (world.brand, {drop.id: drop})
    assert sorted(book.words[drop.id]) == ["JACKET", "LAUNCH"]
    assert found.account("instagram", world.account.external_id) == world.account


def test_the_catalog_keeps_brands_apart(ledger: Ledger, world: World) -> None:
    drop = world.drop()
    with ledger.reading() as tx:
        found = catalog.load_catalog(tx, make_sealer())
    assert found.drop(world.brand.id, drop.id) == drop
    assert found.drop(world.other_brand.id, drop.id) is None


def test_the_catalogs_version_rises_with_every_change(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        before = catalog.find_version(tx)
        marks.set_mark(tx, marks.CATALOG, NOW)
        marks.set_mark(tx, marks.CATALOG, NOW)
        assert (before, catalog.find_version(tx)) == (0, 2)
