"""Does each script's header say exactly what the body uses?

A single Redis does not notice a script that touches a key it did not declare; this page does.
"""

import re
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[1] / "claimbot" / "stock" / "lua").glob("*.lua"))
HEADER = re.compile(r"^-- (KEYS|ARGV)\[(\+?)(\d+)\] (\w+): .+?  +e\.g\. \S.*$", re.MULTILINE)
LOCALS = re.compile(r"^ *local ([\w, ]+) = ((?:(?:KEYS|ARGV)\[[^\]]+\](?:, )?)+)$", re.MULTILINE)
CALLS = re.compile(r"redis\.p?call\('(\w+)'(?:, ([^,)]+))?")
EACH = pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)


def split(script: Path) -> tuple[str, str]:
    """The comment on top, and the rest without comments."""
    lines = script.read_text("utf-8").splitlines()
    size = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    return "\n".join(lines[:size]), "\n".join(
        line for line in lines[size:] if not line.strip().startswith("--")
    )


def declared(script: Path) -> list[tuple[str, str]]:
    """What the header lists: `KEYS[1]`, `ARGV[1]`, `ARGV[+1]` with their names, in order."""
    return [
        (f"{kind}[{plus}{number}]", name) for kind, plus, number, name in HEADER.findall(split(script)[0])
    ]


def named(script: Path) -> list[tuple[str, str]]:
    """What the body gives a local name, written as the header would."""
    pairs = []
    for names, values in LOCALS.findall(split(script)[1]):
        pairs += zip(values.split(", "), names.split(", "), strict=True)
    return [(_as_header(value), name) for value, name in pairs]


def _as_header(value: str) -> str:
    group = re.fullmatch(r"ARGV\[i(?: \+ (\d+))?\]", value)
    return f"ARGV[+{int(group[1] or 0) + 1}]" if group else value


def keys_of(script: Path) -> set[str]:
    return {name for place, name in declared(script) if place.startswith("KEYS")}


def test_there_are_scripts():
    assert len(SCRIPTS) >= 9


@EACH
def test_the_header_lists_exactly_what_the_body_names(script):
    assert declared(script) == named(script)


@EACH
def test_no_line_of_the_header_is_misspelt(script):
    header = split(script)[0]
    assert len(re.findall(r"KEYS|ARGV", header)) == len(declared(script))


@EACH
def test_the_body_reaches_keys_only_through_their_names(script):
    body = split(script)[1]
    assert len(re.findall(r"KEYS", body)) == len(keys_of(script))
    touched = {target.strip() for verb, target in CALLS.findall(body) if verb != "TIME"}
    assert touched <= keys_of(script)


@EACH
def test_no_script_writes_a_second_key_that_it_built(script):
    body = split(script)[1]
    pairs = re.findall(r"redis\.call\('(?:RENAME|UNLINK|DEL)', (\w+), ([^)]+)\)", body)
    assert {name for pair in pairs for name in pair} <= keys_of(script)


@EACH
def test_every_reply_word_is_in_the_header_and_in_the_body(script):
    header, body = split(script)
    listed = re.findall(r"^-- REPLY (\w+): \S", header, re.MULTILINE)
    answered = re.findall(r"(?:return |answer = |reply = |reply, units = |units = )\{'(\w+)'", body)
    answered += re.findall(r"(?:return|and|or) \{?'(\w+)'", body)
    assert set(listed) == set(answered)
    assert len(listed) == len(set(listed))


@EACH
def test_a_group_of_arguments_is_walked_in_steps_of_its_size(script):
    group = [place for place, _ in declared(script) if "+" in place]
    fixed = [place for place, _ in declared(script) if place.startswith("ARGV") and "+" not in place]
    walked = re.findall(r"for i = (\d+), #ARGV, (\d+) do", split(script)[1])
    assert set(walked) <= {(str(len(fixed) + 1), str(len(group)))}
    assert bool(walked) == bool(group)


@EACH
def test_a_script_is_small(script):
    places = [place for place, _ in declared(script)]
    fixed = [place for place in places if "+" not in place]
    assert len(script.read_text("utf-8").splitlines()) <= 90
    assert len([place for place in fixed if place.startswith("KEYS")]) <= 5
    assert len([place for place in fixed if place.startswith("ARGV")]) <= 7
    assert max(len(line) for line in script.read_text("utf-8").splitlines()) <= 110


@EACH
def test_no_script_lets_stock_end_by_itself(script):
    assert not re.search(r"'P?EXPIRE|'SETEX|'PSETEX|'PX'|'EX'", split(script)[1])
