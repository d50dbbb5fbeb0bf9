"""Does a message find its drop, in every script and in every mode?"""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimbot.core.keywords import TEXT_CHARS, Keyword, Match, Mode, Vocabulary, clash, normalise, tokens
from tests.core.builders import few
from tests.core.vectors import MODES, SCRIPTS, VECTORS, Row


def vocabulary(*words: str, mode: Mode = Mode.WORD) -> Vocabulary:
    return Vocabulary([Keyword(f"drop of {word}", word, mode) for word in words])


def rest_of(match: Match | None) -> str | None:
    return None if match is None else " ".join(match.rest)


def found(row: Row) -> Row:
    keyword, message, _ = row
    return keyword, message, rest_of(vocabulary(keyword).match(message))


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_message_finds_its_keyword_or_does_not_in_any_script(script: str) -> None:
    assert [found(row) for row in SCRIPTS[script]] == list(SCRIPTS[script])


def test_the_vectors_cover_two_hundred_messages_in_twelve_scripts() -> None:
    assert len(VECTORS) >= 200
    assert len(SCRIPTS) >= 12


@pytest.mark.parametrize(("mode", "keyword", "message", "rest"), MODES)
def test_each_mode_takes_its_part_of_the_message(
    mode: Mode, keyword: str, message: str, rest: str | None
) -> None:
    assert rest_of(vocabulary(keyword, mode=mode).match(message)) == rest


@pytest.mark.parametrize(
    ("keywords", "message", "winner"),
    [
        (("golden", "golden hour"), "golden hour", "golden hour"),
        (("golden hour", "golden"), "golden hour", "golden hour"),
        (("golden", "golden hour"), "golden day", "golden"),
        (("red", "sun"), "sun and red", "sun"),
        (("red", "sun"), "red and sun", "red"),
        (("sun", "winter"), "sun in winter", "winter"),
        (("Sun", "SUN"), "sun", "Sun"),
        (("新品", "新品发售"), "我要新品发售", "新品发售"),
        (("新", "launch"), "新 launch", "launch"),
    ],
)
def test_the_longest_keyword_wins_then_the_earliest(
    keywords: tuple[str, ...], message: str, winner: str
) -> None:
    match = vocabulary(*keywords).match(message)
    assert match is not None
    assert match.keyword == winner


def test_modes_are_weighed_together() -> None:
    book = Vocabulary(
        [
            Keyword("exact", "sun", Mode.EXACT),
            Keyword("word", "sun"),
            Keyword("starts", "sun day", Mode.STARTS),
            Keyword("contains", "sun days off", Mode.CONTAINS),
        ]
    )
    found = [book.match(text) for text in ("sun", "a sun", "sun day", "my sun days off")]
    assert [match and match.drop_id for match in found] == ["exact", "word", "starts", "contains"]


def test_a_vocabulary_without_usable_words_matches_nothing() -> None:
    assert vocabulary("🔥", "", "!").match("🔥 !") is None


def test_the_keyword_is_told_as_the_brand_wrote_it() -> None:
    assert vocabulary("Été-24").match("ete 24") == Match("drop of Été-24", (), "Été-24")


def test_letters_after_a_thousand_are_not_read() -> None:
    assert vocabulary("launch").match("x" * TEXT_CHARS + " launch") is None


@pytest.mark.parametrize("letter", ["ﷺ", "é", "발", "🔥", "\u0301", "'", "."])
def test_a_flood_of_one_letter_stays_short(letter: str) -> None:
    assert len(normalise(letter * 50_000)) <= TEXT_CHARS


@few
@given(st.text(st.characters()))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@few
@given(st.lists(st.sampled_from("aé'’.,5٢か𝓐ﷺ\u0301\u200d\u00a0İß-́ ي"), max_size=12))
def test_normalising_awkward_neighbours_twice_changes_nothing(letters: list[str]) -> None:
    text = "".join(letters)
    assert normalise(normalise(text)) == normalise(text)


@few
@given(st.integers(0x80, sys.maxunicode - 300))
def test_runs_of_neighbouring_letters_are_stable(first: int) -> None:
    text = "".join(map(chr, range(first, first + 300)))
    assert normalise(normalise(text)) == normalise(text)


@few
@given(st.text(st.characters()))
def test_normalised_words_hold_no_blanks_controls_or_capitals(text: str) -> None:
    words = tokens(text)
    assert " ".join(words) == normalise(text)
    assert all(word.isprintable() and word == word.casefold() for word in words if word.isascii())


@few
@given(st.text(st.characters()), st.sampled_from(list(Mode)))
def test_any_message_may_be_matched_against_any_word(text: str, mode: Mode) -> None:
    match = vocabulary(text, mode=mode).match(text)
    assert (match is None) == (normalise(text) == "")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["Launch!"], "“Launch!” already belongs to the drop “Autumn”: choose another word."),
        (["new", "NÉW"], "“NÉW” is in the list twice: remove one of the two."),
        (["🔥"], "The keyword “🔥” has no letter or digit: write at least one."),
    ],
)
def test_a_word_that_is_taken_is_refused_by_name(words: list[str], fault: str) -> None:
    assert clash(words, {"launch": "Autumn"}) == [fault]


def test_free_words_do_not_clash() -> None:
    assert clash(["launch day", "launches"], {"launch": "Autumn"}) == []
