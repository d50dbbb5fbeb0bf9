"""What do the bytes of a verified webhook say?

A fast reader looks first. It refuses half a surrogate pair and takes long integers for floats, so one odd
emoji would cost the neighbours of its message as well: what it may not read well, the careful one reads.
"""

import json
import math
import re
from typing import NoReturn

import msgspec

from claimbot.core.errors import BadPayload

# WhatsApp documents bodies of up to 3 MB; nothing from Meta is larger.
BODY_BYTES_MAX = 4 * 1024 * 1024

# Real webhooks nest about ten levels deep.
DEPTH_MAX = 32

# Braces become square brackets, and what is neither a bracket nor a quote is deleted: only depth matters.
_TO_SQUARE = bytes.maketrans(b"{}", b"[]")
_NEITHER_BRACKET_NOR_QUOTE = bytes(b for b in range(256) if b not in b'[]{}"')

# Nineteen digits may not fit into 64 bits.
_LONG_NUMBER = re.compile(rb"[:,\[]\s*-?[0-9]{19}")

# What UTF-8 and PostgreSQL cannot store: half a surrogate pair, and NUL.
_UNSTORABLE = re.compile(r"[\ud800-\udfff\x00]")

# In valid JSON both can only be written as an escape, so a body without these needs no cleaning.
_MAY_BE_UNSTORABLE = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")


def read_json(body: bytes, max_depth: int = DEPTH_MAX) -> object:
    """The document, safe to store.

    Raises BadPayload: too_large, too_deep, not_utf8, number_too_long, not_json.
    """
    if len(body) > BODY_BYTES_MAX:
        raise BadPayload("too_large")
    openings = body.count(b"{") + body.count(b"[")
    if openings > max_depth and _is_deeper_than(body, max_depth):
        raise BadPayload("too_deep")
    document = _decode_fast(body)
    if document is _NOT_READ:
        document = _decode(_text(body))
    return _cleaned(document) if _MAY_BE_UNSTORABLE.search(body) else document


def clean_text(text: str) -> str:
    """The text as UTF-8 and PostgreSQL can hold it."""
    return _UNSTORABLE.sub(lambda found: "" if found[0] == "\x00" else "\ufffd", text)


def dump_json(value: object) -> str:
    """JSON on one line, for keeping. Real letters, so that a person can read it."""
    try:
        return msgspec.json.encode(value).decode()
    except (UnicodeEncodeError, OverflowError, RecursionError):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_NOT_READ = object()


def _decode_fast(body: bytes) -> object:
    if _LONG_NUMBER.search(body):
        return _NOT_READ
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _NOT_READ


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadPayload("not_utf8") from None


def _decode(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError:
        raise BadPayload("not_json") from None
    except ValueError:
        # Python refuses integers of more than 4,300 digits.
        raise BadPayload("number_too_long") from None
    except RecursionError:
        raise BadPayload("too_deep") from None


def _refuse_constant(_word: str) -> NoReturn:
    """NaN and Infinity are Python's words, not JSON's."""
    raise BadPayload("not_json")


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _is_deeper_than(body: bytes, max_depth: int) -> bool:
    """Brackets only, outside strings; a few linear passes in C, whatever the body holds.

    Escaped backslashes go first, then escaped quotes: what is left between quotes are strings. Of them only
    quotes and brackets are kept; two quotes in a row may go, for nothing changes sides by that.
    Taking away every "][" fills the valleys and keeps the peaks: what stays is "[[[…]]]", one "["
    for each level, in at most max_depth rounds when the body is not deeper. Wide valleys go first.
    """
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = plain.translate(_TO_SQUARE, _NEITHER_BRACKET_NOR_QUOTE).replace(b'""', b"")
    if b'"' in brackets:
        brackets = b"".join(brackets.split(b'"')[::2])
    for width in (16, 8, 4, 2, *[1] * max_depth):
        brackets = brackets.replace(b"]" * width + b"[" * width, b"")
        if b"][" not in brackets:
            break
    return brackets.count(b"[") > max_depth


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_cleaned(part) for part in value]
    if isinstance(value, dict):
        return {clean_text(key): _cleaned(part) for key, part in value.items()}
    return value
