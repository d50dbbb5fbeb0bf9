"""What did a brand type about a new drop, and is it one? Everything typed is kept when it is not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from claimbot.core.brands import Brand
from claimbot.core.drops import (
    ONLY_CODE,
    VARIANTS_MOST,
    Drop,
    DropKind,
    DropState,
    LinkMode,
    Variant,
    faults_by_field,
)
from claimbot.core.keywords import Mode
from claimbot.core.money import Money, decimals, read_amount
from claimbot.core.texts import TextKey
from claimbot.flows.launch import NewDrop

ROWS_ADDED = 3
ROW_FIELDS = ("code", "name", "stock", "price")
FLAGS = ("waitlist", "partial", "restock")
# What most launches change; the others keep the brand's wording.
TEXTS = (
    TextKey.HELD,
    TextKey.WAITLISTED,
    TextKey.PROMOTED,
    TextKey.SOLD_OUT,
    TextKey.NOT_OPEN_YET,
    TextKey.WHICH_VARIANT,
    TextKey.PAID,
    TextKey.HOLD_ENDED,
    TextKey.CLOSED,
    TextKey.PAY_BUTTON,
)
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
    **{f"text-{key.value}": "" for key in TEXTS},
}

Faults = dict[str, list[str]]
Choice = TypeVar("Choice", DropKind, Mode, LinkMode)


@dataclass(frozen=True, slots=True)
class Row:
    """A variant as it was typed."""

    code: str = ""
    name: str = ""
    stock: str = ""
    price: str = ""

    @property
    def is_blank(self) -> bool:
        return not (self.code or self.name or self.stock or self.price)


@dataclass(frozen=True, slots=True)
class DropForm:
    """Words as they were typed, under the names of their fields."""

    fields: Mapping[str, str] = field(default_factory=lambda: dict(EMPTY))
    rows: tuple[Row, ...] = (Row(),)
    flags: frozenset[str] = frozenset(FLAGS)

    def __getitem__(self, name: str) -> str:
        return self.fields[name]

    @property
    def words(self) -> list[str]:
        lines = self["words"].replace(",", "\n").splitlines()
        return [word.strip() for word in lines if word.strip()]

    @property
    def texts(self) -> dict[str, str]:
        typed = {key.value: self[f"text-{key.value}"].strip() for key in TEXTS}
        return {key: text.replace("\r\n", "\n") for key, text in typed.items() if text}

    @property
    def filled(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if not row.is_blank) or (Row(),)

    def with_more_rows(self) -> "DropForm":
        more = min(ROWS_ADDED, VARIANTS_MOST - len(self.rows))
        return replace(self, rows=self.rows + (Row(),) * more)


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


@dataclass(frozen=True, slots=True)
class Checked:
    """The drop that was typed, or what is wrong with it, by field."""

    new: NewDrop | None
    faults: Faults


def check_drop(form: DropForm, brand: Brand) -> Checked:
    """Two kinds of faults: what cannot be read, and what the rules refuse."""
    faults: Faults = {}
    new = _new_drop(form, brand, faults)
    for name, sentences in faults_by_field(new.drop, new.stock, new.words).items():
        # What could not be read was replaced by a guess; the rules have nothing to say about guesses.
        if name not in faults:
            faults[name] = sentences
    return Checked(None if faults else new, faults)


def _new_drop(form: DropForm, brand: Brand, faults: Faults) -> NewDrop:
    kind = _choice(form, "kind", DropKind, faults)
    price = _price(form, kind, faults)
    variants, stock = _variants(form, price, faults)
    drop = Drop(
        id="",
        brand_id=brand.id,
        name=form["name"],
        kind=kind,
        state=DropState.DRAFT,
        price=price,
        variants=variants,
        opens_at=_moment(form, "opens_at", brand, faults),
        closes_at=_moment(form, "closes_at", brand, faults),
        hold_minutes=_number(form["hold_minutes"], "hold_minutes", faults, 15),
        per_follower_limit=_number(form["limit"], "limit", faults, 1),
        is_waitlist_on="waitlist" in form.flags,
        is_partial_allowed="partial" in form.flags,
        is_restocked_on_refund="restock" in form.flags,
        link_mode=_choice(form, "link_mode", LinkMode, faults),
        image_url=form["image_url"],
        texts=form.texts,
    )
    return NewDrop(drop, stock, form.words, _choice(form, "mode", Mode, faults))


def _choice(form: DropForm, name: str, words: type[Choice], faults: Faults) -> Choice:
    try:
        return words(form[name])
    except ValueError:
        faults[name] = ["Choose one of the list."]
        return next(iter(words))


def _price(form: DropForm, kind: DropKind, faults: Faults) -> Money:
    currency = form["currency"].upper()
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        faults["currency"] = ["Three letters, such as EUR."]
        currency = "EUR"
    if kind is not DropKind.PAID and not form["price"]:
        return Money(0, currency)
    return _amount(form["price"], currency, "price", faults)


def _amount(typed: str, currency: str, name: str, faults: Faults) -> Money:
    found = read_amount(typed, currency)
    if found is None:
        example = "12900" if decimals(currency) == 0 else f"129.{'0' * decimals(currency)}"
        faults.setdefault(name, []).append(f"Write an amount like {example}, without the currency.")
    return found or Money(1, currency)


def _variants(form: DropForm, price: Money, faults: Faults) -> tuple[tuple[Variant, ...], dict[str, int]]:
    rows = form.filled
    stock: dict[str, int] = {}
    variants = []
    for row in rows:
        code = row.code or (ONLY_CODE if len(rows) == 1 else "")
        own = _amount(row.price, price.currency, "variants", faults) if row.price else None
        name = row.name or (form["name"] if len(rows) == 1 and not row.code else code)
        variants.append(Variant("", code, name, (), own))
        stock[code] = _number(row.stock, "variants", faults, 0) if row.stock else 0
    if form["kind"] != DropKind.LIST and not any(row.stock for row in rows):
        faults.setdefault("variants", []).append("How many units are there? Give a stock, 0 if none yet.")
    faults_of_codes = list(_code_faults([variant.code for variant in variants]))
    if faults_of_codes:
        faults.setdefault("variants", []).extend(faults_of_codes)
    return tuple(variants), stock


def _code_faults(codes: list[str]) -> Iterator[str]:
    if len(codes) > 1 and not all(codes):
        yield "Each variant needs a code that followers can write, such as M."
    twice = sorted({code for code in codes if code and codes.count(code) > 1})
    for code in twice:
        yield f"“{code}” is there twice: rename one."


def _number(typed: str, name: str, faults: Faults, usual: int) -> int:
    if typed.isascii() and typed.isdigit() and len(typed) < 10:
        return int(typed)
    faults.setdefault(name, []).append("Write a whole number.")
    return usual


def _moment(form: DropForm, name: str, brand: Brand, faults: Faults) -> datetime | None:
    """A time on the clocks where the brand is."""
    if not form[name]:
        return None
    zone = ZoneInfo(brand.timezone)
    try:
        local = datetime.fromisoformat(form[name]).replace(tzinfo=zone)
        found = local.astimezone(UTC)
    except (ValueError, OverflowError):
        faults.setdefault("times", []).append("Write a time like 2026-03-14T18:00.")
        return None
    if found.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        faults.setdefault("times", []).append(
            f"{form[name].replace('T', ' ')} does not exist in {brand.timezone}: the clocks go forward then."
        )
    return found
