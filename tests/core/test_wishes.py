"""Are the variant and the quantity read as a person would, and do taps carry them safely?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimbot.core.commands import Command
from claimbot.core.drops import Drop
from claimbot.core.keywords import Keyword, Vocabulary, normalise
from claimbot.core.wishes import (
    PAYLOAD_BYTES,
    TALK,
    UNKNOWN_VARIANT,
    WHICH_VARIANT,
    Choice,
    Wish,
    make_choice,
    make_command,
    read_choice,
    read_command,
    read_wish,
)
from tests.core.builders import few, make_drop, make_variant

TEE = make_drop(
    variants=(
        make_variant("S", name="Small"),
        make_variant("M", name="Medium", aliases=("black", "the dark one")),
        make_variant("NB", name="Navy Blue"),
        make_variant("B", name="Blue"),
        make_variant("GR", name="Größe 44", aliases=("Übergröße",)),
    )
)
SHOE = make_drop("41", "42", "42.5")
POSTER = make_drop("A2")


def wish(message: str, drop: Drop) -> Wish:
    match = Vocabulary([Keyword(drop.id, "LAUNCH")]).match(message)
    assert match is not None
    return read_wish(match.rest, drop)


@pytest.mark.parametrize(
    ("message", "code", "quantity"),
    [
        ("launch m", "M", 1),
        ("Launch!! M x2", "M", 2),
        ("Launch!! x2 M", "M", 2),
        ("2 LAUNCH black", "M", 2),
        ("black launch 2x", "M", 2),
        ("2x launch s", "S", 2),
        ("s ×2 launch", "S", 2),
        ("launch 2 x small", "S", 2),
        ("launch ２ ｍ", "M", 2),
        ("launch m ٣", "M", 3),
        ("launch m 3️⃣", "M", 3),
        ("launch MEDIUM please", "M", 1),
        ("launch the black one pls!", "M", 1),
        ("launch the dark one", "M", 1),
        ("launch navy blue", "NB", 1),
        ("launch blue navy", "B", 1),
        ("launch navy-blue, 2 please", "NB", 2),
        ("launch ubergrosse", "GR", 1),
        ("launch GRÖSSE 44", "GR", 1),
        ("launch größe 44 x2", "GR", 2),
        ("hi, i'd love the launch in m 😍", "M", 1),
        ("launch m m", "M", 1),
        ("launch m 0", "M", 1),
        ("launch m x0", "M", 1),
        ("launch m x500", "M", 99),
        ("launch m 500", "M", 99),
        ("launch m 2024", "M", 1),
        ("launch m x2 3", "M", 2),
        ("launch m 3 x2", "M", 2),
        ("launch m 2 3", "M", 2),
        ("launch m asap 10115 berlin", "M", 1),
    ],
)
def test_variant_and_quantity_are_read_in_any_order(message: str, code: str, quantity: int) -> None:
    assert wish(message, TEE) == Wish(f"var_{code}", quantity)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("launch", Wish(None, 1, WHICH_VARIANT)),
        ("launch please", Wish(None, 1, WHICH_VARIANT)),
        ("I'm in, launch", Wish(None, 1, WHICH_VARIANT)),
        ("launch x2", Wish(None, 2, WHICH_VARIANT)),
        ("launch 2", Wish(None, 2, WHICH_VARIANT)),
        ("launch m or s", Wish(None, 1, WHICH_VARIANT)),
        ("launch s m x2", Wish(None, 2, WHICH_VARIANT)),
        ("launch my sister told me about it", Wish(None, 1, WHICH_VARIANT)),
        ("launch aaaaaaaaaaaaaaaaaaaaaaaaaaaa", Wish(None, 1, WHICH_VARIANT)),
        ("launch xl", Wish(None, 1, UNKNOWN_VARIANT)),
        ("launch purple please", Wish(None, 1, UNKNOWN_VARIANT)),
        ("launch 2x purple", Wish(None, 2, UNKNOWN_VARIANT)),
        ("launch 2xl", Wish(None, 1, UNKNOWN_VARIANT)),
    ],
)
def test_an_unclear_variant_is_asked_for(message: str, expected: Wish) -> None:
    assert wish(message, TEE) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("launch 42", Wish("var_42", 1)),
        ("launch 42 2", Wish("var_42", 2)),
        ("2 launch 42", Wish("var_42", 2)),
        ("launch 2x 42", Wish("var_42", 2)),
        ("launch 42,5", Wish("var_42.5", 1)),
        ("launch 42.5 x2", Wish("var_42.5", 2)),
        ("launch size 41 x3", Wish("var_41", 3)),
        ("launch 43", Wish(None, 1, UNKNOWN_VARIANT)),
        ("launch 41.5", Wish(None, 1, UNKNOWN_VARIANT)),
        ("launch 41 42", Wish(None, 1, WHICH_VARIANT)),
    ],
)
def test_sizes_that_are_numbers_are_not_taken_for_quantities(message: str, expected: Wish) -> None:
    assert wish(message, SHOE) == expected


@pytest.mark.parametrize(
    ("message", "quantity"),
    [("launch", 1), ("launch purple", 1), ("launch a2", 1), ("launch 2", 2), ("launch a2 x3 wow", 3)],
)
def test_a_drop_with_one_variant_never_asks(message: str, quantity: int) -> None:
    assert wish(message, POSTER) == Wish("var_A2", quantity)


def test_a_variant_that_is_also_talk_loses_to_a_clear_one() -> None:
    drop = make_drop("A", "C")
    assert wish("I want a launch in C", drop) == Wish("var_C", 1)
    assert wish("launch a", drop) == Wish("var_A", 1)


def test_words_of_talk_are_written_as_they_are_compared() -> None:
    assert {normalise(word) for word in TALK} == TALK


@few
@given(st.lists(st.text(max_size=8), max_size=8))
def test_any_rest_is_read_as_a_wish(rest: list[str]) -> None:
    found = read_wish(rest, TEE)
    assert 1 <= found.quantity <= 99
    assert (found.variant_id is None) == bool(found.problem)


ids = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
codes = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@few
@given(ids, codes, st.integers(1, 99))
def test_a_choice_is_read_back_as_it_was_made(drop_id: str, code: str, quantity: int) -> None:
    payload = make_choice(drop_id, code, quantity)
    assert read_choice(payload) == Choice(drop_id, code, quantity)
    assert len(payload.encode()) <= PAYLOAD_BYTES


@few
@given(st.text(st.characters()))
def test_any_text_is_a_safe_payload(text: str) -> None:
    assert read_choice(text) is None
    assert read_choice(f"cb1:pick:{text}") is None


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "cb1:pick:drp_a:M",
        "cb1:pick:drp_a:M:0",
        "cb1:pick:drp_a:M:02",
        "cb1:pick:drp_a:M:100",
        "cb1:pick:drp_a:M:2 ",
        "cb1:pick:drp_a:M:2\n",
        "cb1:pick:drp a:M:2",
        "cb1:pick::M:2",
        "cb1:pick:drp_a:%4D:2",
        "cb1:pick:drp_a:%e2%82%ac:2",
        "cb1:pick:drp_a:%FF:2",
        "cb1:pick:drp_a:%:2",
        "cb1:pick:drp_a:M:٢",
        "cb2:pick:drp_a:M:2",
        "CB1:PICK:drp_a:M:2",
        " cb1:pick:drp_a:M:2",
        f"cb1:pick:{'d' * 65}:M:2",
    ],
)
def test_a_payload_that_we_did_not_make_is_not_a_choice(payload: str) -> None:
    assert read_choice(payload) is None


@pytest.mark.parametrize(
    ("drop_id", "code", "quantity"),
    [
        ("", "M", 1),
        ("drp:a", "M", 1),
        ("d" * 65, "M", 1),
        ("drp_a", "ж" * 40, 1),
        ("drp_a", "M", 0),
        ("d", "M", 100),
    ],
)
def test_a_choice_that_could_not_be_read_back_is_not_made(drop_id: str, code: str, quantity: int) -> None:
    with pytest.raises(ValueError, match="a choice needs"):
        make_choice(drop_id, code, quantity)


@pytest.mark.parametrize("command", Command)
def test_a_command_button_is_read_back(command: Command) -> None:
    assert read_command(make_command(command)) is command


@pytest.mark.parametrize("payload", ["", "pass", "cb1:cmd:", "cb1:cmd:PASS", "cb1:cmd:pass ", "cb1:cmd:sell"])
def test_other_payloads_are_no_command(payload: str) -> None:
    assert read_command(payload) is None
