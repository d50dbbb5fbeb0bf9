"""Stripe objects written by hand, in today's shape and older ones; and our own requests."""

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from claimbot.core.money import Money
from claimbot.core.payments import CheckoutRequest, PaymentKeys

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECRET = "whsec_aurora_first"
KEYS = PaymentKeys("brd_aurora", "sk_test_aurora", (SECRET,), livemode=False)

REQUEST = CheckoutRequest(
    claim_id="clm_ana",
    epoch=2,
    item_name="Aurora lamp, dusk",
    unit_price=Money(12900, "EUR"),
    quantity=2,
    expires_at=datetime(2026, 11, 22, 12, 40, tzinfo=UTC),
    return_url="https://drops.example/c/tok",
)


def make_request(**changes: Any) -> CheckoutRequest:
    return replace(REQUEST, **changes)


def make_session(**changes: Any) -> dict[str, Any]:
    """An open session of claim clm_ana."""
    return {
        "id": "cs_test_ana",
        "object": "checkout.session",
        "status": "open",
        "payment_status": "unpaid",
        "mode": "payment",
        "amount_subtotal": 25800,
        "amount_total": 25800,
        "currency": "eur",
        "client_reference_id": "clm_ana",
        "metadata": {"claim_id": "clm_ana", "epoch": "2"},
        "livemode": False,
        "payment_intent": None,
        "expires_at": 1795351200,
        "url": "https://checkout.stripe.com/c/pay/cs_test_ana",
        **changes,
    }


def make_paid(**changes: Any) -> dict[str, Any]:
    paid = {
        "status": "complete",
        "payment_status": "paid",
        "payment_intent": "pi_ana",
        "url": None,
        "customer_details": {"email": "ana@example.com", "name": "Ana Lima", "phone": "+351900000001"},
        "consent": {"promotions": "opt_in", "terms_of_service": None},
    }
    return make_session(**{**paid, **changes})


def make_event(type_: str, found: Any, **changes: Any) -> dict[str, Any]:
    return {
        "id": "evt_one",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1795348800,
        "livemode": False,
        "type": type_,
        "data": {"object": found},
        **changes,
    }


def make_error(type_: str = "invalid_request_error", **fields: Any) -> dict[str, Any]:
    return {"error": {"type": type_, "message": "a text that names ana@example.com", **fields}}


def sign(body: bytes, secret: str = SECRET, at: datetime = NOW) -> str:
    stamp = int(at.timestamp())
    digest = hmac.new(secret.encode(), b"%d.%s" % (stamp, body), hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def as_body(event: Any) -> bytes:
    return json.dumps(event).encode()
