"""Stripe refused or did not answer: what do we do now?

Reasons are our own constant words. Stripe's texts stay here: they can repeat what a buyer or a brand wrote.
https://docs.stripe.com/api/errors
"""

from collections.abc import Mapping
from dataclasses import dataclass

import stripe
from requests.exceptions import ConnectTimeout, ReadTimeout, SSLError
from urllib3.exceptions import NewConnectionError

from claimbot.core.messages import Verdict
from claimbot.payments import read

# A Retry-After beyond an hour is not believed.
RETRY_AFTER_MOST_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that Stripe did not carry out. `http_status` is 0 when nothing was answered."""

    verdict: Verdict
    reason: str
    retry_after_seconds: float | None = None
    is_new_epoch_needed: bool = False
    http_status: int = 0


UNREADABLE = Failure(Verdict.UNKNOWN, "unreadable_answer")

# Everything else: 5xx and answers that cannot be read are unknown, other 4xx are dead.
BY_STATUS = {
    400: (Verdict.DEAD, "bad_request"),
    401: (Verdict.PARKED, "key_refused"),
    402: (Verdict.DEAD, "declined"),
    403: (Verdict.PARKED, "permission_missing"),
    404: (Verdict.DEAD, "not_found"),
    408: (Verdict.UNKNOWN, "timeout"),
    409: (Verdict.RETRY, "in_flight"),
    424: (Verdict.UNKNOWN, "server_error"),
    429: (Verdict.RETRY, "rate_limited"),
}

# Error codes that decide more than the status does; a person has to mend the parked ones at Stripe.
BY_CODE = {
    "lock_timeout": (Verdict.RETRY, "lock_timeout"),
    "idempotency_key_in_use": (Verdict.RETRY, "in_flight"),
    "account_invalid": (Verdict.PARKED, "account_restricted"),
    "account_closed": (Verdict.PARKED, "account_restricted"),
    "api_key_expired": (Verdict.PARKED, "key_refused"),
    "platform_api_key_expired": (Verdict.PARKED, "key_refused"),
    "livemode_mismatch": (Verdict.PARKED, "other_mode"),
    "testmode_charges_only": (Verdict.PARKED, "account_restricted"),
    "balance_insufficient": (Verdict.PARKED, "balance_insufficient"),
    "insufficient_funds": (Verdict.PARKED, "balance_insufficient"),
    "amount_too_small": (Verdict.DEAD, "amount_too_small"),
    "amount_too_large": (Verdict.DEAD, "amount_too_large"),
    "charge_already_refunded": (Verdict.DONE, "already_refunded"),
    "charge_disputed": (Verdict.DEAD, "charge_disputed"),
    "url_invalid": (Verdict.DEAD, "url_invalid"),
}

# The parameters that we send: naming one tells the brand which setting Stripe does not accept.
PARAMETERS = frozenset(
    "allow_promotion_codes amount automatic_tax cancel_url client_reference_id consent_collection custom_text"
    " line_items payment_intent phone_number_collection shipping_address_collection success_url".split()
)


def failure(error: stripe.StripeError) -> Failure:
    """Our word for any error of the SDK."""
    if isinstance(error, stripe.APIConnectionError):
        return _unanswered(error)
    status = error.http_status or 0
    verdict, reason = _verdict(error, status)
    # A stored 500 comes back for a day, and a key that met other parameters never works again.
    is_stuck = (status >= 500 and is_replayed(error.headers)) or reason in (
        "key_reused",
        "expires_at_refused",
    )
    return Failure(verdict, reason, _retry_after_seconds(error.headers), is_stuck, status)


def _unanswered(error: stripe.APIConnectionError) -> Failure:
    """Only a connection that never stood is sure to have changed nothing."""
    cause = error.__cause__
    wrapped = cause.args[0] if cause is not None and cause.args else None
    if isinstance(cause, ConnectTimeout) or isinstance(getattr(wrapped, "reason", None), NewConnectionError):
        return Failure(Verdict.RETRY, "unreachable")
    if isinstance(cause, ReadTimeout):
        return Failure(Verdict.UNKNOWN, "timeout")
    return Failure(Verdict.UNKNOWN, "tls_failed" if isinstance(cause, SSLError) else "connection_lost")


def _verdict(error: stripe.StripeError, status: int) -> tuple[Verdict, str]:
    if isinstance(error, stripe.IdempotencyError):
        return Verdict.RETRY, "key_reused"
    if isinstance(error, stripe.RateLimitError) and code(error) != "lock_timeout":
        return Verdict.RETRY, "rate_limited"
    if 400 <= status < 500 and code(error) in BY_CODE:
        return BY_CODE[code(error)]
    if status == 400:
        return _bad_request(error)
    if status >= 500:
        return Verdict.UNKNOWN, "server_error"
    if status < 400:
        return UNREADABLE.verdict, UNREADABLE.reason
    return BY_STATUS.get(status, BY_STATUS[400])


def _bad_request(error: stripe.StripeError) -> tuple[Verdict, str]:
    """`param` was null in some versions when expires_at was too near, so the text is looked at as well."""
    parameter = read.text(read.branch(error.json_body, "error", "param"))
    if "expires_at" in (parameter or read.text(read.branch(error.json_body, "error", "message"))):
        return Verdict.RETRY, "expires_at_refused"
    root = parameter.partition("[")[0]
    return Verdict.DEAD, f"bad_parameter:{root}" if root in PARAMETERS else "bad_request"


def code(error: stripe.StripeError) -> str:
    """Stripe's error code; the SDK leaves `.code` empty on half of its classes."""
    return read.text(read.branch(error.json_body, "error", "code"))


def is_replayed(headers: Mapping[str, str] | None) -> bool:
    """Is this the stored answer of an earlier call with the same key?"""
    return bool(headers) and str((headers or {}).get("idempotent-replayed", "")).lower() == "true"


def _retry_after_seconds(headers: Mapping[str, str] | None) -> float | None:
    """Stripe sends none today; a proxy in between may."""
    written = str((headers or {}).get("retry-after", ""))
    if not written.isascii() or not written.isdigit() or len(written) > 9:
        return None
    return min(float(written), RETRY_AFTER_MOST_SECONDS)
