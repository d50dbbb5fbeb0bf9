"""What is a drop, is it open now, and what is wrong with what a brand typed?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import urlsplit

from claimbot.core.commands import CommandBook
from claimbot.core.countries import COUNTRIES
from claimbot.core.keywords import clash, normalise
from claimbot.core.money import THREE_DECIMAL, Money, plain
from claimbot.core.payments import CheckoutOptions
from claimbot.core.replies import template_faults

# Stripe ends a session after 24 h at most; one hour stays for telling and for ending it (design §6).
HOLD_MINUTES_MOST = 23 * 60
# Eight digits are the most that Stripe takes for one amount.
PRICE_MINOR_MOST = 99_999_999
# Every unit is a row and a member of the gate; rebuilding this many stays under half a second.
STOCK_UNITS_MOST = 100_000
# Stripe takes whole krónur only, and three-decimal amounts only with a zero at the end ("currencies").
COARSENESS: Mapping[str, int] = MappingProxyType({"ISK": 100, **dict.fromkeys(THREE_DECIMAL, 10)})
# A quick reply shows at most 13 choices on Instagram; more could never be asked for.
VARIANTS_MOST = 100
LIMIT_UNITS_MOST = 99
# Fits a card's title and a line of the payment page.
NAME_CHARS_MOST = 80
# Percent-encoded it still fits the payload of a tap (wishes.PAYLOAD_BYTES).
CODE_BYTES_MOST = 32
# What the one variant of a drop without choices is called; nobody needs to write it.
ONLY_CODE = "ONE"
WORD_CHARS_MOST = 60
URL_CHARS_MOST = 2_000


class DropKind(StrEnum):
    PAID = "paid"  # units are sold by a checkout link
    FREE = "free"  # units are given away
    LIST = "list"  # an early-access list: no units, everybody gets on it


class DropState(StrEnum):
    DRAFT = "draft"  # being written; followers hear "not open yet"
    OPEN = "open"  # takes claims between opens_at and closes_at
    PAUSED = "paused"  # takes no claims for a while
    CLOSED = "closed"  # over


class LinkMode(StrEnum):
    AUTO = "auto"  # the Checkout URL when it is made in time, else our pay link
    DIRECT = "direct"  # always the Checkout URL
    PAY_LINK = "pay_link"  # always our pay link


class Phase(StrEnum):
    NOT_OPEN_YET = "not_open_yet"  # a draft, or before opens_at
    OPEN = "open"  # takes claims now
    PAUSED = "paused"  # stopped by the brand for a while
    CLOSED = "closed"  # over, or after closes_at


@dataclass(frozen=True, slots=True)
class Variant:
    id: str
    code: str
    """What a follower types, such as M."""
    name: str
    aliases: tuple[str, ...] = ()
    price: Money | None = None
    """None: the price of the drop."""


@dataclass(frozen=True, slots=True)
class Drop:
    id: str
    brand_id: str
    name: str
    kind: DropKind
    state: DropState
    price: Money
    variants: tuple[Variant, ...]
    opens_at: datetime | None = None
    """None: as soon as the state is open."""
    closes_at: datetime | None = None
    """None: when the brand closes it."""
    hold_minutes: int = 15
    per_follower_limit: int = 1
    is_waitlist_on: bool = True
    is_partial_allowed: bool = True
    """A follower who wants more than is left gets what is left; False: the whole wish waits."""
    link_mode: LinkMode = LinkMode.AUTO
    image_url: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The drop's own wordings by TextKey."""
    options: CheckoutOptions = field(default_factory=CheckoutOptions)
    is_restocked_on_refund: bool = True
    gate_epoch: int = 0
    version: int = 0

    def variant(self, variant_id: str) -> Variant:
        """Raises KeyError when the drop has no such variant."""
        for variant in self.variants:
            if variant.id == variant_id:
                return variant
        raise KeyError(variant_id)

    def unit_price(self, variant: Variant) -> Money:
        return self.price if variant.price is None else variant.price


def phase(drop: Drop, now: datetime) -> Phase:
    """Does the drop take claims at `now`, and if not, why not?"""
    if drop.state is DropState.CLOSED:
        return Phase.CLOSED
    if drop.state is DropState.DRAFT:
        return Phase.NOT_OPEN_YET
    if drop.closes_at is not None and drop.closes_at <= now:
        return Phase.CLOSED
    if drop.opens_at is not None and drop.opens_at > now:
        return Phase.NOT_OPEN_YET
    return Phase.PAUSED if drop.state is DropState.PAUSED else Phase.OPEN


def drop_faults(drop: Drop, stock_by_variant_code: Mapping[str, int], keywords: Sequence[str]) -> list[str]:
    """One clear sentence for each thing that keeps this drop from being saved."""
    by_field = faults_by_field(drop, stock_by_variant_code, keywords)
    return [fault for faults in by_field.values() for fault in faults]


def faults_by_field(
    drop: Drop, stock_by_variant_code: Mapping[str, int], keywords: Sequence[str]
) -> dict[str, list[str]]:
    """The same sentences under the name of the field that a brand types them in; empty when all is well."""
    found = {
        "name": list(_name_faults(drop)),
        "times": list(_time_faults(drop)),
        "hold_minutes": list(_hold_faults(drop)),
        "limit": list(_limit_faults(drop)),
        "price": list(_price_faults(drop)),
        "variants": [*_variant_faults(drop), *_stock_faults(drop, stock_by_variant_code)],
        "words": list(_keyword_faults(keywords)),
        "image_url": list(_image_faults(drop.image_url)),
        "shipping": list(_shipping_faults(drop.options)),
        **{f"text-{key}": template_faults(key, template) for key, template in drop.texts.items()},
    }
    return {field_name: faults for field_name, faults in found.items() if faults}


