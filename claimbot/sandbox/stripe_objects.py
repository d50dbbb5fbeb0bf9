"""What do Stripe's objects look like? Every field that the API's schema requires, made from plain facts."""

from dataclasses import dataclass
from typing import Any

from claimbot.sandbox.shelf import Json
from claimbot.sandbox.stripe_ids import make_id

# Fields of a session that are null unless something below fills them.
EMPTY_SESSION = dict.fromkeys(
    """adaptive_pricing after_expiration allow_promotion_codes allowed_payment_method_types
    billing_address_collection branding_settings cancel_url client_reference_id client_secret
    collected_information consent consent_collection currency_conversion customer customer_account
    customer_creation customer_details customer_email discounts excluded_payment_method_types
    integration_identifier invoice invoice_creation locale managed_payments metadata name_collection
    optional_items origin_context payment_intent payment_link payment_method_collection
    payment_method_configuration_details payment_method_options permissions phone_number_collection
    presentment_details recovered_from redirect_on_completion return_url saved_payment_method_options
    setup_intent shipping_address_collection shipping_cost submit_type subscription success_url
    tax_id_collection url wallet_options""".split()
)

# Parameters that come back on the session as they were given.
ECHOED = """allow_promotion_codes allowed_payment_method_types billing_address_collection cancel_url
    client_reference_id customer_creation customer_email excluded_payment_method_types
    integration_identifier locale metadata phone_number_collection submit_type success_url""".split()

TEXT_PLACES = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")

CARD = {
    "type": "card",
    "card": {
        "brand": "visa",
        "country": "DE",
        "exp_month": 12,
        "exp_year": 2034,
        "funding": "credit",
        "last4": "4242",
    },
}


@dataclass(frozen=True, slots=True)
class Buyer:
    """What was typed on the pay page."""

    email: str = "buyer@example.com"
    name: str = "Ana Lima"
    phone: str = ""
    marketing: bool = False
    discount_minor: int = 0


def make_session(params: Json, session_id: str, url: str, now: int) -> Json:
    lines = params["line_items"]
    subtotal = sum(line["price_data"]["unit_amount"] * line["quantity"] for line in lines)
    session: Json = {
        **EMPTY_SESSION,
        **{name: params.get(name) for name in ECHOED},
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": params.get("adaptive_pricing", {}).get("enabled", False)},
        "amount_subtotal": subtotal,
        "amount_total": subtotal,
        "automatic_tax": _tax(params.get("automatic_tax", {}).get("enabled", False)),
        "consent_collection": _consent_asked(params.get("consent_collection")),
        "created": now,
        "currency": lines[0]["price_data"]["currency"],
        "custom_fields": [],
        "custom_text": {place: params.get("custom_text", {}).get(place) for place in TEXT_PLACES},
        "customer_creation": params.get("customer_creation", "if_required"),
        "expires_at": params["expires_at"],
        "livemode": False,
        "metadata": params.get("metadata", {}),
        "mode": "payment",
        "payment_method_collection": "if_required",
        "payment_method_options": {},
        "payment_method_types": params.get("allowed_payment_method_types", ["card", "sepa_debit"]),
        "payment_status": "no_payment_required" if subtotal == 0 else "unpaid",
        "phone_number_collection": {
            "enabled": params.get("phone_number_collection", {}).get("enabled", False)
        },
        "shipping_address_collection": params.get("shipping_address_collection"),
        "shipping_options": [],
        "status": "open",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": url,
    }
    recovery = params.get("after_expiration", {}).get("recovery")
    if recovery:
        session["after_expiration"] = {
            "recovery": {"allow_promotion_codes": False, "expires_at": None, "url": None, **recovery}
        }
    return session


def _tax(enabled: bool) -> Json:
    return {
        "enabled": enabled,
        "liability": {"type": "self"} if enabled else None,
        "provider": "stripe" if enabled else None,
        "status": "requires_location_inputs" if enabled else None,
    }


def _consent_asked(asked: Json | None) -> Json | None:
    if not asked:
        return None
    return {
        "payment_method_reuse_agreement": None,
        "promotions": "none",
        "terms_of_service": "none",
        **asked,
    }


def make_lines(params: Json, now: int) -> list[Json]:
    return [_line(line, now) for line in params["line_items"]]


