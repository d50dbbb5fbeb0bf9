"""Are the files of others what they were when they were released, and is their licence beside them?"""

import hashlib
import re

import pytest

from claimbot.web.pages import STATIC

VENDOR = STATIC / "vendor"
NOTES = (VENDOR / "README.md").read_text("utf-8")
ROWS = re.findall(r"^\| `([^`]+)` \| (\S+) (\S+) \| (\S+) \| `([0-9a-f]{64})` \|$", NOTES, re.MULTILINE)


@pytest.mark.parametrize(("name", "digest"), [(row[0], row[4]) for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_file_is_as_it_was_released(name: str, digest: str) -> None:
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest
    assert (VENDOR / name).with_name("LICENSE").is_file()


def test_every_file_is_in_the_table() -> None:
    found = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}

    assert {name for name in found if not name.endswith(("LICENSE", "README.md"))} == {row[0] for row in ROWS}
