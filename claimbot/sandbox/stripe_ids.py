"""What do Stripe's ids look like?"""

import hashlib
import secrets
import string

LETTERS = string.ascii_letters + string.digits


def make_id(prefix: str, chars: int = 24) -> str:
    return f"{prefix}_" + "".join(secrets.choice(LETTERS) for _ in range(chars))


def make_session_id() -> str:
    """Session ids of test mode are about 66 characters long."""
    return make_id("cs_test", 58)


def account_id_of(secret_key: str) -> str:
    """Stable, and tells nothing about the key."""
    return "acct_" + hashlib.sha256(secret_key.encode()).hexdigest()[:16]
