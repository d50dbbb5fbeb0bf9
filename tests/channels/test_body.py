"""What happens to a hostile or broken body?"""

import json
import time
from datetime import datetime, timedelta

import pytest

from claimbot.channels.body import BODY_BYTES_MAX, DEPTH_MAX, read_json
from claimbot.channels.meta_parse import time_of
from claimbot.core.errors import BadPayload
from tests.channels.people import RECEIVED_AT, SENT_AT, as_bytes

REFUSED = [
    (b"", "not_json"),
    (b"not json", "not_json"),
    (b'{"a":1', "not_json"),
    (b'{"a":1}}', "not_json"),
    (b"{'a':1}", "not_json"),
    (b'{"a":NaN}', "not_json"),
    (b"[Infinity]", "not_json"),
    (b"[-Infinity]", "not_json"),
    (b'"\x00"', "not_json"),
    (b'"a\nb"', "not_json"),
    (b"\xef\xbb\xbf{}", "not_json"),
    (b'"\xff"', "not_utf8"),
    (b'"\xed\xa0\x80"', "not_utf8"),
    (b'"\xc0\xaf"', "not_utf8"),
    ('"ä"'.encode("utf-16"), "not_utf8"),
    (b"9" * 5_000, "number_too_long"),
    (b"[" * 33 + b"]" * 33, "too_deep"),
    (b"[" * 200_000, "too_deep"),
    (b'{"a":' * 33 + b"1" + b"}" * 33, "too_deep"),
    (b'["\\\\",' + b"[" * 32 + b"]" * 32 + b"]", "too_deep"),
    (b" " * (BODY_BYTES_MAX + 1), "too_large"),
]

READ = [
    (b"[" * 32 + b"]" * 32, json.loads("[" * 32 + "]" * 32)),
    (as_bytes("[" * 500), "[" * 500),
    (as_bytes('\\"' + "[" * 500), '\\"' + "[" * 500),
    (b"[" + b"[]," * 99 + b"[]]", [[]] * 100),
    (b'"\\ud83d\\ude80"', "🚀"),
    (b'"a\\ud83d"', "a\ufffd"),
    (b'"\\ude80\\ud83d"', "\ufffd\ufffd"),
    (b'"a\\u0000b"', "ab"),
    (b'{"\\u0000k\\ud800":["\\udfff"]}', {"k\ufffd": ["\ufffd"]}),
    (b'"\\\\ud800"', "\\ud800"),
    (b"[1e999,-1e999]", [None, None]),
    (b"9" * 4_000, int("9" * 4_000)),
    (b'{"a":1,"a":2}', {"a": 2}),
]

MEGABYTES_3 = 3 * 1024 * 1024
HEAVY = [
    b'"' + b"a" * MEGABYTES_3 + b'"',
    b'"' + b"\\u0440" * (MEGABYTES_3 // 6) + b'"',
    b'"' + b'\\"' * (MEGABYTES_3 // 2) + b'"',
    b"[" * MEGABYTES_3,
    b"]" * MEGABYTES_3,
    b"{[" * (MEGABYTES_3 // 2),
]


def reason_of(body: bytes, max_depth: int = DEPTH_MAX) -> str:
    """Why the body is refused; "" when it is read."""
    try:
        read_json(body, max_depth)
    except BadPayload as refused:
        return refused.reason
    return ""


@pytest.mark.parametrize(("body", "reason"), REFUSED)
def test_a_body_that_cannot_be_read_is_refused_with_a_reason(body: bytes, reason: str) -> None:
    assert reason_of(body) == reason


@pytest.mark.parametrize(("body", "document"), READ)
def test_an_odd_body_is_read_and_safe_to_store(body: bytes, document: object) -> None:
    assert read_json(body) == document


@pytest.mark.parametrize("body", HEAVY)
def test_three_hostile_megabytes_take_less_than_half_a_second(body: bytes) -> None:
    start = time.process_time()
    reason_of(body)
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, "", "soon", [], {}, 0, -1, 5, 1e308, float("nan"), float("inf"), 10**400, "9" * 50),
        *("2014-12-31T23:59:59+0000", "0001-01-01T00:00:00+23:59", "２０２６"),
        SENT_AT.timestamp() + 2 * 86_400,
    ],
)
def test_an_implausible_time_is_no_time(value: object) -> None:
    assert time_of(value, RECEIVED_AT) is None


@pytest.mark.parametrize(
    ("value", "time"),
    [
        (1795168800000, SENT_AT),
        (1795168800123, SENT_AT + timedelta(milliseconds=123)),
        (1795168800, SENT_AT),
        (1795168800.5, SENT_AT + timedelta(seconds=0.5)),
        ("1795168800", SENT_AT),
        (" 1795168800000 ", SENT_AT),
        ("2026-11-20T10:00:00+0000", SENT_AT),
        ("2026-11-20T11:00:00+01:00", SENT_AT),
        ("2026-11-20T10:00:00Z", SENT_AT),
        ("2026-11-20T10:00:00", SENT_AT),
    ],
)
def test_a_time_is_read_in_every_form_that_meta_writes(value: object, time: datetime) -> None:
    assert time_of(value, RECEIVED_AT) == time
