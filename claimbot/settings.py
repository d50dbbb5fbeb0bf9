"""What may be configured? One line for each setting; all faults are reported at once.

Read from the environment and from a `.env` file; a secret may also come from the file named by NAME_FILE.
"""

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from claimbot.core.errors import Setup

# Shorter secrets can be guessed; 32 letters are more than 128 bits of anything random.
SECRET_CHARS_MIN = 32
ENCRYPTION_KEY_BYTES = 32


class Settings(BaseModel):
    """Frozen. Secrets never appear in repr."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    # Where claimbot keeps its own files: the SQLite ledger, the embedded Redis, generated secrets.
    data_dir: Path = Field(
        Path("data"), description="Folder for everything that claimbot keeps on this machine."
    )
    # What the rest of the world calls us; Checkout pages come back here.
    public_url: str = Field("", description="Address under which the web process is reached from outside.")
    port: int = Field(
        8000, ge=1, le=65534, description="Port of the web process; the sandbox takes the next one."
    )
    host: str = Field("127.0.0.1", description="Address that the web process listens on.")
    trusted_proxies: int = Field(
        0, ge=0, le=5, description="Proxies in front of us that tell the visitor's address and scheme."
    )
    environment: str = Field("development", description="development or production; production is strict.")

    database_url: str = Field("", description="SQL ledger; empty means SQLite in DATA_DIR.")
    redis_url: str = Field("", description="Redis for stock and queue; empty means an embedded server.")
    stock_redis_url: str = Field(
        "", description="Redis for the gate, may be a Cluster; empty means REDIS_URL."
    )
    queue_redis_url: str = Field("", description="Redis for RQ, never a Cluster; empty means REDIS_URL.")

    secret_key: SecretStr = Field(SecretStr(""), description="Signs cookies and forms.")
    encryption_keys: tuple[SecretStr, ...] = Field(
        (), description="Base64 keys of 32 bytes; the first seals, all open."
    )

    meta_app_secrets: tuple[SecretStr, ...] = Field(
        (), description="App secrets of Meta; any of them may sign a webhook."
    )
    meta_verify_token: SecretStr = Field(SecretStr(""), description="Word that Meta shows at the handshake.")
    meta_graph_url: str = Field("https://graph.facebook.com", description="Graph API of Pages.")
    meta_instagram_url: str = Field(
        "https://graph.instagram.com", description="Graph API of Instagram Login."
    )
    meta_chat_url: str = Field(
        "https://ig.me/m", description="Where a link opens a chat; the account's handle follows it."
    )
    meta_api_version: str = Field("v25.0", description="Version of the Graph API.")

    stripe_api_url: str = Field("", description="Stripe's API; empty means Stripe's own address.")
    stripe_api_version: str = Field("2026-10-28.endive", description="Version of Stripe's API.")
    checkout_hosts: tuple[str, ...] = Field(
        ("checkout.stripe.com",), description="Hosts a pay link may lead to."
    )

    send_per_second: int = Field(100, ge=1, description="Messages per second and account.")
    private_reply_per_hour: int = Field(750, ge=1, description="Answers to comments per hour and account.")
    profile_per_hour: int = Field(200, ge=1, description="Profile look-ups per hour and account.")
    conversations_per_second: int = Field(
        2, ge=1, description="Calls per second and account that look for lost messages."
    )
    stripe_per_second: int = Field(20, ge=1, description="Calls per second and Stripe account.")
    sends_in_flight: int = Field(128, ge=1, le=256, description="Messages that one worker sends at a time.")

    web_threads: int = Field(
        64, ge=1, le=256, description="Requests that one web process works on at a time."
    )
    web_workers: int = Field(1, ge=1, le=64, description="Web processes on this machine.")
    hold_grace_seconds: int = Field(60, ge=0, description="Wait after the end of a hold before it is ended.")
    tell_within_minutes: int = Field(10, ge=1, description="A winner not told by then raises an alert.")
    raw_days: int = Field(7, ge=1, description="Days that the raw text of webhooks is kept.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @field_validator("checkout_hosts", "meta_app_secrets", "encryption_keys", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(word.strip() for word in value.split(",") if word.strip())
        return value

    @field_validator("public_url", "meta_graph_url", "meta_instagram_url", "meta_chat_url", "stripe_api_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("environment")
    @classmethod
    def _is_environment(cls, value: str) -> str:
        if value not in {"development", "production"}:
            raise ValueError("must be development or production")
        return value

    @field_validator("log_level")
    @classmethod
    def _is_level(cls, value: str) -> str:
        if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @classmethod
    def from_mapping(cls, values: Mapping[str, str]) -> "Settings":
        """Settings from upper-case names. Raises Setup with one line for each fault."""
        given, faults = _with_files(values)
        fields: dict[str, Any] = {name.lower(): value for name, value in given.items()}
        try:
            settings = cls.model_validate(fields)
        except ValidationError as error:
            faults += [_sentence(fault) for fault in error.errors()]
            wrong = {str(fault["loc"][0]) for fault in error.errors() if fault["loc"]}
            rest = {name: value for name, value in fields.items() if name not in wrong}
            named = {name.upper() for name in wrong}
            others = cls.model_validate(rest).faults()
            raise Setup([*faults, *(one for one in others if one.partition(":")[0] not in named)]) from None
        faults += settings.faults()
        if faults:
            raise Setup(faults)
        return settings

    def faults(self) -> list[str]:
        """What keeps these settings from being used, one sentence each."""
        found = [f"ENCRYPTION_KEYS: key {number} {why}" for number, why in _key_faults(self.encryption_keys)]
        if any(not secret.get_secret_value().strip() for secret in self.meta_app_secrets):
            found.append("META_APP_SECRETS: an empty secret would let anybody sign")
        if "cluster" in self.queue_url:
            found.append("QUEUE_REDIS_URL: RQ cannot run on a Redis Cluster; name a plain Redis")
        if self.environment == "production":
            found += self._production_faults()
        return found

    def _production_faults(self) -> list[str]:
        found = []
        if len(self.secret_key.get_secret_value()) < SECRET_CHARS_MIN:
            found.append(f"SECRET_KEY: needs at least {SECRET_CHARS_MIN} characters in production")
        if not self.encryption_keys:
            found.append("ENCRYPTION_KEYS: missing; make one with: openssl rand -base64 32")
        if not self.meta_app_secrets:
            found.append("META_APP_SECRETS: missing; without it no webhook can be believed")
        if len(self.meta_verify_token.get_secret_value()) < 8:
            found.append("META_VERIFY_TOKEN: needs at least 8 characters in production")
        if not self.public_url.startswith("https://"):
            found.append("PUBLIC_URL: must begin with https:// in production")
        if not self.stock_url or not self.queue_url:
            found.append("REDIS_URL: missing; production does not start a Redis of its own")
        return found

    @property
    def ledger_url(self) -> str:
        return self.database_url or f"sqlite:///{(self.data_dir / 'claimbot.db').absolute()}"

    @property
    def stock_url(self) -> str:
        return self.stock_redis_url or self.redis_url

    @property
    def queue_url(self) -> str:
        return self.queue_redis_url or self.redis_url

    @property
    def own_url(self) -> str:
        """Where followers find us: PUBLIC_URL, or this machine."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def app_secrets(self) -> tuple[str, ...]:
        return tuple(secret.get_secret_value() for secret in self.meta_app_secrets)

    @property
    def sealing_keys(self) -> tuple[bytes, ...]:
        return tuple(base64.b64decode(one.get_secret_value()) for one in self.encryption_keys)


