"""What does a brand's own system hear of its claims, where may it listen, and when is it tried again?"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from urllib.parse import SplitResult, urlsplit

from claimbot.core.claims import Claim, State
from claimbot.core.drops import Drop

# Rises when a field changes its meaning or goes; new fields may come at any time.
PAYLOAD_VERSION = 1
ENDPOINTS_MOST = 5
URL_CHARS_MOST = 500
# Where public HTTPS servers are. Others are mostly somebody's database or management port.
PORTS = (443, 8443)
# Who was away for a day has to ask for what they missed: the export of leads has it all.
AGE_MAX = timedelta(hours=24)
# An endpoint that has accepted nothing for so long is worth an alert: a day is too late to mend it.
AWAY_AFTER = timedelta(minutes=15)
# While one secret replaces the other, both sign.
OLD_SECRET_LIVES = timedelta(hours=24)
# This many refusals in a row, and the endpoint rests: it is away, not just one notice unwelcome.
FAILURES_MOST = 3
REST_SECONDS = (15, 60, 300)
AGAIN_SECONDS = (5, 30, 120, 600, 1_800, 3_600, 7_200)
HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")


class Happening(StrEnum):
    """What is told; the words are a promise to receivers."""

    WAITING = "claim.waiting"  # nothing is free, and they joined the line: a qualified lead all the same
    HELD = "claim.held"  # a unit is kept for them
    GRANTED = "claim.granted"  # they are on an early-access list
    SOLD = "claim.sold"  # paid, or a free unit given
    ENDED = "claim.ended"  # without a sale, or the money went back; `reason` says why
    TEST = "test"  # a person pressed the button


HAPPENINGS: Mapping[State, Happening] = MappingProxyType(
    {
        State.WAITLISTED: Happening.WAITING,
        State.HELD: Happening.HELD,
        State.GRANTED: Happening.GRANTED,
        State.SOLD: Happening.SOLD,
        State.EXPIRED: Happening.ENDED,
        State.PASSED: Happening.ENDED,
        State.UNREACHABLE: Happening.ENDED,
        State.CANCELLED: Happening.ENDED,
        State.CLOSED: Happening.ENDED,
        State.REFUNDED: Happening.ENDED,
    }
)


class EndpointState(StrEnum):
    LIVE = "live"
    PAUSED = "paused"  # by a person: notices wait, a day at most
    REMOVED = "removed"  # kept for what was delivered there; its address and secret are gone


class NoticeState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"  # the reason says why; a person may send it again


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a brand listens."""

    id: str
    brand_id: str
    url: str
    state: EndpointState
    made_at: datetime
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """The one that counts first; a second one while it is being replaced."""
    failures: int = 0
    """In a row, up to now."""
    rest_until: datetime | None = None
    lease_token: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """One event on its way to one endpoint; its id stays the same however often it is sent."""

    id: str
    endpoint_id: str
    happening: Happening
    payload: Mapping[str, Any]
    state: NoticeState
    attempts: int
    status: int
    """HTTP status of the latest answer; 0 when there was none."""
    reason: str
    created_at: datetime
    tried_at: datetime | None
    next_at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """What became of one attempt; an empty reason means that it was accepted."""

    status: int = 0
    reason: str = ""

    @property
    def is_accepted(self) -> bool:
        return self.reason == ""


def again_seconds(attempts: int, spread: float) -> float:
    """How long a notice waits after its `attempts`-th failure; `spread` in [0, 1) makes it ± 20 %."""
    return AGAIN_SECONDS[min(max(attempts, 1), len(AGAIN_SECONDS)) - 1] * (0.8 + 0.4 * spread)


def rest_seconds(failures: int) -> float:
    """How long an endpoint is left alone after so many failures in a row."""
    over = failures - FAILURES_MOST
    return 0.0 if over < 0 else float(REST_SECONDS[min(over, len(REST_SECONDS) - 1)])


def payload_of(brand_slug: str, drop: Drop, claim: Claim, now: datetime) -> dict[str, Any]:
    """Ids, words of ours and numbers: nothing in it is about a person, so that nothing has to be erased."""
    happening = HAPPENINGS[claim.state]
    return {
        "type": happening.value,
        "version": PAYLOAD_VERSION,
        "timestamp": now.isoformat(timespec="milliseconds"),
        "data": {
            "brand": brand_slug,
            "drop_id": drop.id,
            "drop": drop.name,
            "claim_id": claim.id,
            "lead_id": claim.lead_id,
            "state": claim.state.value,
            "reason": claim.state.value if happening is Happening.ENDED else "",
            "variant": drop.variant(claim.variant_id).code,
            "quantity": claim.quantity,
            "place": claim.place,
            "unit_price_minor": claim.unit_price.minor,
            "paid_minor": claim.paid_minor,
            "refunded_minor": claim.refunded_minor,
            "currency": claim.unit_price.currency,
            "is_live": claim.livemode,
        },
    }


def payload_of_test(brand_slug: str, now: datetime) -> dict[str, Any]:
    moment = now.isoformat(timespec="milliseconds")
    head = {"type": Happening.TEST.value, "version": PAYLOAD_VERSION, "timestamp": moment}
    return {**head, "data": {"brand": brand_slug}}


def url_fault(url: str) -> str:
    """One sentence; empty when we may try to call it. Which addresses it has is looked at with each call."""
    if len(url) > URL_CHARS_MOST:
        return f"At most {URL_CHARS_MOST} characters."
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return "Write the address with plain letters, without blanks."
    try:
        split = urlsplit(url)
        port = split.port or 443
    except ValueError:
        return "This is no web address."
    if split.scheme != "https":
        return "It must begin with https://."
    if "@" in split.netloc:
        return "Leave out the name and password: our signature says who calls."
    if split.fragment:
        return "Leave out the part after #: it is never sent."
    if port not in PORTS:
        return f"The port must be {PORTS[0]} or {PORTS[1]}."
    return "" if _is_host(split) else "This is no web address."


def _is_host(split: SplitResult) -> bool:
    host = split.hostname or ""
    if "%" in split.netloc:
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return HOST.fullmatch(host) is not None
    return True
