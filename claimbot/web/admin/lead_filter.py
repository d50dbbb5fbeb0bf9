"""Which leads does a brand want to see? The words of the address, read and written."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from claimbot.core.brands import Brand
from claimbot.core.claims import State
from claimbot.core.lead_filters import NEWEST_FIRST, By, Order, Wanted
from claimbot.core.messages import Outcome
from claimbot.db import lead_pages

SEARCH_CHARS_MOST = 100
YES_NO = {"yes": True, "no": False}
# Between the time and the id of a place; neither holds one.
SEPARATOR = "~"
# Fields of the address whose names are words of the language.
NAMES = {"since": "from", "until": "to"}

Place = tuple[datetime, str]
# How an address names an order; the newest leads come first without one.
SORTS = {
    "": NEWEST_FIRST,
    "oldest": Order(is_rising=True),
    "seen": Order(By.LAST_SEEN),
    "unseen": Order(By.LAST_SEEN, is_rising=True),
    "name": Order(By.HANDLE, is_rising=True),
    "name-back": Order(By.HANDLE),
}
# The orders of each column that has some; a second click turns the first round.
COLUMNS = {"who": ("name", "name-back"), "first": ("", "oldest"), "last": ("seen", "unseen")}
SORT_WORDS = {
    "": "newest first",
    "oldest": "oldest first",
    "seen": "last heard first",
    "unseen": "longest silent first",
    "name": "by handle",
    "name-back": "by handle, from Z",
}


@dataclass(frozen=True, slots=True)
class Head:
    """How a column may be ordered: `words` asks for it, `direction` is ascending, descending or empty."""

    words: Mapping[str, str]
    direction: str


@dataclass(frozen=True, slots=True)
class Choice:
    """An order in words. `words` asks for it."""

    text: str
    words: Mapping[str, str]
    is_now: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """As it stands in the address, and in the fields of the page."""

    search: str = ""
    drop: str = ""
    outcome: str = ""
    state: str = ""
    qualified: str = ""
    channel: str = ""
    consent: str = ""
    tag: str = ""
    since: str = ""
    until: str = ""
    sort: str = ""

    def wanted(self, brand: Brand) -> Wanted:
        """Words that we do not know ask for nothing."""
        name = self.search.removeprefix("@")[:SEARCH_CHARS_MOST]
        until = _day(self.until)
        return Wanted(
            brand.id,
            drop_id=self.drop or None,
            channel=self.channel or None,
            search=name or None,
            outcome=self.outcome if self.outcome in set(Outcome) else None,
            state=self.state if self.state in set(State) else None,
            is_qualified=YES_NO.get(self.qualified),
            has_consented=YES_NO.get(self.consent),
            tag=self.tag[:SEARCH_CHARS_MOST] or None,
            seen_from=_midnight(_day(self.since), brand),
            seen_before=_midnight(until + timedelta(days=1) if until else None, brand),
        )

    def order(self, brand: Brand) -> Order:
        """As it can be told quickly; an order that we do not know is the usual one."""
        return self.wanted(brand).order(SORTS.get(self.sort, NEWEST_FIRST))

    def heads(self, brand: Brand) -> dict[str, Head]:
        """The columns by which this list may be ordered now."""
        wanted, now = self.wanted(brand), self.order(brand)
        found = {}
        for column, (first, second) in COLUMNS.items():
            if wanted.order(SORTS[first]) == SORTS[first]:
                turned = replace(self, sort=second if SORTS[first] == now else first)
                direction = "ascending" if now.is_rising else "descending"
                found[column] = Head(turned.words, direction if now.by is SORTS[first].by else "")
        return found

    def orders(self, brand: Brand) -> list[Choice]:
        """Every order that this list may have now."""
        wanted, now = self.wanted(brand), self.order(brand)
        return [
            Choice(SORT_WORDS[sort], replace(self, sort=sort).words, order == now)
            for sort, order in SORTS.items()
            if wanted.order(order) == order
        ]

    @property
    def words(self) -> dict[str, str]:
        """What was asked for, without what was not."""
        told = {NAMES.get(one.name, one.name): str(getattr(self, one.name)) for one in fields(self)}
        return {name: value for name, value in told.items() if value}

    @property
    def filters(self) -> dict[str, str]:
        """What keeps lines away."""
        return {name: value for name, value in self.words.items() if name != "sort"}

    @property
    def has_rare(self) -> bool:
        """Is something asked for that the page folds away?"""
        return bool(self.words.keys() & {"state", "channel", "consent", "tag", "from", "to"})

    @property
    def faults(self) -> list[str]:
        dates = (("from", self.since), ("to", self.until))
        return [
            f"The date “{value[:20]}” ({name}) is none: write it as 2026-03-14."
            for name, value in dates
            if value and _day(value) is None
        ]


def read_asked(words: Mapping[str, str]) -> Asked:
    """From an address or a form; PostgreSQL cannot keep the letter NUL."""
    names = {one.name: NAMES.get(one.name, one.name) for one in fields(Asked)}
    return Asked(**{own: words.get(name, "").replace("\0", "").strip() for own, name in names.items()})


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    # A zone's midnight must still be a time.
    return found if 1 < found.year < 9999 else None


def _midnight(day: date | None, brand: Brand) -> datetime | None:
    """A day begins where the brand is."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(brand.timezone)) if day else None


def write_place(place: Place) -> str:
    return f"{place[0].isoformat()}{SEPARATOR}{place[1]}"


def write_spot(place: lead_pages.Place) -> str:
    """A place in a list that is ordered by time, or by handle."""
    return (
        f"{place[0]}{SEPARATOR}{place[1]}" if isinstance(place[0], str) else write_place((place[0], place[1]))
    )


def read_spot(text: str, order: Order) -> lead_pages.Place | None:
    if order.by is not By.HANDLE:
        return read_place(text)
    handle, _, key = text.rpartition(SEPARATOR)
    return (handle, key) if key else None


def read_place(text: str) -> Place | None:
    """None for what we did not write: the list then begins at its start."""
    at, _, key = text.partition(SEPARATOR)
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (found, key) if found.tzinfo is not None and key else None
