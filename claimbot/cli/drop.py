"""How does a brand launch from a terminal?"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import click

from claimbot.cli.shared import actor, get_brand, get_drop, show
from claimbot.cli.surroundings import opened_parts
from claimbot.core.drops import Drop, DropKind, DropState, LinkMode, Variant
from claimbot.core.errors import Refused
from claimbot.core.keywords import Keyword, Mode
from claimbot.core.money import Money, decimals, plain
from claimbot.db import drops
from claimbot.flows import launch
from claimbot.flows.launch import NewDrop, create_drop

PRICE = re.compile(r"(\d{1,9})(?:\.(\d{1,3}))? ?([A-Z]{3})")
DATE_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
# The code of the variant of a drop without choices.
ONLY = "ONE"
DROP = click.argument("drop_name", metavar="DROP")


def choices(words: type[StrEnum]) -> list[str]:
    return [word.value for word in words]


@click.group(epilog="Example: claimbot drop list")
def drop() -> None:
    """Make, open, pause, close and restock drops. DROP is an id, or a name that only one drop has."""


@drop.command(
    epilog="Example: claimbot drop create --brand aurora --name 'Aurora Tee' --price '35.00 EUR' --word TEE"
    " --stock S=20 --stock M=20 --open"
)
@click.option("--brand", "slug", required=True, help="Slug of the brand.")
@click.option("--name", required=True, help="Followers read it in every reply.")
@click.option("--word", "words", multiple=True, required=True, help="What followers write; may be repeated.")
@click.option("--stock", "stocks", multiple=True, help="50, or CODE=20 for each variant.")
@click.option("--price", default="", help="Such as '129.00 EUR'; none for free and list drops.")
@click.option("--kind", type=click.Choice(choices(DropKind)), default="paid", show_default=True)
@click.option(
    "--mode", type=click.Choice(choices(Mode)), default="word", show_default=True, help="How a word matches."
)
@click.option("--hold-minutes", type=int, default=15, show_default=True)
@click.option("--limit", type=int, default=1, show_default=True, help="Units for one follower.")
@click.option("--waitlist/--no-waitlist", default=True, show_default=True)
@click.option("--link-mode", type=click.Choice(choices(LinkMode)), default="auto", show_default=True)
@click.option("--opens-at", type=click.DateTime(DATE_FORMATS), help="UTC; default: when it is opened.")
@click.option("--closes-at", type=click.DateTime(DATE_FORMATS), help="UTC; default: when it is closed.")
@click.option("--open", "is_opened", is_flag=True, help="Open it right away.")
def create(**told: Any) -> None:
    """Make a drop; it stays a draft unless --open is given."""
    stock = read_stock(told["stocks"])
    with opened_parts() as parts:
        brand = get_brand(parts, told["slug"])
        new = NewDrop(_drop(brand.id, stock, told), stock, told["words"], Mode(told["mode"]))
        made = create_drop(parts, actor(), new)
        if told["is_opened"]:
            launch.open_drop(parts, actor(), made.id)
    click.echo(made.id if told["is_opened"] else f"{made.id}; next: claimbot drop open {made.id}")


def _drop(brand_id: str, stock: Mapping[str, int], told: Mapping[str, Any]) -> Drop:
    names = {code: code if len(stock) > 1 else told["name"] for code in stock}
    return Drop(
        id="",
        brand_id=brand_id,
        name=told["name"],
        kind=DropKind(told["kind"]),
        state=DropState.DRAFT,
        price=read_price(told["price"]) if told["price"] else Money(0, "EUR"),
        variants=tuple(Variant("", code, name) for code, name in names.items()),
        opens_at=_moment(told["opens_at"]),
        closes_at=_moment(told["closes_at"]),
        hold_minutes=told["hold_minutes"],
        per_follower_limit=told["limit"],
        is_waitlist_on=told["waitlist"],
        link_mode=LinkMode(told["link_mode"]),
    )


def _moment(told: datetime | None) -> datetime | None:
    return told.replace(tzinfo=UTC) if told else None


def read_price(told: str) -> Money:
    """`129.00 EUR`. Raises Refused."""
    found = PRICE.fullmatch(told.strip().upper())
    if found is None:
        raise Refused("--price: write it like '129.00 EUR'")
    whole, rest, currency = found.groups()
    digits = decimals(currency)
    if len(rest or "") > digits:
        raise Refused(f"--price: {currency} has {digits} digits after the point")
    return Money(int(whole) * 10**digits + int((rest or "").ljust(digits, "0") or "0"), currency)


def read_stock(told: Sequence[str]) -> dict[str, int]:
    """`50` is the stock of the only variant, `M=20` that of one. Raises Refused."""
    stock: dict[str, int] = {}
    for one in told or ("0",):
        code, sign, count = one.rpartition("=")
        if not count.isascii() or not count.isdigit() or (not sign and len(told) > 1):
            raise Refused("--stock: write a number, or CODE=NUMBER for each variant")
        stock[code.strip() or ONLY] = int(count)
    return stock


@drop.command("list", epilog="Example: claimbot drop list --brand aurora")
@click.option("--brand", "slug", default="", help="Of this brand only.")
def list_command(slug: str) -> None:
    """Every drop with its words, price and stock."""
    with opened_parts() as parts:
        brand_id = get_brand(parts, slug).id if slug else None
        with parts.ledger.reading() as tx:
            found = drops.list_drops(tx, brand_id)
            words = drops.list_keywords(tx)
            stock = {one.id: drops.list_stock(tx, one.id) for one in found}
    rows = [
        (one.id, one.name, one.state, _words(words, one.id), plain(one.price), _stock(one, stock[one.id]))
        for one in found
    ]
    nothing = "No drop yet: claimbot drop create --help"
    show(("drop", "name", "state", "words", "price", "stock"), rows, nothing)


def _words(words: Sequence[tuple[str, Keyword]], drop_id: str) -> str:
    return ", ".join(keyword.word for _, keyword in words if keyword.drop_id == drop_id)


def _stock(one: Drop, stock: Mapping[str, int]) -> str:
    return ", ".join(f"{variant.code}={stock.get(variant.id, 0)}" for variant in one.variants)


@drop.command("open", epilog="Example: claimbot drop open drp_01m80s7zcja0xth8hr7he0f06q")
@DROP
def open_command(drop_name: str) -> None:
    """Take claims from now on, or from its opening time."""
    with opened_parts() as parts:
        launch.open_drop(parts, actor(), get_drop(parts, drop_name).id)
    click.echo("open")


@drop.command("pause", epilog="Example: claimbot drop pause 'Aurora Tee'")
@DROP
def pause_command(drop_name: str) -> None:
    """Take no claims for a while; holds go on, the line stands still."""
    with opened_parts() as parts:
        launch.pause_drop(parts, actor(), get_drop(parts, drop_name).id)
    click.echo("paused; go on with: claimbot drop open")


@drop.command("close", epilog="Example: claimbot drop close 'Aurora Tee'")
@DROP
def close_command(drop_name: str) -> None:
    """Take no claims any more, for good; who holds a unit may still pay."""
    with opened_parts() as parts:
        launch.close_drop(parts, actor(), get_drop(parts, drop_name).id)
    click.echo("closed")


@drop.command("restock", epilog="Example: claimbot drop restock 'Aurora Tee' 30 --variant M")
@DROP
@click.argument("stock_units", type=click.IntRange(min=0))
@click.option("--variant", "code", default="", help="Its code, where there are several.")
def restock_command(drop_name: str, stock_units: int, code: str) -> None:
    """Set the stock, also while the drop is open; new units go to the line first."""
    with opened_parts() as parts:
        found = get_drop(parts, drop_name)
        variants = [one for one in found.variants if code in ("", one.code)]
        if len(variants) != 1:
            raise Refused("--variant: choose one of " + ", ".join(one.code for one in found.variants))
        launch.restock(parts, actor(), variants[0].id, stock_units)
    click.echo(f"stock is {stock_units}")
