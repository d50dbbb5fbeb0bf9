"""Is every text, tap, amount and signature read or refused, whoever typed it?"""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from claimbot.channels.signing import hub_challenge, sign_meta, signed_request, verify_meta
from claimbot.core.commands import Command
from claimbot.core.errors import BadSignature
from claimbot.core.keywords import normalise, tokens
from claimbot.core.money import Money, plain, read_amount
from claimbot.core.wishes import make_choice, make_command, read_choice, read_command, read_wish
from tests.core.builders import make_drop
from tests.fuzz import thorough

SECRET = "the-app-secret"
WEIRD = st.sampled_from(
    ["\ufdfa", "\u0301", "\u200d", "\u202e", "𝐋", "ß", "İ", "x2", "½", "٣", "M", "s", " ", "\x00", "LAUNCH"]
)
TEXTS = st.text(max_size=40) | st.lists(WEIRD, max_size=12).map("".join)
DROP = make_drop("S", "M", "2XL")


def typed_again(money: Money) -> str:
    """As it is written, without its currency."""
    return plain(money).rpartition(" ")[0]


@thorough
@given(TEXTS)
def test_a_text_that_was_made_plain_is_plain(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert all(token and token == normalise(token) for token in tokens(text))


@thorough
@given(st.lists(TEXTS, max_size=6))
def test_a_wish_is_for_a_variant_that_there_is_and_for_one_at_least(words: list[str]) -> None:
    wish = read_wish([token for word in words for token in tokens(word)], DROP)
    assert wish.quantity >= 1
    assert wish.variant_id in {"", None, *(variant.id for variant in DROP.variants)}


@thorough
@given(TEXTS)
def test_a_tap_that_we_did_not_make_is_none_of_ours(payload: str) -> None:
    choice, command = read_choice(payload), read_command(payload)
    assert choice is None or make_choice(choice.drop_id, choice.variant_code, choice.quantity) == payload
    assert command is None or make_command(command) == payload


@thorough
@given(st.text(st.characters(categories=["L", "N"]), max_size=12), st.integers(1, 99))
def test_a_tap_that_we_made_says_what_we_meant(code: str, quantity: int) -> None:
    found = read_choice(make_choice("drp_1", code or "ONE", quantity))
    assert found is None or (found.drop_id, found.variant_code, found.quantity) == (
        "drp_1",
        code or "ONE",
        quantity,
    )
    assert {read_command(make_command(one)) for one in Command} == set(Command)


@thorough
@given(TEXTS | st.text("0123456789.,' -+e", max_size=14), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_an_amount_is_what_was_typed_or_nothing(typed: str, currency: str) -> None:
    money = read_amount(typed, currency)
    assert money is None or read_amount(typed_again(money), currency) == money


@thorough
@given(st.integers(0, 10**9), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_every_amount_is_read_back_as_it_is_written(minor: int, currency: str) -> None:
    assert read_amount(typed_again(Money(minor, currency)), currency) == Money(minor, currency)


@thorough
@given(st.binary(max_size=60), st.none() | TEXTS, st.integers(0, 70))
def test_no_signature_but_the_right_one_is_believed(body: bytes, header: str | None, place: int) -> None:
    good = sign_meta(body, SECRET)
    assert verify_meta(body, good, [SECRET]) == 0
    bent = good[:place] + ("0" if good[place : place + 1] != "0" else "1") + good[place + 1 :]
    for forged in (header, bent):
        with suppress(BadSignature):
            verify_meta(body, forged, [SECRET])
            raise AssertionError("a forgery was believed")


@thorough
@given(TEXTS, st.dictionaries(st.sampled_from(["hub.mode", "hub.challenge", "hub.verify_token"]), TEXTS))
def test_nobody_asks_for_deletion_or_a_handshake_without_the_secret(value: str, args: dict[str, str]) -> None:
    with suppress(BadSignature):
        signed_request(value, [SECRET])
        raise AssertionError("a forged request was believed")
    with suppress(BadSignature):
        hub_challenge(args, [SECRET])
        assert args["hub.verify_token"] == SECRET
