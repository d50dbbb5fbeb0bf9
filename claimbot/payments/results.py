"""How did a call to Stripe end? The values a gateway gives back."""

from dataclasses import dataclass

from claimbot.core.messages import Verdict
from claimbot.core.payments import SessionNews


@dataclass(frozen=True, slots=True)
class CallResult:
    """How a call about one session ended. DONE always has `news`."""

    verdict: Verdict
    news: SessionNews | None = None
    reason: str = ""
    retry_after_seconds: float | None = None
    is_new_epoch_needed: bool = False
    """The idempotency key is used up: the next attempt needs a new epoch."""


@dataclass(frozen=True, slots=True)
class SessionsFound:
    """The sessions that were asked for, newest first; complete only when DONE."""

    verdict: Verdict
    sessions: tuple[SessionNews, ...] = ()
    reason: str = ""
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class RefundResult:
    """How a refund ended. DONE means Stripe took it on; a later failure comes as an event."""

    verdict: Verdict
    refund_id: str = ""
    status: str = ""
    reason: str = ""
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class AccountResult:
    """Whose key is it, and may it take money?"""

    verdict: Verdict
    account_id: str = ""
    livemode: bool = False
    charges_enabled: bool = False
    reason: str = ""
