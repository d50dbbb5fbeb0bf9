"""What stands where in a webhook of the Meta family? Shared by all of its channels.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started
One POST may hold several accounts and up to 1,000 updates. A broken piece is kept aside with a reason;
its neighbours go on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from claimbot.channels.body import dump_json
from claimbot.core.messages import Quarantined

# Meta promises at most 1,000 updates in one POST.
EVENTS_MAX = 1_000

# The account of the dashboard's Test button. No real account has it.
TEST_ACCOUNT = "0"

# Instagram's own ids have 164 characters at most so far, WhatsApp's user ids 256.
ID_CHARS_MAX = 512

# The longest text that any channel of the family delivers is 4,096 characters (WhatsApp).
TEXT_CHARS_MAX = 5_000

# Messaging on these platforms did not exist before; a smaller number is not a time.
EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# As seconds this is the year 5138, as milliseconds 1973: larger numbers are milliseconds.
MILLISECONDS_FROM = 100_000_000_000


@dataclass(frozen=True, slots=True)
class Piece:
    """One event's JSON, and where in the delivery it stood."""

    account_id: str
    place: str
    """messaging, standby, or the field of a change (comments, live_comments …)."""
    value: dict[str, object]
    entry_time: object
    received_at: datetime

    def time(self, *values: object) -> datetime | None:
        """The first of these values that is a plausible time."""
        found = (time_of(value, self.received_at) for value in values)
        return next((time for time in found if time is not None), None)


class Broken(Exception):
    """A piece that cannot be read; `reason` is a constant word. Never leaves this room."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def object_word(document: object) -> str:
    """Which webhook object the document is of; "" for the dashboard's bare form."""
    first = document[0] if isinstance(document, list) and document else document
    return text_of(first, "object") if isinstance(first, dict) else ""


def pieces(
    document: object, objects: tuple[str, ...], received_at: datetime
) -> Iterator[Piece | Quarantined]:
    """Every event as it stands in the document, at most EVENTS_MAX; with more, the document is kept aside.

    What comes after the last one is not looked at: a small body may hold a million empty pieces.
    """
    found = _all_pieces(document, objects, received_at)
    first = list(islice(found, EVENTS_MAX))
    if next(found, None) is None:
        yield from first
        return
    # What is broken among them is kept with the whole document; once is enough.
    yield from (one for one in first if isinstance(one, Piece))
    yield Quarantined("too_many_events", dump_json(document))


def part(value: Mapping[str, object], key: str) -> dict[str, object]:
    """The object under this key; an empty one when there is none."""
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def text_of(value: Mapping[str, object], key: str) -> str:
    """The text under this key, cut to a bounded length; "" when there is none."""
    found = value.get(key)
    return found[:TEXT_CHARS_MAX] if isinstance(found, str) else ""


def id_of(value: Mapping[str, object], *keys: str) -> str | None:
    """The first of these keys that holds an id, as text: fixtures and deliveries mix numbers and strings."""
    for key in keys:
        found = value.get(key)
        if isinstance(found, bool) or not isinstance(found, int | str) or found == "":
            continue
        if len(str(found)) > ID_CHARS_MAX:
            raise Broken("id_too_long")
        return str(found)
    return None


def time_of(value: object, received_at: datetime) -> datetime | None:
    """Milliseconds, seconds, digits in a string or ISO 8601; None when it is missing or implausible."""
    moment = _moment(value)
    if moment is None or not EARLIEST <= moment <= received_at + timedelta(days=1):
        return None
    return moment


def _moment(value: object) -> datetime | None:
    if isinstance(value, str):
        return _moment_of_text(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # The year 2286 in milliseconds; also keeps floats inside what timedelta can hold.
    if not 0 < value < 10_000_000_000_000:
        return None
    return EPOCH + (timedelta(milliseconds=value) if value >= MILLISECONDS_FROM else timedelta(seconds=value))


def _moment_of_text(text: str) -> datetime | None:
    if len(text) > 40:
        return None
    if text.isascii() and text.isdigit():
        return _moment(int(text))
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _all_pieces(
    document: object, objects: tuple[str, ...], received_at: datetime
) -> Iterator[Piece | Quarantined]:
    for delivery in document if isinstance(document, list) else [document]:
        if not isinstance(delivery, dict):
            yield _aside("not_an_object", delivery)
        elif "field" in delivery and "value" in delivery and "entry" not in delivery:
            yield from _entry_pieces({**delivery, "id": TEST_ACCOUNT}, received_at)
        elif delivery.get("object") not in objects:
            yield _aside("other_object", delivery)
        elif not isinstance(delivery.get("entry"), list):
            yield _aside("no_entries", delivery)
        else:
            for entry in delivery["entry"]:
                yield from _entry_pieces(entry, received_at)


def _entry_pieces(entry: object, received_at: datetime) -> Iterator[Piece | Quarantined]:
    try:
        account_id = id_of(entry, "id") if isinstance(entry, dict) else None
    except Broken:
        account_id = None
    if not isinstance(entry, dict) or account_id is None:
        yield _aside("no_account", entry)
        return
    known = False
    for place, value in _places(entry):
        known = True
        if isinstance(value, dict):
            yield Piece(account_id, place, value, entry.get("time"), received_at)
        else:
            yield _aside("not_an_object", value, account_id)
    if not known:
        yield _aside("nothing_known", entry, account_id)


def _places(entry: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Where events stand in an entry, in any mix. hop_context says who passed it on: not an event."""
    for place in ("messaging", "standby"):
        found = entry.get(place, [])
        yield from ((place, value) for value in (found if isinstance(found, list) else [found]))
    changes = entry.get("changes", [])
    for change in changes if isinstance(changes, list) else [changes]:
        yield _change(change)
    if "field" in entry and "value" in entry:
        yield _change(entry)


def _change(change: object) -> tuple[str, object]:
    """Its field and value; the whole change in a list, which is no event, when it has not got them."""
    if not isinstance(change, dict) or not isinstance(change.get("value"), dict):
        return "changes", [change]
    return text_of(change, "field"), change["value"]


def _aside(reason: str, value: object, account_id: str | None = None) -> Quarantined:
    return Quarantined(reason, dump_json(value), account_id)
