"""Which parameters does Stripe know, and of which kind? Unknown ones are refused, as the real one does."""

import re
from dataclasses import dataclass
from typing import Any

from claimbot.sandbox.stripe_errors import invalid_param, unknown_param

WHOLE = re.compile(r"-?\d{1,15}")

# Limits of metadata (Stripe API reference, "Metadata").
METADATA_KEYS = 50
METADATA_KEY_CHARS = 40
METADATA_VALUE_CHARS = 500


@dataclass(frozen=True, slots=True)
class Kind:
    """What a leaf is read as."""

    name: str


TEXT, NUMBER, FLAG, LABELS, ANY = Kind("text"), Kind("number"), Kind("flag"), Kind("labels"), Kind("any")

ENABLED = {"enabled": FLAG}
MESSAGE = {"message": TEXT}

PRICE_DATA = {
    "currency": TEXT,
    "product": TEXT,
    "product_data": {
        "name": TEXT,
        "description": TEXT,
        "images": [TEXT],
        "metadata": LABELS,
        "tax_code": TEXT,
        "tax_details": ANY,
        "unit_label": TEXT,
    },
    "recurring": ANY,
    "tax_behavior": TEXT,
    "unit_amount": NUMBER,
    "unit_amount_decimal": TEXT,
}

LINE = {
    "adjustable_quantity": {"enabled": FLAG, "minimum": NUMBER, "maximum": NUMBER},
    "dynamic_tax_rates": [TEXT],
    "metadata": LABELS,
    "price": TEXT,
    "price_data": PRICE_DATA,
    "quantity": NUMBER,
    "tax_rates": [TEXT],
}

INTENT_DATA = {
    "application_fee_amount": NUMBER,
    "capture_method": TEXT,
    "description": TEXT,
    "metadata": LABELS,
    "on_behalf_of": TEXT,
    "receipt_email": TEXT,
    "setup_future_usage": TEXT,
    "shipping": ANY,
    "statement_descriptor": TEXT,
    "statement_descriptor_suffix": TEXT,
    "transfer_data": ANY,
    "transfer_group": TEXT,
}

SESSION: dict[str, Any] = {
    **dict.fromkeys(
        """branding_settings custom_fields customer_update invoice_creation managed_payments name_collection
        optional_items payment_method_data payment_method_options permissions saved_payment_method_options
        setup_intent_data subscription_data tax_id_collection wallet_options discounts
        shipping_options""".split(),
        ANY,
    ),
    **dict.fromkeys(
        """billing_address_collection cancel_url client_reference_id currency customer customer_account
        customer_creation customer_email integration_identifier locale mode origin_context
        payment_method_collection payment_method_configuration redirect_on_completion return_url submit_type
        success_url ui_mode""".split(),
        TEXT,
    ),
    "adaptive_pricing": ENABLED,
    "after_expiration": {"recovery": {"enabled": FLAG, "allow_promotion_codes": FLAG}},
    "allow_promotion_codes": FLAG,
    "allowed_payment_method_types": [TEXT],
    "automatic_tax": {"enabled": FLAG, "liability": ANY},
    "consent_collection": {
        "promotions": TEXT,
        "terms_of_service": TEXT,
        "payment_method_reuse_agreement": {"position": TEXT},
    },
    "custom_text": {
        "after_submit": MESSAGE,
        "shipping_address": MESSAGE,
        "submit": MESSAGE,
        "terms_of_service_acceptance": MESSAGE,
    },
    "excluded_payment_method_types": [TEXT],
    "expand": [TEXT],
    "expires_at": NUMBER,
    "line_items": [LINE],
    "metadata": LABELS,
    "payment_intent_data": INTENT_DATA,
    "phone_number_collection": ENABLED,
    "shipping_address_collection": {"allowed_countries": [TEXT]},
}

CREATED: dict[str, Any] = {"gt": NUMBER, "gte": NUMBER, "lt": NUMBER, "lte": NUMBER}
PAGE: dict[str, Any] = {"limit": NUMBER, "starting_after": TEXT, "ending_before": TEXT, "expand": [TEXT]}

EXPAND: dict[str, Any] = {"expand": [TEXT]}
SESSION_LIST: dict[str, Any] = {
    **PAGE,
    "created": CREATED,
    "customer": TEXT,
    "customer_account": TEXT,
    "customer_details": {"email": TEXT},
    "payment_intent": TEXT,
    "payment_link": TEXT,
    "status": TEXT,
    "subscription": TEXT,
}
REFUND: dict[str, Any] = {
    "amount": NUMBER,
    "charge": TEXT,
    "currency": TEXT,
    "customer": TEXT,
    "expand": [TEXT],
    "instructions_email": TEXT,
    "metadata": LABELS,
    "origin": TEXT,
    "payment_intent": TEXT,
    "reason": TEXT,
    "refund_application_fee": FLAG,
    "reverse_transfer": FLAG,
}
REFUND_LIST: dict[str, Any] = {**PAGE, "charge": TEXT, "payment_intent": TEXT, "created": CREATED}
EVENT_LIST: dict[str, Any] = {
    **PAGE,
    "created": CREATED,
    "delivery_success": FLAG,
    "type": TEXT,
    "types": [TEXT],
}


def read_params(told: Any, spec: Any, path: str = "") -> Any:
    """The parameters with their types. Raises StripeRefusal for an unknown name or a wrong kind."""
    if isinstance(spec, Kind):
        return _leaf(told, spec, path)
    if isinstance(spec, list):
        if not isinstance(told, list):
            raise invalid_param("Invalid array", path)
        return [read_params(one, spec[0], f"{path}[{place}]") for place, one in enumerate(told)]
    if spec is CREATED and isinstance(told, str):
        return _leaf(told, NUMBER, path)
    if not isinstance(told, dict):
        raise invalid_param("Invalid object", path)
    read = {}
    for name, value in told.items():
        inner = f"{path}[{name}]" if path else name
        if name not in spec:
            raise unknown_param(inner)
        read[name] = read_params(value, spec[name], inner)
    return read


def _leaf(told: Any, kind: Kind, path: str) -> Any:
    if kind is ANY:
        return told
    if kind is LABELS:
        return _labels(told, path)
    if not isinstance(told, str):
        raise invalid_param("Invalid string", path)
    if kind is NUMBER:
        if not WHOLE.fullmatch(told):
            raise invalid_param(f"Invalid integer: {told[:40]}", path, "parameter_invalid_integer")
        return int(told)
    if kind is FLAG:
        if told not in ("true", "false"):
            raise invalid_param(f"Invalid boolean: {told[:40]}", path)
        return told == "true"
    return told


def _labels(told: Any, path: str) -> Any:
    if told == "":
        return {}
    if not isinstance(told, dict) or len(told) > METADATA_KEYS:
        raise invalid_param("Metadata must be a flat map of at most 50 keys.", path)
    for name, value in told.items():
        if not isinstance(value, str) or len(value) > METADATA_VALUE_CHARS:
            raise invalid_param("Metadata values must be strings of at most 500 characters.", path)
        if len(name) > METADATA_KEY_CHARS:
            raise invalid_param("Metadata keys can have up to 40 characters.", path)
    return told
