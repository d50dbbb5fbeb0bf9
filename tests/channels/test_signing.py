"""Are signatures what Meta's own examples say?"""

import base64
import hashlib
import hmac
import json

import pytest

from claimbot.channels.instagram import Instagram
from claimbot.channels.signing import hub_challenge, sign_meta, signed_request, verify_meta
from claimbot.core.errors import BadPayload, BadSignature
from tests.channels.people import payload_bytes
from tests.channels.security_cases import ChannelSecurity

SECRET = "test_app_secret"

ESCAPED = (
    rb'{"object":"instagram","entry":[{"id":"1","messaging":[{"message":'
    rb'{"text":"\u00e4\u00f6\u00e5 \ud83d\ude80"}}]}]}'
)
LETTERS = '{"object":"instagram","entry":[{"id":"1","messaging":[{"message":{"text":"äöå 🚀"}}]}]}'.encode()

VECTORS = [
    (
        b'{"object":"instagram","entry":[]}',
        "sha256=4c166c139fb15bf4adbda063a21a4c7d870270ce3473257f03812313995045bd",
    ),
    (ESCAPED, "sha256=249da12fbd1e3b792d0ee38e31039808e7db9097fc19ed1c997b5fb7b0b7b49f"),
    (LETTERS, "sha256=96ad61ef2cf55678669aa199251c3fb06716b74a5713cbf27a9c9f660661e496"),
]

DELETION = (
    "MgChNJTM9CJ75wlk7iDsf-5_LH4rMfst5fvUhiJRiqg."
    "eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsImV4cGlyZXMiOjEyOTE4NDA0MDAsImlzc3VlZF9hdCI6MTI5MTgzNjgwMCwi"
    "dXNlcl9pZCI6IjIxODQ3MSJ9"
)

HANDSHAKE = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "aurora-token"}


class TestInstagramSecurity(ChannelSecurity):
    channel = Instagram()
    body = payload_bytes("instagram/hello")


def signed(payload: object, secret: str = SECRET) -> str:
    encoded = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    signature = hmac.digest(secret.encode(), encoded.encode(), hashlib.sha256)
    return f"{base64.urlsafe_b64encode(signature).decode().rstrip('=')}.{encoded}"


@pytest.mark.parametrize(("body", "header"), VECTORS)
def test_the_published_vectors_hold(body: bytes, header: str) -> None:
    assert sign_meta(body, SECRET) == header
    assert verify_meta(body, header, [SECRET]) == 0


def test_an_empty_secret_signs_nothing() -> None:
    with pytest.raises(ValueError, match="empty secret"):
        sign_meta(b"{}", "")


def test_a_deletion_request_says_whose_account_it_is() -> None:
    assert signed_request(DELETION, ["another", SECRET])["user_id"] == "218471"


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "abc",
        DELETION[:-1],
        "A" + DELETION[1:],
        DELETION + "=",
        DELETION.replace(".", ".."),
        "é." + DELETION,
        signed({"algorithm": "HMAC-SHA256"}, "another"),
        "A" * 5_000 + ".A",
        "!" + DELETION,
    ],
)
def test_a_forged_deletion_request_is_refused(value: str) -> None:
    with pytest.raises(BadSignature):
        signed_request(value, [SECRET, ""])


@pytest.mark.parametrize("payload", [{"algorithm": "none"}, {}, [], "text", None])
def test_a_signed_request_of_another_kind_is_not_read(payload: object) -> None:
    with pytest.raises(BadPayload):
        signed_request(signed(payload), [SECRET])


def test_the_handshake_is_answered_with_its_challenge() -> None:
    assert hub_challenge(HANDSHAKE, ["old-token", "aurora-token"]) == "1158201444"


@pytest.mark.parametrize(
    ("changed", "tokens"),
    [
        ({"hub.verify_token": "boreal-token"}, ["aurora-token"]),
        ({"hub.verify_token": ""}, [""]),
        ({"hub.verify_token": "tökén\ud800"}, ["aurora-token"]),
        ({}, []),
        ({"hub.mode": "unsubscribe"}, ["aurora-token"]),
        ({"hub.challenge": "<script>1</script>"}, ["aurora-token"]),
        ({"hub.challenge": ""}, ["aurora-token"]),
        ({"hub.challenge": "1\n"}, ["aurora-token"]),
        ({"hub.challenge": "１２"}, ["aurora-token"]),
        ({"hub.challenge": "1" * 65}, ["aurora-token"]),
    ],
)
def test_a_wrong_handshake_is_refused(changed: dict[str, str], tokens: list[str]) -> None:
    with pytest.raises(BadSignature):
        hub_challenge({**HANDSHAKE, **changed}, tokens)
