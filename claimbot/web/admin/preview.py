"""What will the follower see? Each message of a drop as their phone shows it, with its length."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from claimbot.core.brands import Brand
from claimbot.core.drops import ONLY_CODE, DropKind
from claimbot.core.money import Money, decimals, plain, read_amount
from claimbot.core.replies import BUTTON_CHARS, TEXT_BYTES, compose, longest_bytes
from claimbot.core.texts import DEFAULT_TEXTS, TextKey
from claimbot.web.admin.drop_form import DropForm
from claimbot.web.admin.occasions import OCCASIONS, USUAL

# An example must be long enough for most; nobody is called so.
SAMPLE_NAME = "Ana"
SAMPLE_PLACE = 17
SAMPLE_PRICE = {0: "12900", 2: "129.00", 3: "129.000"}
WITH_BUTTON = frozenset((TextKey.HELD, TextKey.HELD_PARTIAL, TextKey.PROMOTED, TextKey.ALREADY_HELD))
ABOUT_LINE = frozenset((TextKey.WAITLISTED, TextKey.PROMOTED, TextKey.ALREADY_WAITLISTED))


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message. `button` is empty where there is none."""

    occasion: str
    text: str
    button: str
    choices: tuple[str, ...]
    size_bytes: int
    most_bytes: int
    """With the longest names and numbers that there can be."""
    image_url: str = ""
    limit_bytes: int = TEXT_BYTES

    @property
    def is_tight(self) -> bool:
        return self.size_bytes > self.limit_bytes * 9 // 10


def bubbles(form: DropForm, brand: Brand, now: datetime) -> list[Bubble]:
    return [_bubble(key, form, brand, now) for key in _occasions(form)]


def _occasions(form: DropForm) -> Iterator[TextKey]:
    """The usual ones, and those that the brand wrote words of its own for."""
    has_line = "waitlist" in form.flags
    has_choice = len(form.filled) > 1
    for key in OCCASIONS:
        is_asked_for = key in USUAL or key in form.texts
        is_left_out = (key in ABOUT_LINE and not has_line) or (key is TextKey.SOLD_OUT and has_line)
        is_pointless = (key is TextKey.WHICH_VARIANT and not has_choice) or key is TextKey.PAY_BUTTON
        if is_asked_for and not is_left_out and not is_pointless:
            yield key


def _bubble(key: TextKey, form: DropForm, brand: Brand, now: datetime) -> Bubble:
    texts = {**brand.texts, **form.texts}
    sent_as = _as_sent(key, form)
    text = compose(sent_as, texts, _values(form, brand, now))
    has_button = key in WITH_BUTTON and form["kind"] == DropKind.PAID
    title = texts.get(TextKey.PAY_BUTTON) or DEFAULT_TEXTS[TextKey.PAY_BUTTON]
    return Bubble(
        occasion=OCCASIONS[key],
        text=text,
        button=title[:BUTTON_CHARS] if has_button else "",
        choices=_codes(form) if key is TextKey.WHICH_VARIANT else (),
        size_bytes=len(text.encode()),
        most_bytes=min(longest_bytes(texts.get(sent_as) or DEFAULT_TEXTS[sent_as]), TEXT_BYTES),
        image_url=form["image_url"] if has_button and form["image_url"].startswith("https://") else "",
    )


def _as_sent(key: TextKey, form: DropForm) -> TextKey:
    """The same occasion has other words where there is nothing to pay."""
    instead = {DropKind.FREE.value: TextKey.FREE_GIVEN, DropKind.LIST.value: TextKey.GRANTED}
    return instead.get(form["kind"], key) if key is TextKey.HELD else key


def _codes(form: DropForm) -> tuple[str, ...]:
    return tuple(row.name or row.code for row in form.filled)


def _values(form: DropForm, brand: Brand, now: datetime) -> dict[str, str | None]:
    first = form.filled[0]
    words = form.words or ["LAUNCH"]
    minutes = int(form["hold_minutes"]) if form["hold_minutes"].isdecimal() else 15
    price = plain(_price(form))
    counts = [int(row.stock) for row in form.filled if row.stock.isdecimal()]
    has_choice = len(form.filled) > 1
    return {
        "brand": brand.name,
        "first_name": SAMPLE_NAME,
        "username": "ana.lima",
        "time": now.astimezone(UTC).strftime("%H:%M:%S UTC"),
        "item": form["name"] or "Your drop",
        "price": price,
        "total": price,
        "minutes": str(minutes),
        "word": words[0],
        "words": words[0],
        "opens_at": _opens(form, brand, now),
        "stock": str(sum(counts)) if counts else None,
        "variant": (first.name or first.code or ONLY_CODE) if has_choice else None,
        "choices": ", ".join(_codes(form)) if has_choice else None,
        "quantity": "1",
        "place": str(min(SAMPLE_PLACE, sum(counts) or SAMPLE_PLACE)),
        "waiting": "3",
        "reason": "one follower may have " + (form["limit"] or "1"),
        "deadline": _local(now + timedelta(minutes=min(minutes, 1440)), brand, "%H:%M %Z"),
    }


def _price(form: DropForm) -> Money:
    typed = form["currency"].upper()
    currency = typed if len(typed) == 3 and typed.isascii() and typed.isalpha() else "EUR"
    return read_amount(form["price"] or SAMPLE_PRICE[decimals(currency)], currency) or Money(0, currency)


def _opens(form: DropForm, brand: Brand, now: datetime) -> str:
    try:
        at = datetime.fromisoformat(form["opens_at"]).replace(tzinfo=ZoneInfo(brand.timezone))
        return _local(at, brand, "%d %b %Y, %H:%M %Z")
    except (ValueError, OverflowError):
        return _local(now, brand, "%d %b %Y, %H:%M %Z")


def _local(at: datetime, brand: Brand, form: str) -> str:
    return at.astimezone(ZoneInfo(brand.timezone)).strftime(form)
