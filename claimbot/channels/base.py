"""What does every channel offer?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from claimbot.channels.http import MetaHttp
from claimbot.core.messages import Delivery, Profile, Reply, ReplyLimits, SendingAccount, SendResult


@dataclass(frozen=True, slots=True)
class AccountHealth:
    """What the platform says of a connected account. `reason` is "" or a constant word."""

    ok: bool
    reason: str = ""
    external_id: str = ""
    """The id under which webhooks name the account, as the platform says; shows a wrongly stored one."""
    username: str = ""
    subscribed_fields: tuple[str, ...] = ()
    missing_fields: tuple[str, ...] = ()
    token_expires_at: datetime | None = None
    """None where the platform does not tell; then the stored time counts."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A renewed token and how long it lives, counted from now."""

    token: str = field(repr=False)
    expires_in_seconds: int


@dataclass(frozen=True, slots=True)
class Subscription:
    """Which webhook fields the platform does not send us for an account."""

    missing: tuple[str, ...] = ()
    is_deaf: bool = False
    """Without some of them no word and no tap arrives."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a long list: at most so many, after the place where the last page ended ("" at first)."""

    most: int
    after: str = ""


@dataclass(frozen=True, slots=True)
class Threads:
    """Some of an account's conversations, the latest first."""

    delivery: Delivery
    """The words that others wrote in them, with the ids that their webhooks had or would have had."""
    oldest_at: datetime | None = None
    """When the last of them was last written in; None when there is none."""
    after: str = ""
    """Where the next page begins; "" after the last one."""


class Channel(Protocol):
    """One platform. A channel holds no state: what it needs arrives as an argument."""

    @property
    def name(self) -> str: ...

    @property
    def objects(self) -> tuple[str, ...]:
        """The webhook "object" words that are its own."""

    @property
    def limits(self) -> ReplyLimits: ...

    def verify(self, body: bytes, header: str | None, secrets: Sequence[str]) -> int:
        """Which secret signed the body. Raises BadSignature."""

    def parse(self, document: object, received_at: datetime) -> Delivery:
        """What a verified webhook said. Never raises: what cannot be read is quarantined."""

    def send(
        self, http: MetaHttp, account: SendingAccount, reply: Reply, recipient_external_id: str, mark: str
    ) -> SendResult:
        """One reply to one follower. `mark` is our outbox id, sent only where the platform returns it."""

    def profile(
        self, http: MetaHttp, account: SendingAccount, follower_external_id: str
    ) -> Profile | SendResult: ...

    def check(self, http: MetaHttp, account: SendingAccount) -> AccountHealth: ...

    def subscription(self, http: MetaHttp, account: SendingAccount) -> Subscription | SendResult: ...

    def subscribe(self, http: MetaHttp, account: SendingAccount) -> SendResult: ...

    def threads(
        self, http: MetaHttp, account: SendingAccount, page: Page, now: datetime
    ) -> Threads | SendResult: ...

    def refresh_token(self, http: MetaHttp, account: SendingAccount) -> NewToken | SendResult:
        """DONE with the reason never_expires where there is nothing to renew."""
