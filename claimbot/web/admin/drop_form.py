"""What did a brand type about a drop? Everything is kept as it was typed, also when it is no drop yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from claimbot.core.countries import read_countries
from claimbot.core.drops import ONLY_CODE, VARIANTS_MOST, Drop, DropKind, LinkMode, Variant
from claimbot.core.keywords import Mode
from claimbot.core.money import plain
from claimbot.core.payments import CheckoutOptions
from claimbot.flows.edit import Known
from claimbot.web.admin.occasions import OCCASIONS

ROWS_ADDED = 3
ROW_FIELDS = ("code", "name", "stock", "price", "aliases")
# Ticks of the drop, and ticks of its payment page under the names of CheckoutOptions.
RULE_FLAGS = {
    "waitlist": "is_waitlist_on",
    "partial": "is_partial_allowed",
    "restock": "is_restocked_on_refund",
}
CHECKOUT_FLAGS = ("collect_phone", "automatic_tax", "promotion_codes", "marketing_consent")
FLAGS = (*RULE_FLAGS, *CHECKOUT_FLAGS)
LOCAL_TIME = "%Y-%m-%dT%H:%M"
EMPTY: Mapping[str, str] = {
    "name": "",
    "kind": DropKind.PAID.value,
    "price": "",
    "currency": "EUR",
    "words": "",
    "mode": Mode.WORD.value,
    "opens_at": "",
    "closes_at": "",
    "hold_minutes": "15",
    "limit": "1",
    "image_url": "",
    "link_mode": LinkMode.AUTO.value,
    "shipping": "",
    "version": "",
    **{f"text-{key.value}": "" for key in OCCASIONS},
}


@dataclass(frozen=True, slots=True)
class Row:
    """A variant as it was typed."""

    code: str = ""
    name: str = ""
    stock: str = ""
    price: str = ""
    aliases: str = ""

    @property
    def is_blank(self) -> bool:
        return not (self.code or self.name or self.stock or self.price or self.aliases)

    @property
    def other_names(self) -> tuple[str, ...]:
        return tuple(_words_in(self.aliases))


@dataclass(frozen=True, slots=True)
class DropForm:
    """Words as they were typed, under the names of their fields."""

    fields: Mapping[str, str] = field(default_factory=lambda: dict(EMPTY))
    rows: tuple[Row, ...] = (Row(),)
    flags: frozenset[str] = frozenset(RULE_FLAGS)

    def __getitem__(self, name: str) -> str:
        return self.fields[name]

    @property
    def words(self) -> list[str]:
        return _words_in(self["words"])

    @property
    def texts(self) -> dict[str, str]:
        typed = {key.value: self[f"text-{key.value}"].strip() for key in OCCASIONS}
        return {key: text.replace("\r\n", "\n") for key, text in typed.items() if text}

    @property
    def options(self) -> CheckoutOptions:
        return CheckoutOptions(
            collect_phone="collect_phone" in self.flags,
            shipping_countries=read_countries(self["shipping"]),
            automatic_tax="automatic_tax" in self.flags,
            promotion_codes="promotion_codes" in self.flags,
            marketing_consent="marketing_consent" in self.flags,
        )

    @property
    def filled(self) -> tuple[Row, ...]:
        return tuple(row for _, row in self.numbered)

    @property
    def numbered(self) -> tuple[tuple[int, Row], ...]:
        """The rows that say something, with their numbers in the form."""
        return tuple(one for one in enumerate(self.rows) if not one[1].is_blank) or ((0, Row()),)

    def with_more_rows(self) -> "DropForm":
        more = min(ROWS_ADDED, VARIANTS_MOST - len(self.rows))
        return replace(self, rows=self.rows + (Row(),) * more)

    def with_fields(self, **fields: str) -> "DropForm":
        return replace(self, fields={**self.fields, **fields})


def _words_in(typed: str) -> list[str]:
    lines = typed.replace(",", "\n").splitlines()
    return [word.strip() for word in lines if word.strip()]


def read_form(typed: Mapping[str, str]) -> DropForm:
    told = {name: text.replace("\0", "") for name, text in typed.items()}
    count = told.get("rows", "1")
    rows = int(count) if count.isascii() and count.isdigit() and len(count) < 4 else 1
    return DropForm(
        fields={name: told.get(name, usual).strip() for name, usual in EMPTY.items()},
        rows=tuple(_row(told, number) for number in range(min(max(rows, 1), VARIANTS_MOST))),
        flags=frozenset(name for name in FLAGS if told.get(name)),
    )


def _row(told: Mapping[str, str], number: int) -> Row:
    return Row(*(told.get(f"{name}-{number}", "").strip() for name in ROW_FIELDS))


def form_of(known: Known, timezone: str) -> DropForm:
    """The form as it would have been filled in for this drop."""
    drop = known.drop
    texts = {f"text-{key.value}": drop.texts.get(key, "") for key in OCCASIONS}
    fields = {
        "name": drop.name,
        "kind": drop.kind.value,
        "price": _amount(plain(drop.price)) if drop.price.minor else "",
        "currency": drop.price.currency,
        "words": ", ".join(known.words),
        "mode": known.mode.value,
        "opens_at": local_time(drop.opens_at, timezone),
        "closes_at": local_time(drop.closes_at, timezone),
        "hold_minutes": str(drop.hold_minutes),
        "limit": str(drop.per_follower_limit),
        "image_url": drop.image_url,
        "link_mode": drop.link_mode.value,
        "shipping": ", ".join(drop.options.shipping_countries),
        "version": str(drop.version),
    }
    rows = tuple(_row_of(drop, variant, known.stock) for variant in drop.variants)
    return DropForm({**fields, **texts}, rows, _flags_of(drop))


def _row_of(drop: Drop, variant: Variant, stock: Mapping[str, int]) -> Row:
    is_only = len(drop.variants) == 1
    # A drop without choices has one variant that nobody named.
    code = "" if is_only and variant.code == ONLY_CODE else variant.code
    name = "" if (is_only and variant.name == drop.name) or variant.name == variant.code else variant.name
    price = _amount(plain(variant.price)) if variant.price else ""
    units = "" if drop.kind is DropKind.LIST else str(stock[variant.code])
    return Row(code, name, units, price, ", ".join(variant.aliases))


def _amount(written: str) -> str:
    return written.partition(" ")[0]


def _flags_of(drop: Drop) -> frozenset[str]:
    rules = {name for name, known_as in RULE_FLAGS.items() if getattr(drop, known_as)}
    return frozenset(rules | {name for name in CHECKOUT_FLAGS if getattr(drop.options, name)})


def local_time(at: datetime | None, timezone: str) -> str:
    """As a browser's field for a time wants it, on the clocks of the brand."""
    return at.astimezone(ZoneInfo(timezone)).strftime(LOCAL_TIME) if at else ""
