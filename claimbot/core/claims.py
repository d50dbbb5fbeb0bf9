"""Which states has a claim, and which event leads where?

One table. `advance` is the only way to change a state; what is not in the table cannot happen.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from claimbot.core.errors import IllegalTransition
from claimbot.core.money import Money
from claimbot.core.payments import Offer


class State(StrEnum):
    WAITLISTED = "waitlisted"  # in line, no unit
    HELD = "held"  # has a unit, may pay
    EXPIRING = "expiring"  # has a unit, Stripe is being asked to end the session
    PENDING = "pending"  # has a unit, a delayed payment is on its way
    SOLD = "sold"  # paid, the unit is theirs
    EXPIRED = "expired"  # the time ran out
    PASSED = "passed"  # the follower gave it up
    UNREACHABLE = "unreachable"  # the platform says they cannot be told
    CANCELLED = "cancelled"  # the brand took it back
    CLOSED = "closed"  # the drop closed while they waited
    ERASED = "erased"  # the person was erased
    REFUNDING = "refunding"  # paid too late, money is going back
    REFUNDED = "refunded"  # money went back
    DISPUTED = "disputed"  # the buyer's bank took the money back
    GRANTED = "granted"  # on an early-access list, no unit


class Event(StrEnum):
    PROMOTE = "promote"
    TOLD = "told"
    PASS = "pass"
    DROP_CLOSED = "drop_closed"
    ERASE = "erase"
    HOLD_ENDED = "hold_ended"
    UNREACHABLE = "unreachable"
    CANCEL = "cancel"
    GIVEN = "given"  # a free drop: nothing to pay
    SESSION_PAID = "session_paid"
    SESSION_UNPAID = "session_unpaid"
    ASYNC_PAID = "async_paid"
    ASYNC_FAILED = "async_failed"
    ENDED_EXPIRED = "ended_expired"  # no session can be paid any more; the reason: time
    ENDED_PASSED = "ended_passed"  # … the reason: the follower passed
    ENDED_UNREACHABLE = "ended_unreachable"  # … the reason: cannot be told
    ENDED_CANCELLED = "ended_cancelled"  # … the reason: the brand
    LATE_PAID_UNIT = "late_paid_unit"  # money after the end, and a unit was free
    LATE_PAID_NO_UNIT = "late_paid_no_unit"  # money after the end, and none was
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    DISPUTE_WON = "dispute_won"


ENDED = (
    State.EXPIRED,
    State.PASSED,
    State.UNREACHABLE,
    State.CANCELLED,
    State.CLOSED,
    State.ERASED,
)

TABLE: dict[tuple[State, Event], State] = {
    (State.WAITLISTED, Event.PROMOTE): State.HELD,
    (State.WAITLISTED, Event.PASS): State.PASSED,
    (State.WAITLISTED, Event.CANCEL): State.CANCELLED,
    (State.WAITLISTED, Event.DROP_CLOSED): State.CLOSED,
    (State.WAITLISTED, Event.ERASE): State.ERASED,
    (State.HELD, Event.TOLD): State.HELD,
    (State.HELD, Event.GIVEN): State.SOLD,
    (State.HELD, Event.SESSION_PAID): State.SOLD,
    (State.HELD, Event.SESSION_UNPAID): State.PENDING,
    (State.HELD, Event.HOLD_ENDED): State.EXPIRING,
    (State.HELD, Event.PASS): State.EXPIRING,
    (State.HELD, Event.UNREACHABLE): State.EXPIRING,
    (State.HELD, Event.CANCEL): State.EXPIRING,
    (State.EXPIRING, Event.ENDED_EXPIRED): State.EXPIRED,
    (State.EXPIRING, Event.ENDED_PASSED): State.PASSED,
    (State.EXPIRING, Event.ENDED_UNREACHABLE): State.UNREACHABLE,
    (State.EXPIRING, Event.ENDED_CANCELLED): State.CANCELLED,
    (State.EXPIRING, Event.SESSION_PAID): State.SOLD,
    (State.EXPIRING, Event.SESSION_UNPAID): State.PENDING,
    (State.PENDING, Event.SESSION_PAID): State.SOLD,
    (State.PENDING, Event.ASYNC_PAID): State.SOLD,
    (State.PENDING, Event.ASYNC_FAILED): State.EXPIRED,
    (State.SOLD, Event.REFUNDED): State.REFUNDED,
    (State.SOLD, Event.DISPUTED): State.DISPUTED,
    (State.DISPUTED, Event.REFUNDED): State.REFUNDED,
    (State.DISPUTED, Event.DISPUTE_WON): State.SOLD,
    (State.REFUNDING, Event.REFUNDED): State.REFUNDED,
    (State.GRANTED, Event.PASS): State.PASSED,
    (State.GRANTED, Event.ERASE): State.ERASED,
    **{(ended, Event.LATE_PAID_UNIT): State.SOLD for ended in ENDED},
    **{(ended, Event.LATE_PAID_NO_UNIT): State.REFUNDING for ended in ENDED},
}

# A person has at most one of these in a drop (invariant I3).
LIVE = (State.WAITLISTED, State.HELD, State.EXPIRING, State.PENDING)
# These own exactly their quantity of units (invariant I1).
WITH_UNIT = (State.HELD, State.EXPIRING, State.PENDING, State.SOLD, State.DISPUTED)
# These count against a drop's limit per follower.
COUNTED = (State.HELD, State.EXPIRING, State.PENDING, State.SOLD)

# Why a hold ends, and the event that closes it once Stripe can no longer take money for it.
ENDING: dict[str, Event] = {
    Event.HOLD_ENDED: Event.ENDED_EXPIRED,
    Event.PASS: Event.ENDED_PASSED,
    Event.UNREACHABLE: Event.ENDED_UNREACHABLE,
    Event.CANCEL: Event.ENDED_CANCELLED,
}


def advance(state: State, event: Event) -> State:
    """The state after `event`. Raises IllegalTransition when the table has no such row."""
    try:
        return TABLE[state, event]
    except KeyError:
        raise IllegalTransition(f"a claim that is {state} cannot take {event}") from None


def may(state: State, event: Event) -> bool:
    """Does the table have a row for this?"""
    return (state, event) in TABLE


@dataclass(frozen=True, slots=True)
class Claim:
    """A follower's row in a drop; kept when it ended. The price is frozen when it is made."""

    id: str
    brand_id: str
    drop_id: str
    variant_id: str
    lead_id: str
    state: State
    quantity: int
    line: int
    """Where they stand in the order of the gate (see stock/keys.py); smaller came first."""
    place: int
    """The number they were told: of their unit, or their place on the waitlist; 0 for lists."""
    unit_price: Money
    livemode: bool
    token: str
    """128 random bits: the pay link /c/<token>."""
    created_at: datetime
    told_at: datetime | None = None
    hold_expires_at: datetime | None = None
    """Set when the follower was told; None means that the clock has not started."""
    session_epoch: int = 0
    stripe_session_id: str = ""
    stripe_account: str = ""
    payment_intent: str = ""
    ended_reason: str = ""
    """The event that started the end, while and after `expiring`."""
    paid_at: datetime | None = None
    paid_minor: int = 0
    refunded_minor: int = 0

    @property
    def offer(self) -> Offer:
        return Offer(self.id, self.unit_price, self.quantity, self.livemode, self.stripe_account)
