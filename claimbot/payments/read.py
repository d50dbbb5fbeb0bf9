"""What does a Stripe object say, in our words?

Objects come in the shape of the API version that made them: a key may be missing, null or of an older form.
What cannot be read is BadPayload, never a KeyError; money that cannot be read is never believed.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from claimbot.core.errors import BadPayload
from claimbot.core.money import Money
from claimbot.core.payments import NewsKind, RefundNews, SessionNews, SessionState

Found = Mapping[str, Any]

# Longer than any e-mail, name or id that Stripe keeps, and it fits every column.
TEXT_CHARS = 500
ADDRESS_CHARS = 2_000
URL_CHARS = 5_000
# Above this, JSON numbers lose precision and SQL integers are near their end.
LARGEST_MINOR = 2**53
# XXX is ISO 4217's "no currency": it equals no offer, so such money is never taken for a sale.
NO_MONEY = Money(0, "XXX")

STATES = {
    ("complete", "paid"): SessionState.COMPLETE_PAID,
    ("complete", "no_payment_required"): SessionState.COMPLETE_PAID,
    ("complete", "unpaid"): SessionState.COMPLETE_UNPAID,
    ("open", "paid"): SessionState.OPEN,
    ("open", "no_payment_required"): SessionState.OPEN,
    ("open", "unpaid"): SessionState.OPEN,
    ("open", ""): SessionState.OPEN,
    ("expired", "paid"): SessionState.EXPIRED,
    ("expired", "no_payment_required"): SessionState.EXPIRED,
    ("expired", "unpaid"): SessionState.EXPIRED,
    ("expired", ""): SessionState.EXPIRED,
}

# `warning_*` is an inquiry and `prevented` a dispute that never came: neither takes money back.
DISPUTES = {
    "needs_response": NewsKind.DISPUTE_OPENED,
    "under_review": NewsKind.DISPUTE_OPENED,
    "appeal_needs_response": NewsKind.DISPUTE_OPENED,
    "appeal_under_review": NewsKind.DISPUTE_OPENED,
    "won": NewsKind.DISPUTE_WON,
    "lost": NewsKind.DISPUTE_LOST,
}


def text(value: object, longest: int = TEXT_CHARS) -> str:
    """A string that any database takes: no NUL, no half of a surrogate pair; empty for anything else."""
    if not isinstance(value, str):
        return ""
    return value[:longest].replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def branch(found: object, *names: str) -> object:
    """found[name][name]…, or None where the path ends early."""
    for name in names:
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def id_of(value: object) -> str:
    """An id, also when Stripe put the whole object in its place."""
    return text(branch(value, "id")) if isinstance(value, Mapping) else text(value)


def whole(value: object) -> int | None:
    """An integer; True is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def moment(value: object) -> datetime | None:
    seconds = whole(value)
    if seconds is None or not 0 <= seconds < 2**34:  # year 2514: beyond it a platform's clock may overflow
        return None
    return datetime.fromtimestamp(seconds, UTC)


def money(minor: object, currency: object) -> Money | None:
    amount, code = whole(minor), text(currency).upper()
    if amount is None or abs(amount) > LARGEST_MINOR:
        return None
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        return None
    return Money(amount, code)


def claim_id(found: Found) -> str:
    """Whose session is it? Not ours when a payment link made it: there the buyer writes the reference."""
    if found.get("payment_link"):
        return ""
    return text(branch(found, "metadata", "claim_id")) or text(found.get("client_reference_id"))


def session(found: Found, implied_status: str = "", account: str = "") -> SessionNews:
    """`implied_status` counts where an old API version left the status out."""
    session_id = text(found.get("id"))
    status = text(found.get("status")) or implied_status
    state = STATES.get((status, text(found.get("payment_status"))))
    if not session_id or state is None:
        raise BadPayload("session_unreadable")
    subtotal = money(found.get("amount_subtotal"), found.get("currency"))
    total = money(found.get("amount_total"), found.get("currency"))
    if state is SessionState.COMPLETE_PAID and (subtotal is None or total is None):
        raise BadPayload("session_without_amount")
    buyer = found.get("customer_details")
    return SessionNews(
        session_id=session_id,
        state=state,
        claim_id=claim_id(found),
        livemode=found.get("livemode") is True,
        amount_subtotal=subtotal or NO_MONEY,
        amount_total=total or NO_MONEY,
        account=account,
        url=text(found.get("url"), URL_CHARS),
        payment_intent=id_of(found.get("payment_intent")),
        expires_at=moment(found.get("expires_at")),
        recovered_from=id_of(found.get("recovered_from")),
        buyer_email=text(branch(buyer, "email")) or text(found.get("customer_email")),
        buyer_phone=text(branch(buyer, "phone")),
        buyer_name=text(branch(buyer, "name")) or text(branch(shipping(found), "name")),
        marketing_consent=consent(branch(found, "consent", "promotions")),
        shipping=address(shipping(found)),
        return_url=text(found.get("success_url"), URL_CHARS),
    )


def consent(answer: object) -> bool | None:
    """None: not asked, or not answered."""
    return {"opt_in": True, "opt_out": False}.get(text(answer))


def shipping(found: Found) -> object:
    """Where it goes; the field moved twice (shipping → shipping_details → collected_information)."""
    newest = branch(found, "collected_information", "shipping_details")
    return newest or found.get("shipping_details") or found.get("shipping")


def address(where: object) -> str:
    """Name and address as one JSON object; empty when no line of it is known."""
    lines = branch(where, "address")
    if not isinstance(lines, Mapping):
        return ""
    known = {text(key): text(line) for key, line in lines.items() if text(line)}
    if not known:
        return ""
    written = json.dumps({"name": text(branch(where, "name")), "address": known}, ensure_ascii=False)
    return written if len(written) <= ADDRESS_CHARS else ""


def charge_refund(found: Found) -> RefundNews:
    """A charge.refunded event: the sum of everything that went back so far."""
    refunded = money(found.get("amount_refunded"), found.get("currency"))
    if refunded is None:
        raise BadPayload("refund_without_amount")
    taken = whole(found.get("amount_captured")) or whole(found.get("amount"))
    is_full = found.get("refunded") is True or (taken is not None and refunded.minor >= taken > 0)
    return RefundNews(id_of(found.get("payment_intent")), claim_id(found), refunded, is_full)


def refund(found: Found) -> RefundNews:
    """One refund. It does not know what was paid: full only when we asked for all of it (our metadata)."""
    refunded = money(found.get("amount"), found.get("currency"))
    if refunded is None:
        raise BadPayload("refund_without_amount")
    is_full = branch(found, "metadata", "scope") == "full"
    status = text(found.get("status"))
    return RefundNews(id_of(found.get("payment_intent")), claim_id(found), refunded, is_full, status)


def dispute(found: Found) -> RefundNews:
    """What the buyer's bank took or asks for; its metadata is not the payment's."""
    disputed = money(found.get("amount"), found.get("currency"))
    if disputed is None:
        raise BadPayload("dispute_without_amount")
    paid = whole(branch(found, "charge", "amount"))
    is_full = paid is not None and disputed.minor >= paid
    claim = claim_id(found) or text(branch(found, "charge", "metadata", "claim_id"))
    intent = id_of(found.get("payment_intent")) or id_of(branch(found, "charge", "payment_intent"))
    return RefundNews(intent, claim, disputed, is_full)


def dispute_kind(found: Found) -> NewsKind:
    return DISPUTES.get(text(found.get("status")), NewsKind.OTHER)
