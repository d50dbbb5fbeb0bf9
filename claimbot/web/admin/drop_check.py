"""Is what a brand typed a drop? The drop, or what is wrong with it, by field."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from babel.core import get_global

from claimbot.core.brands import Brand
from claimbot.core.drops import (
    ONLY_CODE,
    Drop,
    DropKind,
    DropState,
    LinkMode,
    Variant,
    faults_by_field,
)
from claimbot.core.keywords import Mode
from claimbot.core.money import Money, decimals, read_amount
from claimbot.flows.edit import Known
from claimbot.flows.launch import NewDrop
from claimbot.web.admin.drop_form import DropForm, Row, local_time

# Each row of the variants has one of each; what is wrong with one stands beside it.
ROW_FIELDS = {"stock", "code", "price"}

Faults = dict[str, list[str]]
Choice = TypeVar("Choice", DropKind, Mode, LinkMode)


@dataclass(frozen=True, slots=True)
class Checked:
    """The drop that was typed, or what is wrong with it, by field."""

    new: NewDrop | None
    faults: Faults


def check_drop(form: DropForm, brand: Brand, known: Known | None = None) -> Checked:
    """Two kinds of faults: what cannot be read, and what the rules refuse. `known` is the drop before."""
    faults: Faults = {}
    new = _new_drop(form, brand, known, faults)
    for name, sentences in faults_by_field(new.drop, new.stock, new.words).items():
        # What could not be read was replaced by a guess; the rules have nothing to say about guesses.
        if name not in faults and not (
            name == "variants" and ROW_FIELDS & {one.partition("-")[0] for one in faults}
        ):
            faults[name] = sentences
    return Checked(None if faults else new, faults)


def _new_drop(form: DropForm, brand: Brand, known: Known | None, faults: Faults) -> NewDrop:
    drop = Drop(
        id="",
        brand_id=brand.id,
        name=form["name"],
        kind=_choice(form, "kind", DropKind, faults),
        state=DropState.DRAFT,
        price=Money(0, "EUR"),
        variants=(),
        opens_at=_moment(form, "opens_at", brand, known, faults),
        closes_at=_moment(form, "closes_at", brand, known, faults),
        hold_minutes=_number(form["hold_minutes"], "hold_minutes", faults, 15),
        per_follower_limit=_number(form["limit"], "limit", faults, 1),
        link_mode=_choice(form, "link_mode", LinkMode, faults),
        image_url=form["image_url"],
        texts=form.texts,
        options=form.options,
        is_waitlist_on="waitlist" in form.flags,
        is_partial_allowed="partial" in form.flags,
        is_restocked_on_refund="restock" in form.flags,
    )
    drop, stock = _with_offer(form, drop, known, faults)
    return NewDrop(drop, stock, form.words, _choice(form, "mode", Mode, faults))


def _with_offer(
    form: DropForm, drop: Drop, known: Known | None, faults: Faults
) -> tuple[Drop, dict[str, int]]:
    """What is sold, and for how much: typed for a draft, and what it was for a drop that was opened."""
    if known is not None and not known.is_draft:
        kept = known.drop
        return replace(drop, kind=kept.kind, price=kept.price, variants=kept.variants), known.stock
    price = _price(form, drop.kind, faults)
    variants, stock = _variants(form, price, faults)
    return replace(drop, price=price, variants=variants), stock


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
    elif currency not in get_global("all_currencies"):
        faults["currency"] = [f"There is no currency {currency}: write three letters, such as EUR or USD."]
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
    rows = form.numbered
    stock: dict[str, int] = {}
    variants = []
    for number, row in rows:
        code = row.code or (ONLY_CODE if len(rows) == 1 else "")
        own = _amount(row.price, price.currency, f"price-{number}", faults) if row.price else None
        name = row.name or (form["name"] if len(rows) == 1 and not row.code else code)
        variants.append(Variant("", code, name, row.other_names, own))
        stock[code] = _number(row.stock, f"stock-{number}", faults, 0) if row.stock else 0
    if form["kind"] != DropKind.LIST and not any(row.stock for _, row in rows):
        faults[f"stock-{rows[0][0]}"] = ["How many units are there? Give a stock, 0 if none yet."]
    _note_codes(rows, faults)
    return tuple(variants), stock


def _note_codes(rows: Sequence[tuple[int, Row]], faults: Faults) -> None:
    """Followers choose a variant by its code."""
    known: set[str] = set()
    for number, row in rows if len(rows) > 1 else ():
        if not row.code:
            faults[f"code-{number}"] = ["Give it a code that followers can write, such as M."]
        elif row.code in known:
            faults[f"code-{number}"] = [f"“{row.code}” is there twice: rename one."]
        known.add(row.code)


def _number(typed: str, name: str, faults: Faults, usual: int) -> int:
    if typed.isascii() and typed.isdigit() and len(typed) < 10:
        return int(typed)
    faults.setdefault(name, []).append("Write a whole number.")
    return usual


def _moment(form: DropForm, name: str, brand: Brand, known: Known | None, faults: Faults) -> datetime | None:
    """A time on the clocks where the brand is."""
    if not form[name]:
        return None
    before: datetime | None = getattr(known.drop, name) if known else None
    if form[name] == local_time(before, brand.timezone):
        # Nobody touched it: seconds, and the second 02:30 of an autumn night, stay as they were.
        return before
    zone = ZoneInfo(brand.timezone)
    try:
        local = datetime.fromisoformat(form[name]).replace(tzinfo=zone)
        found = local.astimezone(UTC)
    except (ValueError, OverflowError):
        faults.setdefault(name, []).append("Write a time like 2026-03-14T18:00.")
        return None
    if found.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        faults.setdefault(name, []).append(
            f"{form[name].replace('T', ' ')} does not exist in {brand.timezone}: the clocks go forward then."
        )
    return found
