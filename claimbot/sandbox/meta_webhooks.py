"""How does Meta write and sign what it tells the engine?"""

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any

from claimbot.sandbox.shelf import Json


def body_of(envelope: Json) -> bytes:
    """Meta escapes everything outside ASCII, and signs the escaped form."""
    return json.dumps(envelope, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def signature(body: bytes, app_secret: str) -> dict[str, str]:
    digest = hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}"}


def make_mid(account: str, igsid: str) -> str:
    """As long and as shaped as a real one: about 160 characters that look like base64."""
    thread = "34028236684171030" + igsid.zfill(20)[-20:]
    seed = f"ig_dm_item:1:IGMessageID:{account}:{thread}:3{secrets.randbelow(10**34):034d}"
    return base64.b64encode(seed.encode()).decode().rstrip("=").replace("Z", "ZA") + "ZD"


def make_number_id() -> str:
    """A comment or media id."""
    return str(18 * 10**15 + secrets.randbelow(10**15))


def envelope(account: str, at_seconds: float, messaging: list[Json]) -> Json:
    entry = {"id": account, "time": round(at_seconds * 1000), "messaging": messaging}
    return {"object": "instagram", "entry": [entry]}


def batch(entries: dict[str, list[Json]], at_seconds: float) -> Json:
    """Several accounts in one POST."""
    made = [envelope(account, at_seconds, messaging)["entry"][0] for account, messaging in entries.items()]
    return {"object": "instagram", "entry": made}


def event(sender: str, recipient: str, at_seconds: float, **what: Any) -> Json:
    return {
        "sender": {"id": sender},
        "recipient": {"id": recipient},
        "timestamp": round(at_seconds * 1000),
        **what,
    }


def comment_envelope(account: str, field: str, at_seconds: float, value: Json, is_flat: bool = False) -> Json:
    """Both envelopes that were seen in real deliveries: under `changes`, and flat."""
    entry: Json = {"id": account, "time": int(at_seconds)}
    if is_flat:
        entry |= {"field": field, "value": value}
    else:
        entry["changes"] = [{"field": field, "value": value}]
    return {"object": "instagram", "entry": [entry]}
