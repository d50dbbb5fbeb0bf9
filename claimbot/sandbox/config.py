"""What does this world consist of, and where is the engine it talks to?"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VARIANTS = ("instagram_login", "page")


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """One Instagram account of a brand."""

    external_id: str
    username: str
    variant: str = "instagram_login"
    page_id: str = ""
    token: str = field(default="", repr=False)
    token_days: float = 60


@dataclass(frozen=True, slots=True)
class StripeConfig:
    """One Stripe account in test mode, with the one place its events go to."""

    secret_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    webhook_path: str


@dataclass(frozen=True, slots=True)
class WorldConfig:
    """Everything that is given to a world from outside."""

    engine_url: str
    meta_webhook_path: str = "/webhooks/meta"
    meta_app_secret: str = field(default="", repr=False)
    meta_verify_token: str = field(default="", repr=False)
    accounts: tuple[AccountConfig, ...] = ()
    stripe: tuple[StripeConfig, ...] = ()
    stripe_rate_limit: bool = True
    graph_rate_limit: bool = True
    stamps_by_world_clock: bool = False
    """Sign with the movable clock, for an engine whose clock is moved along; False: with the real one."""

    @property
    def meta_webhook_url(self) -> str:
        return self.engine_url.rstrip("/") + self.meta_webhook_path

    def stripe_webhook_url(self, endpoint: StripeConfig) -> str:
        return self.engine_url.rstrip("/") + endpoint.webhook_path


def from_mapping(told: Mapping[str, Any]) -> WorldConfig:
    """Raises ValueError or TypeError when a name is unknown or a value is missing."""
    config = WorldConfig(
        **{
            **told,
            "accounts": tuple(AccountConfig(**account) for account in told.get("accounts", ())),
            "stripe": tuple(StripeConfig(**endpoint) for endpoint in told.get("stripe", ())),
        }
    )
    if any(account.variant not in VARIANTS for account in config.accounts):
        raise ValueError("an account's variant is instagram_login or page")
    return config


def from_file(path: Path) -> WorldConfig:
    return from_mapping(json.loads(path.read_text(encoding="utf-8")))
