"""What work waits to be done outside, in which order, and when is it tried again?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any


class Work(StrEnum):
    """What a row asks for."""

    OFFER = "offer"  # make the checkout and tell the follower that a unit is theirs
    REPLY = "reply"  # send one message
    PERSONAL = "personal"  # send what a person of the brand wrote; `words` in the payload
    EXPIRE = "expire"  # have Stripe end the session, then release the unit
    REFUND = "refund"  # send money back
    PROFILE = "profile"  # look up the follower's name


class Priority(IntEnum):
    """Who is told first when sending is slow (design §6)."""

    MONEY = 0  # ends sessions and refunds: never waits behind messages
    WINNER = 1
    PROMOTED = 2
    PAYMENT = 3
    PERSON = 3  # somebody of the brand waits to see it go
    WAITLIST = 4
    REFUSAL = 5
    HELP = 6
    PROFILE = 7


class RowState(StrEnum):
    READY = "ready"
    RUNNING = "running"  # leased by a worker
    DONE = "done"
    PARKED = "parked"  # waits until a person mends the account
    DEAD = "dead"  # will never be done; the reason says why


# A worker that has not come back after this is taken for dead.
LEASE = timedelta(seconds=30)
# How long we wait for the platform's echo of a send whose answer was lost.
ECHO_WAIT = timedelta(seconds=60)
# Sends with a lost answer are repeated at most once (invariant I8: at most two in all).
SENDS_MAX = 2
# Work that could not be done in a day is given up with a reason (invariant I10).
AGE_MAX = timedelta(hours=24)

BACKOFF_SECONDS = (2, 5, 15, 30, 60, 120, 300)


def backoff_seconds(attempts: int, spread: float) -> float:
    """How long to wait after the `attempts`-th failure; `spread` in [0, 1) makes it ± 20 %."""
    base = BACKOFF_SECONDS[min(max(attempts, 1), len(BACKOFF_SECONDS)) - 1]
    return base * (0.8 + 0.4 * spread)


@dataclass(frozen=True, slots=True)
class NewRow:
    """Work to be written down; made in the transaction that decided it."""

    kind: Work
    priority: Priority
    dedupe_key: str
    brand_id: str
    payload: Mapping[str, Any]
    account_id: str | None = None
    lead_id: str | None = None
    claim_id: str | None = None
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """Work that this worker holds the lease of."""

    id: str
    kind: Work
    brand_id: str
    account_id: str | None
    lead_id: str | None
    claim_id: str | None
    payload: Mapping[str, Any]
    attempts: int
    sends: int
    """How often the outside call was begun without a clear "not accepted"."""
    lease_token: str
    called_at: datetime | None
    """When the outside call was begun, while its outcome is not known."""
    created_at: datetime
    taken_at: datetime
