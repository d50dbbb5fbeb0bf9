"""What we ask of a payment provider and what it tells us, in our words; and when money is believed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from claimbot.core.money import Money


class SessionState(StrEnum):
    """A Checkout Session's state: `complete` and `expired` never change again."""

    OPEN = "open"
    COMPLETE_PAID = "complete_paid"  # paid, or nothing was left to pay
    COMPLETE_UNPAID = "complete_unpaid"  # a delayed method; the money is on its way
    EXPIRED = "expired"


class NewsKind(StrEnum):
    """What a signed payment event is about."""

    SESSION = "session"  # a session's state; see `SessionNews`
    ASYNC_FAILED = "async_failed"  # the delayed payment of a session failed
    REFUND = "refund"  # money went back, in part or in full
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PaymentKeys:
    """A brand's way into its payment account."""

    brand_id: str
    secret_key: str
    webhook_secrets: tuple[str, ...]
    livemode: bool
    account: str = ""

    def __repr__(self) -> str:
        return f"PaymentKeys({self.brand_id})"


@dataclass(frozen=True, slots=True)
class CheckoutOptions:
    """What the buyer is asked for on the payment page; e-mail always is."""

    collect_phone: bool = False
    shipping_countries: tuple[str, ...] = ()
    automatic_tax: bool = False
    promotion_codes: bool = False
    marketing_consent: bool = False


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """One attempt to make the one payable session of a claim; frozen before the call."""

    claim_id: str
    epoch: int
    """Counts attempts: a new epoch means new parameters and a new idempotency key."""
    item_name: str
    unit_price: Money
    quantity: int
    expires_at: datetime
    return_url: str
    """The pay link /c/<token>; `/done` is added for the success page."""
    image_url: str = ""
    deadline_note: str = ""
    """One sentence shown beside the pay button."""
    options: CheckoutOptions = CheckoutOptions()

    @property
    def idempotency_key(self) -> str:
        """Made from our ids and the step, never from time or chance."""
        return f"checkout:{self.claim_id}:{self.epoch}"


@dataclass(frozen=True, slots=True)
class RefundPart:
    """A part of a payment that goes back. With what went back before, it is another part each time."""

    amount: Money
    already_minor: int


@dataclass(frozen=True, slots=True)
class SessionNews:
    """What is known of one session, whoever said it: an event, or Stripe when asked."""

    session_id: str
    state: SessionState
    claim_id: str
    """From metadata or client_reference_id; empty when the session is not ours."""
    livemode: bool
    amount_subtotal: Money
    amount_total: Money
    account: str = ""
    url: str = ""
    payment_intent: str = ""
    expires_at: datetime | None = None
    recovered_from: str = ""
    buyer_email: str = ""
    buyer_phone: str = ""
    buyer_name: str = ""
    marketing_consent: bool | None = None
    shipping: str = ""
    """The shipping address as one JSON object, or empty."""
    return_url: str = ""
    """Where the buyer is led after paying; tells whose session it is when nobody knows its claim."""


@dataclass(frozen=True, slots=True)
class RefundNews:
    """Money that went back, or was taken back."""

    payment_intent: str
    claim_id: str
    refunded: Money
    is_full: bool
    status: str = ""
    """pending, requires_action, succeeded, failed or canceled; empty for a charge."""


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """One signed event. `session` or `refund` is set by kind."""

    event_id: str
    type: str
    object_id: str
    kind: NewsKind
    livemode: bool
    account: str = ""
    session: SessionNews | None = None
    refund: RefundNews | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What was promised to the follower, frozen in the claim."""

    claim_id: str
    unit_price: Money
    quantity: int
    livemode: bool
    account: str = ""


def mismatch(offer: Offer, news: SessionNews) -> str:
    """Why this money is not for this offer; empty when it is (invariant I6).

    Compares the subtotal: tax and promotion codes change the total (Stripe, Checkout Session object).
    """
    if news.recovered_from:
        return "recovered_session"
    if news.claim_id != offer.claim_id:
        return "other_claim"
    if news.livemode != offer.livemode:
        return "other_mode"
    if news.account and offer.account and news.account != offer.account:
        return "other_account"
    if news.amount_subtotal.currency != offer.unit_price.currency:
        return "other_currency"
    if news.amount_subtotal.minor != offer.unit_price.minor * offer.quantity:
        return "other_amount"
    return ""