def _key_faults(ring: tuple[SecretStr, ...]) -> list[tuple[int, str]]:
    found = []
    for number, secret in enumerate(ring, start=1):
        try:
            raw = base64.b64decode(secret.get_secret_value(), validate=True)
        except (binascii.Error, ValueError):
            found.append((number, "is not base64"))
            continue
        if len(raw) != ENCRYPTION_KEY_BYTES or len(set(raw)) < 8:
            found.append((number, "is not 32 random bytes; make one with: openssl rand -base64 32"))
    return found


def _sentence(fault: Any) -> str:
    """`PORT: Input should be less than …`, without the value: it may be a secret."""
    name = str(fault["loc"][0]).upper() if fault["loc"] else "settings"
    return f"{name}: {fault['msg'].removeprefix('Value error, ')}"


def _with_files(values: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Values with every NAME_FILE replaced by NAME from that file."""
    given = {name.upper(): value for name, value in values.items() if name.lower() in Settings.model_fields}
    faults = []
    for name, path in values.items():
        plain = name.upper().removesuffix("_FILE")
        if plain == name.upper() or plain.lower() not in Settings.model_fields:
            continue
        try:
            given[plain] = Path(path).read_text(encoding="utf-8").strip()
        except OSError:
            faults.append(f"{name}: the file cannot be read")
    return given, faults


def read_settings(**extra: str) -> Settings:
    """From `.env` in the current folder, then the environment, then `extra`."""
    from_file = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    return Settings.from_mapping({**from_file, **os.environ, **extra})
