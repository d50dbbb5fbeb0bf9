"""Which lines of a brand's list are wanted, and by which rules do they count as qualified?"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from claimbot.core.leads import QualifyRule


class By(StrEnum):
    """What the list may be ordered by: the column of a lead."""

    FIRST_SEEN = "first_seen_at"
    LAST_SEEN = "last_seen_at"
    HANDLE = "username"


@dataclass(frozen=True, slots=True)
class Order:
    by: By = By.FIRST_SEEN
    is_rising: bool = False
    """The oldest first, or from A to Z."""


NEWEST_FIRST = Order()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines of a brand's list; None means all."""

    brand_id: str
    drop_id: str | None = None
    channel: str | None = None
    search: str | None = None
    """What words of their handle, their name or their e-mail address begin with."""
    outcome: str | None = None
    state: str | None = None
    is_qualified: bool | None = None
    has_consented: bool | None = None
    tag: str | None = None
    seen_from: datetime | None = None
    """First seen at this time or later."""
    seen_before: datetime | None = None

    @property
    def is_of_people(self) -> bool:
        """Is everything that was asked for known of the person alone?"""
        return (self.drop_id, self.outcome, self.state, self.is_qualified) == (None, None, None, None)

    @property
    def is_everybody(self) -> bool:
        return replace(self, brand_id="") == Wanted("")

    def order(self, asked: Order) -> Order:
        """How this may be ordered: everybody in every way, what is filtered by time alone.

        No index knows both, and without one a page of a long list takes seconds.
        """
        return asked if self.is_everybody or asked.by is By.FIRST_SEEN else NEWEST_FIRST


@dataclass(frozen=True, slots=True)
class Rules:
    """What makes a lead qualified, and when that is asked; a drop that is not named has the usual rule."""

    now: datetime
    own: Mapping[str, QualifyRule] = field(default_factory=dict)

    def drops_by_rule(self) -> dict[QualifyRule, list[str]]:
        """Of the drops that do not have the usual one."""
        found: dict[QualifyRule, list[str]] = {}
        for drop_id, rule in self.own.items():
            if rule != QualifyRule():
                found.setdefault(rule, []).append(drop_id)
        return found