def _name_faults(drop: Drop) -> Iterator[str]:
    if not drop.name.strip():
        yield "The drop needs a name: followers read it in every reply."
    if len(drop.name) > NAME_CHARS_MOST:
        yield f"The name is {len(drop.name)} characters long: use at most {NAME_CHARS_MOST}."


def _time_faults(drop: Drop) -> Iterator[str]:
    for name, at in (("opening", drop.opens_at), ("closing", drop.closes_at)):
        if at is not None and at.tzinfo is None:
            yield f"The {name} time has no time zone: give one."
            return
    if drop.opens_at is not None and drop.closes_at is not None and drop.closes_at <= drop.opens_at:
        yield "The drop closes before it opens: move one of the two times."


def _hold_faults(drop: Drop) -> Iterator[str]:
    if not 1 <= drop.hold_minutes <= HOLD_MINUTES_MOST:
        yield f"A hold lasts 1 to {HOLD_MINUTES_MOST} minutes, not {drop.hold_minutes}."


def _limit_faults(drop: Drop) -> Iterator[str]:
    if not 1 <= drop.per_follower_limit <= LIMIT_UNITS_MOST:
        yield f"The limit per follower is 1 to {LIMIT_UNITS_MOST}, not {drop.per_follower_limit}."


def _price_faults(drop: Drop) -> Iterator[str]:
    prices = [("the drop", drop.price)]
    prices += [(f"the variant “{one.code}”", one.price) for one in drop.variants if one.price is not None]
    for owner, price in prices:
        if price.minor < 0:
            yield f"The price of {owner} is below zero: {plain(price)}."
        elif price.minor > PRICE_MINOR_MOST:
            yield f"The price of {owner} is more than the payment page can take: {plain(price)}."
        elif price.minor % COARSENESS.get(price.currency, 1):
            yield f"The price of {owner} must be round: {price.currency} is charged without its last digits."
        if price.currency != drop.price.currency:
            yield f"The price of {owner} is in {price.currency}, not {drop.price.currency}: use one currency."
    charged = {drop.unit_price(variant).minor for variant in drop.variants} or {drop.price.minor}
    if drop.kind is DropKind.PAID and min(charged) == 0:
        yield "A paid drop needs a price above zero: choose the kind “free” to give units away."
    if drop.kind is not DropKind.PAID and max(charged) > 0:
        yield f"A {drop.kind} drop has no price: set it to 0, or choose the kind “paid”."


def _variant_faults(drop: Drop) -> Iterator[str]:
    if not drop.variants:
        yield "The drop has no variant: a drop without choices has exactly one."
    if len(drop.variants) > VARIANTS_MOST:
        yield f"The drop has {len(drop.variants)} variants: use at most {VARIANTS_MOST}."
    owners: dict[str, Variant] = {}
    for variant in drop.variants:
        if len(drop.variants) > 1 and not normalise(variant.code):
            yield f"The variant “{variant.name}” needs a code with a letter or digit, such as M."
        if len(variant.code.encode(errors="replace")) > CODE_BYTES_MOST:
            yield f"The variant code “{variant.code}” is too long: use at most {CODE_BYTES_MOST} bytes."
        if len(variant.name) > NAME_CHARS_MOST:
            yield f"The variant name “{variant.name[:20]}…” has more than {NAME_CHARS_MOST} characters."
        yield from _spelling_faults(variant, owners)


def _spelling_faults(variant: Variant, owners: dict[str, Variant]) -> Iterator[str]:
    """Adds the variant's spellings to `owners`: each spelling must lead to one variant."""
    for spelling in (variant.code, variant.name, *variant.aliases):
        normalised = normalise(spelling)
        owner = owners.setdefault(normalised, variant) if normalised else variant
        if owner is not variant:
            yield f"“{spelling}” means both the variant “{owner.code}” and “{variant.code}”: rename one."


def _stock_faults(drop: Drop, stock_by_variant_code: Mapping[str, int]) -> Iterator[str]:
    codes = {variant.code for variant in drop.variants}
    for code, stock_units in stock_by_variant_code.items():
        if code not in codes:
            yield f"There is stock for “{code}”, but no such variant."
        if not 0 <= stock_units <= STOCK_UNITS_MOST:
            yield f"The stock of “{code}” is 0 to {STOCK_UNITS_MOST} units, not {stock_units}."
    if drop.kind is DropKind.LIST:
        return
    for code in sorted(codes - set(stock_by_variant_code)):
        yield f"The variant “{code}” has no stock: give a number, 0 if there is none yet."


def _keyword_faults(keywords: Sequence[str]) -> Iterator[str]:
    if not keywords:
        yield "The drop has no keyword: followers need a word to write."
    yield from clash(keywords, {})
    commands = CommandBook()
    for word in keywords:
        if len(word) > WORD_CHARS_MOST:
            yield f"The keyword “{word[:20]}…” is too long: use at most {WORD_CHARS_MOST} characters."
        command = commands.read(word)
        if command is not None:
            yield f"“{word}” is the command {command.upper()} everywhere: choose another word."


def _image_faults(image_url: str) -> Iterator[str]:
    if not image_url:
        return
    try:
        parts = urlsplit(image_url)
        is_usable = parts.scheme == "https" and bool(parts.hostname)
    except ValueError:
        is_usable = False
    if not is_usable or len(image_url) > URL_CHARS_MOST or not image_url.isprintable() or " " in image_url:
        yield "The picture must be a complete address that begins with https://."


def _shipping_faults(options: CheckoutOptions) -> Iterator[str]:
    for code in options.shipping_countries:
        if code not in COUNTRIES:
            yield f"“{code[:20]}” is no country that Stripe ships to: write two letters, such as DE, or EU."
