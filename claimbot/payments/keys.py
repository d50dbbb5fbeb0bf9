"""Can these keys be right? What is seen without asking Stripe."""

from claimbot.core.payments import PaymentKeys

# The prefix of a key says its mode: secret or restricted, live or test.
MODES = {"sk_live_": True, "rk_live_": True, "sk_test_": False, "rk_test_": False}
PREFIX_CHARS = 8


def key_faults(keys: PaymentKeys) -> list[str]:
    """One sentence for each fault that can be seen without asking Stripe; no key is repeated."""
    return secret_key_faults(keys) + _webhook_faults(keys)


def secret_key_faults(keys: PaymentKeys) -> list[str]:
    """The part without which no call can be made."""
    if not keys.secret_key.strip():
        return ["The Stripe secret key is empty: copy it from the Stripe Dashboard, Developers, API keys."]
    if not _is_one_word(keys.secret_key):
        return ["The Stripe secret key contains a blank or a line break: copy it again."]
    mode = MODES.get(keys.secret_key[:PREFIX_CHARS])
    if mode is None:
        return ["The Stripe secret key must begin with sk_live_, rk_live_, sk_test_ or rk_test_."]
    if mode != keys.livemode:
        has, wants = ("live", "test") if mode else ("test", "live")
        return [f"The Stripe secret key is a {has} key, but the brand is set to {wants} mode."]
    return []


def _webhook_faults(keys: PaymentKeys) -> list[str]:
    if not any(secret.strip() for secret in keys.webhook_secrets):
        return ["The Stripe webhook secret is empty: copy it from the webhook endpoint's page."]
    faults = []
    if not all(_is_one_word(secret) for secret in keys.webhook_secrets):
        faults.append("A Stripe webhook secret is empty or contains a blank or a line break: copy it again.")
    if not all(secret.strip().startswith("whsec_") for secret in keys.webhook_secrets):
        faults.append("A Stripe webhook secret must begin with whsec_.")
    return faults


def _is_one_word(secret: str) -> bool:
    return bool(secret) and secret.isascii() and secret.isprintable() and " " not in secret


def is_live_key(secret_key: str) -> bool:
    return MODES.get(secret_key[:PREFIX_CHARS]) is True
