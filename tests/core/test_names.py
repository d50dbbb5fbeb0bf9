"""The words of a name are the same whoever writes it down."""

import pytest

from claimbot.core.names import DIVIDERS, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@Ann.Lee", ("ann", "lee")),
        ("Ann Lee", ("ann", "lee")),
        ("ann@post.test", ("ann", "post", "test")),
        ("O'Brien-Müller_7", ("o", "brien", "müller", "7")),
        ("ann ann", ("ann",)),
        (DIVIDERS, ()),
        ("", ()),
    ],
)
def test_a_name_falls_apart_at_its_signs(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words
