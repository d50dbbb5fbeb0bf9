"""Who may do what in a brand's pages, and how long does somebody wait who mistyped a password?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from claimbot.core.brands import Brand


class Role(StrEnum):
    OWNER = "owner"  # everything, also what cannot be undone
    EDITOR = "editor"  # makes and runs drops
    VIEWER = "viewer"  # looks only


class Right(StrEnum):
    LOOK = "look"
    CHANGE = "change"
    OWN = "own"  # what cannot be undone, or hands out everybody's data


RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.OWNER: frozenset(Right),
        Role.EDITOR: frozenset((Right.LOOK, Right.CHANGE)),
        Role.VIEWER: frozenset((Right.LOOK,)),
    }
)

# Somebody who went for a coffee is still signed in; somebody who went home is not (ASVS 7.3).
IDLE = timedelta(minutes=60)
SIGNED_IN_MOST = timedelta(hours=12)
# A browser left open on a table may look, but neither refund nor erase (ASVS 7.5).
PROVED_FOR = timedelta(minutes=5)

# Failures are counted over this span; a success clears those of the account.
TRIES_SPAN = timedelta(minutes=15)
EVERYWHERE_SPAN = timedelta(minutes=1)
ACCOUNT_TRIES_FREE = 5
ADDRESS_TRIES_FREE = 20
EVERYWHERE_TRIES_MOST = 100
# Nobody can lock somebody else out for longer; guessing at this pace is hopeless.
WAIT_SECONDS_MOST = 60.0


@dataclass(frozen=True, slots=True)
class Membership:
    """What an operator may do in one brand."""

    brand: Brand
    role: Role

    def may(self, right: Right) -> bool:
        return right in RIGHTS[self.role]


@dataclass(frozen=True, slots=True)
class Visitor:
    """An operator who is signed in, in one browser."""

    session_id: str
    operator_id: str
    email: str
    memberships: tuple[Membership, ...]
    proved_at: datetime | None = None
    """When this browser last gave the password; None: never since it was asked for."""
    has_second_factor: bool = False

    @property
    def actor(self) -> str:
        """How the audit names them."""
        return f"operator:{self.operator_id}"

    def membership(self, slug: str) -> Membership | None:
        return next((one for one in self.memberships if one.brand.slug == slug), None)


def is_over(created_at: datetime, seen_at: datetime, now: datetime) -> bool:
    """Has this session ended by itself?"""
    return now - seen_at >= IDLE or now - created_at >= SIGNED_IN_MOST


def is_proved(proved_at: datetime | None, now: datetime) -> bool:
    """Was the password given so lately that it need not be asked for again?"""
    return proved_at is not None and now - proved_at < PROVED_FOR


@dataclass(frozen=True, slots=True)
class Tries:
    """Failures of late: at one account, from one address, and everywhere in the last minute."""

    account: int = 0
    account_last_at: datetime | None = None
    address: int = 0
    address_last_at: datetime | None = None
    everywhere: int = 0


def wait_seconds(tries: Tries, now: datetime) -> float:
    """How long until the next try is taken; 0 when it may be made now."""
    if tries.everywhere >= EVERYWHERE_TRIES_MOST:
        return WAIT_SECONDS_MOST
    waits = (
        _wait(tries.account - ACCOUNT_TRIES_FREE, tries.account_last_at, now),
        _wait(tries.address - ADDRESS_TRIES_FREE, tries.address_last_at, now),
    )
    return max(waits)


def _wait(over: int, last_at: datetime | None, now: datetime) -> float:
    """2, 4, 8 … seconds after the last try, once more were made than are free."""
    if over < 0 or last_at is None:
        return 0.0
    delay_seconds = min(2.0 ** min(over + 1, 10), WAIT_SECONDS_MOST)
    return max(0.0, delay_seconds - (now - last_at).total_seconds())
