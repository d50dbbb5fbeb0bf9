"""Whom do we speak for, and through which accounts? All that routes and matches a message, in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from claimbot.core.commands import CommandBook
from claimbot.core.drops import Drop
from claimbot.core.keywords import Vocabulary


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


@dataclass(frozen=True, slots=True)
class BrandBook:
    """One brand with what its followers may write."""

    brand: Brand
    vocabulary: Vocabulary
    commands: CommandBook
    drops: Mapping[str, Drop]
    words: Mapping[str, tuple[str, ...]]
    """drop id → its keywords as the brand wrote them."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every brand and account, as of `version`."""

    version: int
    brands: Mapping[str, BrandBook]
    accounts: Mapping[tuple[str, str], Account]
    """(channel, the platform's id) → account."""

    def account(self, channel: str, external_id: str) -> Account | None:
        return self.accounts.get((channel, external_id))

    def account_by_id(self, account_id: str) -> Account | None:
        return next((one for one in self.accounts.values() if one.id == account_id), None)

    def book_by_slug(self, slug: str) -> BrandBook | None:
        return next((book for book in self.brands.values() if book.brand.slug == slug), None)

    def drop(self, brand_id: str, drop_id: str) -> Drop | None:
        book = self.brands.get(brand_id)
        return book.drops.get(drop_id) if book else None
