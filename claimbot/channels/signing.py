"""Did Meta really send this?

https://developers.facebook.com/docs/graph-api/webhooks/getting-started
https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence

from claimbot.channels.body import read_json
from claimbot.core.errors import BadPayload, BadSignature

# Meta sends digits or a random word; anything else could be markup that a browser runs.
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{1,64}")

# A signed request holds four short fields; real ones are under 300 characters.
SIGNED_REQUEST_CHARS_MAX = 4_096


def sign_meta(body: bytes, secret: str) -> str:
    """The header that Meta would send with this body."""
    if not secret:
        raise ValueError("an empty secret signs nothing")
    return f"sha256={_digest(body, secret).hex()}"


def verify_meta(body: bytes, header: str | None, secrets: Sequence[str]) -> int:
    """Which secret signed the raw body (its index). Raises BadSignature.

    Pass only the secrets that may sign for the account: an account with a secret of its own
    gets a list of one. An empty secret never matches.
    """
    if header is None:
        raise BadSignature("the signature header is missing")
    offered = header.encode("utf-8", "replace")
    matches = [_is_signed(body, offered, secret) for secret in secrets]
    if True not in matches:
        raise BadSignature("the signature does not match")
    return matches.index(True)


def hub_challenge(args: Mapping[str, str], verify_tokens: Sequence[str]) -> str:
    """The text that answers the subscription handshake. Raises BadSignature."""
    offered = args.get("hub.verify_token", "").encode("utf-8", "replace")
    matches = [_is_same(offered, token) for token in verify_tokens]
    if True not in matches or args.get("hub.mode") != "subscribe":
        raise BadSignature("the verify token does not match")
    challenge = args.get("hub.challenge", "")
    if not CHALLENGE.fullmatch(challenge):
        raise BadSignature("the challenge is not a plain word")
    return challenge


def signed_request(value: str, secrets: Sequence[str]) -> dict[str, object]:
    """What a data-deletion or deauthorise call says. Raises BadSignature, BadPayload."""
    signature, dot, encoded = value.partition(".")
    if not dot or len(value) > SIGNED_REQUEST_CHARS_MAX or not value.isascii():
        raise BadSignature("the signed request is malformed")
    offered = _decode(signature)
    message = encoded.encode("ascii")
    if True not in [bool(s) and hmac.compare_digest(_digest(message, s), offered) for s in secrets]:
        raise BadSignature("the signed request does not match")
    payload = read_json(_decode(encoded))
    if not isinstance(payload, dict) or payload.get("algorithm") != "HMAC-SHA256":
        raise BadPayload("signed_request")
    return payload


def _digest(body: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode("utf-8", "replace"), body, "sha256")


def _is_signed(body: bytes, offered: bytes, secret: str) -> bool:
    if not secret:
        return False
    return hmac.compare_digest(b"sha256=" + _digest(body, secret).hex().encode("ascii"), offered)


def _is_same(offered: bytes, token: str) -> bool:
    return bool(token) and hmac.compare_digest(token.encode("utf-8", "replace"), offered)


def _decode(text: str) -> bytes:
    """base64url without padding, as Meta writes it."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadSignature("the signed request is malformed") from None
