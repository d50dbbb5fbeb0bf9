"""Is README true? Its tables are made from the code, and the files that it names are there."""

import re
from pathlib import Path

import pytest

from tests.readme_tables import PROMISES, README, TABLES, channel_names, written

TEXT = README.read_text(encoding="utf-8")


def test_every_table_says_what_the_code_says() -> None:
    assert written(TEXT) == TEXT


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_in_readme(name: str) -> None:
    assert f"<!-- {name} -->\n|" in TEXT


def test_the_channels_are_the_registered_ones() -> None:
    section = TEXT.split("## Channels", 1)[1].split("\n## ", 1)[0]
    named = set(re.findall(r"^\| (\w+) \|", section, re.M)) - {"Channel"}

    assert named == channel_names()


@pytest.mark.parametrize("path", sorted({promise[3] for promise in PROMISES}))
def test_the_test_of_a_promise_is_there(path: str) -> None:
    assert (Path(README).parent / path).is_file()
