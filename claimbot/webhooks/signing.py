"""How does a receiver know that we called? Signatures as on https://www.standardwebhooks.com."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = 32  # as long as what SHA-256 makes of it


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(keys: Sequence[str], notice_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """One signature for each secret: a receiver takes whichever it can check."""
    timestamp = str(int(at.timestamp()))
    content = b".".join((notice_id.encode(), timestamp.encode(), body))
    return {
        "webhook-id": notice_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_sign(key, content)}" for key in keys),
    }


def _sign(key: str, content: bytes) -> str:
    raw = base64.b64decode(key.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(raw, content, hashlib.sha256).digest()).decode()
