"""Up to when has an account heard everything that was written to it, and where may something be missing?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from claimbot.db import brands, marks
from claimbot.db.engine import Tx
from claimbot.parts import Parts

HEARD = "heard:"
ALIVE = "alive"
ALIVE_EVERY = timedelta(seconds=30)
# A clock that did not come round for so long was down.
DOWN_AFTER = timedelta(minutes=3)

# Why something may be missing.
UNSUBSCRIBED = "unsubscribed"
RESUMED = "resumed"
WAS_DOWN = "engine_was_down"
ASKED_FOR = "asked_for"


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of one account."""

    until: datetime
    """What was written before is in the ledger: its conversations were looked through."""
    wanted_at: datetime | None = None
    """When a gap was noticed that nobody has looked through yet."""
    why: str = ""
    is_parked: bool = False
    found: int = 0
    """How many messages the last look that found any found."""
    found_at: datetime | None = None

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "until": self.until.isoformat(),
            "wanted_at": _written(self.wanted_at),
            "why": self.why,
            "is_parked": self.is_parked,
            "found": self.found,
            "found_at": _written(self.found_at),
        }


def list_heard(tx: Tx) -> dict[str, Heard]:
    """By account."""
    found = marks.list_marks(tx, HEARD)
    return {mark.name.removeprefix(HEARD): _read(mark.facts) for mark in found}


def find_heard(tx: Tx, account_id: str) -> Heard | None:
    """None: nobody has looked yet."""
    mark = marks.find_mark(tx, f"{HEARD}{account_id}")
    return _read(mark.facts) if mark else None


def note_heard(tx: Tx, account_id: str, heard: Heard, now: datetime) -> None:
    marks.set_mark(tx, f"{HEARD}{account_id}", now, heard.facts)


def want_look(tx: Tx, account_id: str, why: str, now: datetime) -> None:
    """Something written before now may be missing. An account that is new has missed nothing."""
    known = find_heard(tx, account_id)
    if known is not None:
        note_heard(tx, account_id, replace(known, wanted_at=now, why=why), now)


def look_soon(parts: Parts, brand_id: str) -> None:
    """Somebody knows that words are missing: the clock looks for them in half a minute, not within five."""
    now = parts.clock()

    def story(tx: Tx) -> None:
        for account in brands.list_accounts(tx, parts.sealer, brand_id):
            want_look(tx, account.id, ASKED_FOR, now)

    parts.ledger.run(story)


def notice_gaps(parts: Parts, now: datetime) -> dict[str, Heard]:
    """Where may something be missing that nobody noticed yet? What is known then, by account."""
    accounts = list(parts.catalog().accounts.values())
    with parts.ledger.reading() as tx:
        heard, parked = list_heard(tx), brands.list_parked(tx)
        alive = marks.find_mark(tx, ALIVE)
    is_due = alive is None or now - alive.at >= ALIVE_EVERY
    changed = [one.id for one in accounts if one.id not in heard or _has_changed(one.id, heard, parked)]
    if not is_due and not changed:
        return heard
    was_down = alive is not None and now - alive.at >= DOWN_AFTER

    def story(tx: Tx) -> dict[str, Heard]:
        marks.set_mark(tx, ALIVE, now)
        for account_id in changed:
            _note_change(tx, account_id, account_id in parked, now)
        for account in accounts if was_down else ():
            want_look(tx, account.id, WAS_DOWN, now)
        return list_heard(tx)

    return parts.ledger.run(story)


def _has_changed(account_id: str, heard: dict[str, Heard], parked: set[str]) -> bool:
    return heard[account_id].is_parked is not (account_id in parked)


def _note_change(tx: Tx, account_id: str, is_parked: bool, now: datetime) -> None:
    """It is new, was parked, or works again."""
    known = find_heard(tx, account_id) or Heard(until=now)
    note_heard(tx, account_id, replace(known, is_parked=is_parked), now)
    if known.is_parked and not is_parked:
        want_look(tx, account_id, RESUMED, now)


def _read(facts: Mapping[str, Any]) -> Heard:
    return Heard(
        until=datetime.fromisoformat(facts["until"]),
        wanted_at=_moment(facts["wanted_at"]),
        why=facts["why"],
        is_parked=facts["is_parked"],
        found=facts["found"],
        found_at=_moment(facts["found_at"]),
    )


def _written(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
