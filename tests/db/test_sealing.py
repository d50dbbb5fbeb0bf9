"""What is sealed opens in its place, with a key of the ring, and nowhere else."""

import base64

import pytest

from claimbot.core.errors import Ours
from claimbot.db.sealing import Sealer

OLD, NEW, FOREIGN = (letter * 32 for letter in (b"o", b"n", b"f"))
PLACE = "accounts/token/acc_1"


def test_a_sealed_secret_opens_in_its_place() -> None:
    sealer = Sealer([NEW])
    assert sealer.unseal(sealer.seal("a token", PLACE), PLACE) == "a token"


@pytest.mark.parametrize(
    "elsewhere", ["accounts/token/acc_2", "accounts/app_secret/acc_1", "brands/token/acc_1", ""]
)
def test_a_sealed_secret_does_not_open_elsewhere(elsewhere: str) -> None:
    sealer = Sealer([NEW])
    with pytest.raises(Ours):
        sealer.unseal(sealer.seal("a token", PLACE), elsewhere)


def test_a_new_first_key_opens_what_the_old_one_sealed() -> None:
    sealed = Sealer([OLD]).seal("a token", PLACE)
    assert Sealer([NEW, OLD]).unseal(sealed, PLACE) == "a token"


def test_the_first_key_seals() -> None:
    sealed = Sealer([NEW, OLD]).seal("a token", PLACE)
    assert Sealer([NEW]).unseal(sealed, PLACE) == "a token"


def test_a_removed_key_is_named_without_the_secret() -> None:
    sealed = Sealer([OLD]).seal("a token", PLACE)
    with pytest.raises(Ours, match="ENCRYPTION_KEYS opens accounts") as caught:
        Sealer([NEW, FOREIGN]).unseal(sealed, PLACE)
    assert "a token" not in str(caught.value)


@pytest.mark.parametrize("garbage", ["a token", "%%%", base64.b64encode(b"short").decode(), "é"])
def test_what_was_never_sealed_does_not_open(garbage: str) -> None:
    with pytest.raises(Ours):
        Sealer([NEW]).unseal(garbage, PLACE)


def test_a_changed_byte_does_not_open() -> None:
    sealer = Sealer([NEW])
    raw = bytearray(base64.b64decode(sealer.seal("a token", PLACE)))
    raw[-1] ^= 1
    with pytest.raises(Ours):
        sealer.unseal(base64.b64encode(raw).decode(), PLACE)


def test_the_same_secret_never_looks_the_same() -> None:
    sealer = Sealer([NEW])
    assert sealer.seal("a token", PLACE) != sealer.seal("a token", PLACE)


def test_nothing_is_sealed_as_nothing() -> None:
    sealer = Sealer([NEW])
    assert sealer.unseal(sealer.seal("", PLACE), PLACE) == ""


def test_keys_are_not_shown() -> None:
    assert repr(Sealer([NEW, OLD])) == "Sealer(2 keys)"