def _line(told: Json, now: int) -> Json:
    price = told["price_data"]
    total = price["unit_amount"] * told["quantity"]
    return {
        "id": make_id("li"),
        "object": "item",
        "adjustable_quantity": told.get("adjustable_quantity"),
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": price["currency"],
        "description": price["product_data"]["name"],
        "metadata": told.get("metadata", {}),
        "price": _price(price, now),
        "quantity": told["quantity"],
    }


def _price(told: Json, now: int) -> Json:
    return {
        "id": make_id("price"),
        "object": "price",
        "active": False,
        "billing_scheme": "per_unit",
        "created": now,
        "currency": told["currency"],
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": make_id("prod", 14),
        "recurring": None,
        "tax_behavior": told.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": told["unit_amount"],
        "unit_amount_decimal": str(told["unit_amount"]),
    }


def make_intent(session: Json, intent_data: Json, now: int) -> Json:
    intent_id = make_id("pi")
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": session["amount_total"],
        "amount_capturable": 0,
        "amount_received": 0,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": intent_data.get("capture_method", "automatic_async"),
        "client_secret": f"{intent_id}_secret_{make_id('x', 20)}",
        "confirmation_method": "automatic",
        "created": now,
        "currency": session["currency"],
        "customer": None,
        "description": intent_data.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": intent_data.get("metadata", {}),
        "next_action": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": session["payment_method_types"],
        "receipt_email": intent_data.get("receipt_email"),
        "status": "requires_payment_method",
    }


def make_charge(intent: Json, buyer: Buyer, now: int) -> Json:
    return {
        "id": make_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"],
        "amount_refunded": 0,
        "balance_transaction": make_id("txn"),
        "billing_details": {
            "address": None,
            "email": buyer.email,
            "name": buyer.name,
            "phone": buyer.phone or None,
            "tax_id": None,
        },
        "captured": True,
        "created": now,
        "currency": intent["currency"],
        "customer": None,
        "description": intent["description"],
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": intent["metadata"],
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": make_id("pm"),
        "payment_method_details": CARD,
        "receipt_email": intent["receipt_email"],
        "refunded": False,
        "status": "succeeded",
    }


def make_refund(charge: Json, params: Json, status: str, now: int) -> Json:
    return {
        "id": make_id("re"),
        "object": "refund",
        "amount": params["amount"],
        "balance_transaction": make_id("txn") if status == "succeeded" else None,
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "metadata": params.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
        **({"failure_reason": "lost_or_stolen_card"} if status == "failed" else {}),
    }


def make_dispute(charge: Json, now: int) -> Json:
    return {
        "id": make_id("du"),
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + 7 * 86_400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": charge["metadata"],
        "payment_intent": charge["payment_intent"],
        "reason": "fraudulent",
        "status": "needs_response",
    }


def details_of(session: Json, buyer: Buyer) -> Json:
    """The fields that a finished session gets from its buyer."""
    asks_phone = session["phone_number_collection"]["enabled"]
    asks_consent = (session["consent_collection"] or {}).get("promotions") == "auto"
    filled: dict[str, Any] = {
        "customer_details": {
            "address": ADDRESS if session["shipping_address_collection"] else None,
            "business_name": None,
            "email": session["customer_email"] or buyer.email,
            "individual_name": None,
            "name": buyer.name,
            "phone": (buyer.phone or "+4915100000000") if asks_phone else None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
    }
    if session["shipping_address_collection"]:
        filled["collected_information"] = {
            "business_name": None,
            "individual_name": None,
            "shipping_details": {"address": ADDRESS, "name": buyer.name},
        }
    if asks_consent:
        filled["consent"] = {
            "promotions": "opt_in" if buyer.marketing else "opt_out",
            "terms_of_service": None,
        }
    return filled


ADDRESS = {
    "city": "Bremen",
    "country": "DE",
    "line1": "Deichweg 7",
    "line2": None,
    "postal_code": "28195",
    "state": None,
}


def make_account(account_id: str) -> Json:
    return {
        "id": account_id,
        "object": "account",
        "business_profile": {"name": "Sandbox", "url": None},
        "charges_enabled": True,
        "country": "DE",
        "default_currency": "eur",
        "details_submitted": True,
        "email": "owner@example.com",
        "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": "Sandbox", "timezone": "Europe/Berlin"}},
        "type": "standard",
    }
