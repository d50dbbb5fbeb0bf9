"""Up to when has an account heard everything that was written to it, and where may something be missing?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from claimbot.db import marks
from claimbot.db.engine import Tx

HEARD = "heard:"

# Why something may be missing.
UNSUBSCRIBED = "unsubscribed"
RESUMED = "resumed"
WAS_DOWN = "engine_was_down"


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
