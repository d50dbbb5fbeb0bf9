"""What exactly do we ask Stripe to create?

Left out on purpose: after_expiration.recovery and adjustable_quantity sell what is not held, and
payment_method_types is refused since 2026-09-30. https://docs.stripe.com/api/checkout/sessions/create
"""

from typing import cast

from stripe.params import RefundCreateParams
from stripe.params.checkout import (
    SessionCreateParams,
    SessionCreateParamsLineItem,
    SessionCreateParamsShippingAddressCollection,
)

from claimbot.core.money import Money
from claimbot.core.payments import CheckoutRequest

# "Text can be up to 1200 characters in length" (custom_text).
NOTE_CHARS = 1_200
# Longer lines are cut on Stripe's page anyway.
NAME_CHARS = 250


def checkout(request: CheckoutRequest) -> SessionCreateParams:
    """Made from the frozen request alone: the same request gives the same bytes, as its key demands."""
    marks = {"claim_id": request.claim_id, "epoch": str(request.epoch)}
    params: SessionCreateParams = {
        "mode": "payment",
        "line_items": [_line(request)],
        "client_reference_id": request.claim_id,
        "metadata": marks,
        # Charges and disputes carry only the PaymentIntent's metadata.
        "payment_intent_data": {"metadata": marks},
        "success_url": f"{request.return_url}/done?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": request.return_url,
        "expires_at": int(request.expires_at.timestamp()),
        "adaptive_pricing": {"enabled": False},
    }
    if request.deadline_note:
        params["custom_text"] = {"submit": {"message": request.deadline_note[:NOTE_CHARS]}}
    _ask_the_buyer(params, request)
    return params


def _line(request: CheckoutRequest) -> SessionCreateParamsLineItem:
    line: SessionCreateParamsLineItem = {
        "price_data": {
            "currency": request.unit_price.currency.lower(),
            "unit_amount": request.unit_price.minor,
            "product_data": {"name": request.item_name[:NAME_CHARS]},
        },
        "quantity": request.quantity,
    }
    # Stripe fetches the picture itself: only a public address is of use.
    if request.image_url.startswith("https://"):
        line["price_data"]["product_data"]["images"] = [request.image_url]
    return line


def _ask_the_buyer(params: SessionCreateParams, request: CheckoutRequest) -> None:
    """Add what the drop wants to know or allow; e-mail is always asked for."""
    options = request.options
    if options.collect_phone:
        params["phone_number_collection"] = {"enabled": True}
    if options.shipping_countries:
        # The SDK lists the countries as literals; ours are checked when the drop is saved.
        countries = {"allowed_countries": list(options.shipping_countries)}
        params["shipping_address_collection"] = cast(SessionCreateParamsShippingAddressCollection, countries)
    if options.automatic_tax:
        params["automatic_tax"] = {"enabled": True}
    if options.promotion_codes:
        params["allow_promotion_codes"] = True
    if options.marketing_consent:
        params["consent_collection"] = {"promotions": "auto"}


def refund(payment_intent: str, session_id: str, amount: Money | None, claim_id: str) -> RefundCreateParams:
    """Without an amount everything that is left goes back. Never `fraudulent`: that blocks the buyer."""
    params: RefundCreateParams = {
        "payment_intent": payment_intent,
        "reason": "requested_by_customer",
        "metadata": {
            "claim_id": claim_id,
            "session_id": session_id,
            "scope": "full" if amount is None else "part",
        },
    }
    if amount is not None:
        params["amount"] = amount.minor
    return params
