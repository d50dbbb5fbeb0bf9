"""Whom do we speak for, and through which accounts? All that routes and matches a message, in memory."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from claimbot.core.commands import CommandBook
from claimbot.core.drops import Drop
from claimbot.core.keywords import Vocabulary

# It stands in addresses and file names.
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
NAME_CHARS_MOST = 80
# A day at least, so that nobody is forgotten in the middle of a launch; ten years are for ever enough.
RETENTION_DAYS = range(1, 3_651)


@dataclass(frozen=True, slots=True)
class Account:
    """A brand's account on a platform. Secrets are in the clear here and never in repr."""

    id: str
    brand_id: str
    channel: str
    variant: str
    external_id: str
    page_id: str
    username: str
    token: str = field(repr=False, default="")
    app_secret: str = field(repr=False, default="")
    """When set, only it may sign for this account."""
    is_live: bool = True
    """As it was read. Whether it may send now SQL is asked each time (db/outbox.py), not the catalog."""
    reason: str = ""
    token_expires_at: datetime | None = None
    last_event_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand's own settings."""

    id: str
    slug: str
    name: str
    timezone: str
    locale: str
    livemode: bool
    stripe_account: str = ""
    retention_days: int = 365
    texts: Mapping[str, str] = field(default_factory=dict)
    command_words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def brand_faults(brand: Brand) -> dict[str, str]:
    """By field, one sentence each; empty when the brand may be kept."""
    found = {}
    if not SLUG.fullmatch(brand.slug):
        found["slug"] = "use small letters, digits and dashes, 40 at most"
    if not brand.name.strip() or len(brand.name) > NAME_CHARS_MOST:
        found["name"] = f"write 1 to {NAME_CHARS_MOST} characters"
    if not _is_zone(brand.timezone):
        found["timezone"] = "there is no such zone; write it like Europe/Berlin"
    if brand.retention_days not in RETENTION_DAYS:
        found["retention_days"] = f"write a whole number from 1 to {RETENTION_DAYS.stop - 1}"
    return found


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class BrandBook:
    """One brand with what its followers may write."""

    brand: Brand
    vocabulary: Vocabulary
    commands: CommandBook
    drops: Mapping[str, Drop]
    words: Mapping[str, tuple[str, ...]]
    """drop id → its keywords as the brand wrote them."""
    is_listening: bool = False
    """Do systems of the brand hear of its claims? While they do not, a claim looks for none."""


@dataclass(frozen=True)
class Catalog:
    """Every brand and account, as of `version`."""

    version: int
    brands: Mapping[str, BrandBook]
    accounts: Mapping[tuple[str, str], Account]
    """(channel, the platform's id) → account."""

    def account(self, channel: str, external_id: str) -> Account | None:
        return self.accounts.get((channel, external_id))

    def account_by_id(self, account_id: str) -> Account | None:
        return self._by_id.get(account_id)

    @cached_property
    def _by_id(self) -> Mapping[str, Account]:
        return {one.id: one for one in self.accounts.values()}

    @cached_property
    def own_secrets(self) -> Mapping[str, str]:
        """app secret → one of the accounts whose own it is."""
        return {one.app_secret: one.id for one in self.accounts.values() if one.app_secret}

    def book_by_slug(self, slug: str) -> BrandBook | None:
        return next((book for book in self.brands.values() if book.brand.slug == slug), None)

    def drop(self, brand_id: str, drop_id: str) -> Drop | None:
        book = self.brands.get(brand_id)
        return book.drops.get(drop_id) if book else None
