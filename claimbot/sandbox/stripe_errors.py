"""How does Stripe say no? One constant for each refusal."""

from claimbot.sandbox.shelf import Json


class StripeRefusal(Exception):
    """An answer that is not 200.

    `is_kept`: execution had begun, so an idempotency key answers the same again. Failures of validation,
    conflicts and rate limits are not kept.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str = "",
        param: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.is_kept = False
        self.headers: dict[str, str] = {}

    def body(self) -> Json:
        error = {"message": self.message, "type": self.kind}
        if self.code:
            error["code"] = self.code
        if self.param:
            error["param"] = self.param
        return {"error": error}


def kept(refusal: StripeRefusal) -> StripeRefusal:
    refusal.is_kept = True
    return refusal


def bad_key() -> StripeRefusal:
    return StripeRefusal("Invalid API Key provided: sk_test_****", status=401)


def no_key() -> StripeRefusal:
    return StripeRefusal("You did not provide an API key.", status=401)


def missing(what: str, name: str, param: str) -> StripeRefusal:
    return StripeRefusal(f"No such {what}: '{name}'", status=404, code="resource_missing", param=param)


def unknown_path(method: str, path: str) -> StripeRefusal:
    return StripeRefusal(f"Unrecognized request URL ({method}: {path}).", status=404)


def unknown_param(param: str) -> StripeRefusal:
    return StripeRefusal(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def missing_param(param: str) -> StripeRefusal:
    return StripeRefusal(f"Missing required param: {param}.", code="parameter_missing", param=param)


def invalid_param(message: str, param: str, code: str = "") -> StripeRefusal:
    return StripeRefusal(message, param=param, code=code)


def expires_too_early() -> StripeRefusal:
    return StripeRefusal(
        "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."
    )


def expires_too_late() -> StripeRefusal:
    return StripeRefusal(
        "The expires_at timestamp must be less than 24 hours from Checkout Session creation."
    )


def not_open(status: str) -> StripeRefusal:
    """No code: callers must look at the session, not at this text."""
    return kept(
        StripeRefusal(
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of `{status}`."
        )
    )


def already_refunded(charge: str) -> StripeRefusal:
    return kept(StripeRefusal(f"Charge {charge} has already been refunded.", code="charge_already_refunded"))


def refund_too_large() -> StripeRefusal:
    return kept(StripeRefusal("Refund amount is greater than unrefunded amount on charge.", param="amount"))


def nothing_charged(intent: str) -> StripeRefusal:
    return kept(StripeRefusal(f"The PaymentIntent {intent} does not have a successful charge to refund."))


def disputed(charge: str) -> StripeRefusal:
    return kept(StripeRefusal(f"Charge {charge} has been charged back.", code="charge_disputed"))


def too_fast() -> StripeRefusal:
    refusal = StripeRefusal(
        "Request rate limit exceeded. Learn more in Stripe's documentation of rate limits.",
        status=429,
        code="rate_limit",
    )
    refusal.headers["Stripe-Rate-Limited-Reason"] = "endpoint-rate"
    return refusal


def locked() -> StripeRefusal:
    return StripeRefusal(
        "This object cannot be accessed right now because another API request is currently accessing it.",
        status=429,
        code="lock_timeout",
    )


def server_error() -> StripeRefusal:
    return kept(StripeRefusal("An unknown error occurred.", status=500, kind="api_error"))


def other_parameters(key: str) -> StripeRefusal:
    return StripeRefusal(
        "Keys for idempotent requests can only be used with the same parameters they were first used with. "
        f"Try using a key other than '{key}' if you meant to execute a different request.",
        kind="idempotency_error",
    )


def key_in_use() -> StripeRefusal:
    return StripeRefusal(
        "There is currently another in-progress request using this Idempotent Key (that probably means you "
        "submitted twice, and the other request is still going through). Please try again later.",
        status=409,
        kind="idempotency_error",
        code="idempotency_key_in_use",
    )
