"""Would Stripe make this Checkout Session? Pure: typed parameters go in, completed ones come out."""

import re
from typing import Any

from claimbot.sandbox.shelf import Json
from claimbot.sandbox.stripe_errors import (
    expires_too_early,
    expires_too_late,
    invalid_param,
    missing_param,
)

# Counted from creation by Stripe's own clock; exactly 30 minutes and exactly 24 hours both fail.
EXPIRES_MIN_SECONDS = 30 * 60
EXPIRES_MAX_SECONDS = 24 * 3600
MAX_LINES = 100
MAX_IMAGES = 8
REFERENCE_CHARS = 200
MESSAGE_CHARS = 1_200
UNIT_AMOUNT_MAX = 99_999_999

WEB = re.compile(r"https?://[^\s/]+\S*")
CURRENCY = re.compile(r"[a-z]{3}")


def complete_session_params(params: Json, now: float) -> Json:
    """Raises StripeRefusal with Stripe's text."""
    if "mode" not in params:
        raise missing_param("mode")
    if params["mode"] != "payment":
        raise invalid_param("This world only knows mode=payment.", "mode")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise invalid_param("This world only knows ui_mode=hosted_page.", "ui_mode")
    if "success_url" not in params:
        raise missing_param("success_url")
    for name in ("success_url", "cancel_url"):
        if name in params and not WEB.fullmatch(params[name]):
            raise invalid_param("Not a valid URL", name, "url_invalid")
    _lines(params.get("line_items"))
    _texts(params)
    return {**params, "expires_at": _expires_at(params.get("expires_at"), now)}


def _expires_at(told: int | None, now: float) -> int:
    if told is None:
        return int(now) + EXPIRES_MAX_SECONDS
    if told - now <= EXPIRES_MIN_SECONDS:
        raise expires_too_early()
    if told - now >= EXPIRES_MAX_SECONDS:
        raise expires_too_late()
    return told


def _lines(lines: Any) -> None:
    if not lines:
        raise missing_param("line_items")
    if len(lines) > MAX_LINES:
        raise invalid_param("Array line_items exceeded maximum 100 allowed elements.", "line_items")
    for place, line in enumerate(lines):
        _line(line, f"line_items[{place}]")
    if len({line["price_data"]["currency"] for line in lines}) > 1:
        raise invalid_param("All line items must have the same currency.", "line_items")


def _line(line: Json, path: str) -> None:
    price = line.get("price_data")
    if "price" in line or price is None:
        raise invalid_param("This world has no prices; give price_data.", f"{path}[price_data]")
    if "quantity" not in line:
        raise missing_param(f"{path}[quantity]")
    if line["quantity"] < 1:
        raise invalid_param("Invalid positive integer", f"{path}[quantity]", "parameter_invalid_integer")
    path += "[price_data]"
    for name in ("currency", "unit_amount", "product_data"):
        if name not in price:
            raise missing_param(f"{path}[{name}]")
    if not CURRENCY.fullmatch(price["currency"]):
        raise invalid_param(f"Invalid currency: {price['currency'][:10]}", f"{path}[currency]")
    if not 0 <= price["unit_amount"] <= UNIT_AMOUNT_MAX:
        raise invalid_param(
            "Invalid non-negative integer", f"{path}[unit_amount]", "parameter_invalid_integer"
        )
    _named(price["product_data"], f"{path}[product_data]")


def _named(product: Json, path: str) -> None:
    if "name" not in product:
        raise missing_param(f"{path}[name]")
    if not product["name"].strip():
        raise invalid_param(
            "You passed an empty string for 'name'.", f"{path}[name]", "parameter_invalid_empty"
        )
    if product.get("description") == "":
        raise invalid_param(
            "You passed an empty string for 'description'.",
            f"{path}[description]",
            "parameter_invalid_empty",
        )
    images = product.get("images", [])
    if len(images) > MAX_IMAGES:
        raise invalid_param("Array images exceeded maximum 8 allowed elements.", f"{path}[images]")
    if not all(WEB.fullmatch(image) for image in images):
        raise invalid_param("Not a valid URL", f"{path}[images]", "url_invalid")


def _texts(params: Json) -> None:
    if len(params.get("client_reference_id", "")) > REFERENCE_CHARS:
        raise invalid_param("Invalid string: must be at most 200 characters", "client_reference_id")
    for place, text in params.get("custom_text", {}).items():
        if not 1 <= len(text.get("message", "")) <= MESSAGE_CHARS:
            raise invalid_param(
                "Invalid string: must be 1 to 1200 characters", f"custom_text[{place}][message]"
            )
    if params.get("shipping_address_collection", {}).get("allowed_countries") == []:
        raise missing_param("shipping_address_collection[allowed_countries]")
    recovery = params.get("after_expiration", {}).get("recovery", {})
    if recovery and "enabled" not in recovery:
        raise missing_param("after_expiration[recovery][enabled]")
