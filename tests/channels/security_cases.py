"""What must every channel refuse? Inherited by each channel's own test class."""

import json

import pytest

from claimbot.channels.base import Channel
from claimbot.channels.signing import sign_meta
from claimbot.core.errors import BadSignature

SECRET = "aurora_app_secret"
REPLACED = "aurora_app_secret_before"
STRANGER = "boreal_app_secret"

FORGED_HEADERS = {
    "missing": None,
    "empty": "",
    "only the prefix": "sha256=",
    "no prefix": sign_meta(b"{}", SECRET).removeprefix("sha256="),
    "another prefix": sign_meta(b"{}", SECRET).replace("sha256", "sha512"),
    "the old sha1 form": "sha1=2c1b3e0f5a3bb0b1b1d1bd4b1f1c8a6f5e4d3c2b",
    "one digit changed": sign_meta(b"{}", SECRET)[:-1] + "x",
    "one digit less": sign_meta(b"{}", SECRET)[:-1],
    "one digit more": sign_meta(b"{}", SECRET) + "0",
    "upper case": sign_meta(b"{}", SECRET).upper(),
    "a blank before": " " + sign_meta(b"{}", SECRET),
    "twice": f"{sign_meta(b'{}', SECRET)},{sign_meta(b'{}', SECRET)}",
    "of another body": sign_meta(b"[]", SECRET),
    "of a stranger": sign_meta(b"{}", STRANGER),
    "letters beyond ASCII": "sha256=" + "é" * 64,
    "full-width digits": "sha256=" + "１" * 64,
    "half a surrogate pair": "sha256=\ud800",
    "a NUL": "sha256=\x00",
    "very long": "sha256=" + "0" * 100_000,
}


class ChannelSecurity:
    """Give it `channel` and `body`, a real delivery of the channel."""

    channel: Channel
    body: bytes

    def test_a_signed_delivery_is_accepted(self) -> None:
        assert self.channel.verify(self.body, sign_meta(self.body, SECRET), [SECRET]) == 0

    def test_while_a_secret_is_replaced_both_may_sign_and_it_shows_which_did(self) -> None:
        header = sign_meta(self.body, REPLACED)

        assert self.channel.verify(self.body, header, [SECRET, REPLACED]) == 1

    @pytest.mark.parametrize("name", FORGED_HEADERS)
    def test_a_forged_header_is_refused(self, name: str) -> None:
        with pytest.raises(BadSignature):
            self.channel.verify(b"{}", FORGED_HEADERS[name], [SECRET])

    @pytest.mark.parametrize("place", [0, 40, -1])
    def test_a_body_changed_by_one_bit_is_refused(self, place: int) -> None:
        changed = bytearray(self.body)
        changed[place] ^= 1

        with pytest.raises(BadSignature):
            self.channel.verify(bytes(changed), sign_meta(self.body, SECRET), [SECRET])

    def test_a_body_that_was_read_and_written_again_is_refused(self) -> None:
        rewritten = json.dumps(json.loads(self.body)).encode()

        with pytest.raises(BadSignature):
            self.channel.verify(rewritten, sign_meta(self.body, SECRET), [SECRET])

    def test_an_account_with_its_own_secret_refuses_a_strangers_signature(self) -> None:
        with pytest.raises(BadSignature):
            self.channel.verify(self.body, sign_meta(self.body, STRANGER), [SECRET])

    @pytest.mark.parametrize("secrets", [[], [""], ["", ""]])
    def test_without_a_secret_nothing_is_accepted(self, secrets: list[str]) -> None:
        signed_with_nothing = "sha256=" + "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"

        with pytest.raises(BadSignature):
            self.channel.verify(b"", signed_with_nothing, secrets)

    def test_the_refusal_shows_neither_the_signature_nor_the_secret(self) -> None:
        with pytest.raises(BadSignature) as refused:
            self.channel.verify(self.body, sign_meta(b"other", SECRET), [SECRET])

        assert str(refused.value) == "the signature does not match"
