"""What may followers write, and to whom? All brands, accounts, drops and words, read at once for matching."""

from dataclasses import replace

from sqlalchemy import Connection

from claimbot.core.brands import Brand, BrandBook, Catalog
from claimbot.core.commands import Command, CommandBook
from claimbot.core.drops import Drop, DropState
from claimbot.core.keywords import Keyword, Vocabulary, normalise
from claimbot.db import brands, drops, marks, webhooks
from claimbot.db.sealing import Sealer


def find_version(tx: Connection) -> int:
    """Rises with every change of a brand, an account, a drop or a word."""
    mark = marks.find_mark(tx, marks.CATALOG)
    return mark.value if mark else 0


def load_catalog(tx: Connection, sealer: Sealer) -> Catalog:
    words: dict[str, list[Keyword]] = {}
    for brand_id, keyword in drops.list_keywords(tx):
        words.setdefault(brand_id, []).append(keyword)
    found: dict[str, list[Drop]] = {}
    for drop in drops.list_drops(tx):
        found.setdefault(drop.brand_id, []).append(drop)
    listening = webhooks.list_listening_brands(tx)
    books = {
        brand.id: replace(
            _book(brand, found.get(brand.id, []), words.get(brand.id, [])),
            is_listening=brand.id in listening,
        )
        for brand in brands.list_brands(tx)
    }
    accounts = {(one.channel, one.external_id): one for one in brands.list_accounts(tx, sealer)}
    return Catalog(find_version(tx), books, accounts)


def _book(brand: Brand, drops_of_brand: list[Drop], words: list[Keyword]) -> BrandBook:
    own_words = {Command(command): texts for command, texts in brand.command_words.items()}
    by_drop: dict[str, tuple[str, ...]] = {}
    for keyword in words:
        by_drop[keyword.drop_id] = (*by_drop.get(keyword.drop_id, ()), keyword.word)
    return BrandBook(
        brand=brand,
        vocabulary=Vocabulary(_in_force(drops_of_brand, words)),
        commands=CommandBook((brand.locale,), own_words),
        drops={drop.id: drop for drop in drops_of_brand},
        words=by_drop,
    )


def _in_force(drops_of_brand: list[Drop], words: list[Keyword]) -> list[Keyword]:
    """A closed drop keeps its words, to say that it is over, until a newer one owns them."""
    newest_first = [drop.id for drop in reversed(drops_of_brand)]
    closed = {drop.id for drop in drops_of_brand if drop.state is DropState.CLOSED}
    live = [keyword for keyword in words if keyword.drop_id not in closed]
    taken = {normalise(keyword.word) for keyword in live}
    old = [keyword for keyword in words if keyword.drop_id in closed and normalise(keyword.word) not in taken]
    return [*live, *sorted(old, key=lambda keyword: newest_first.index(keyword.drop_id))]
