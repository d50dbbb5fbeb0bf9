"""What happens to a hostile or broken body?"""

import json
import time
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimbot.channels.body import BODY_BYTES_MAX, DEPTH_MAX, read_json
from claimbot.channels.instagram import Instagram
from claimbot.channels.meta_parse import time_of
from claimbot.core.errors import BadPayload
from tests.channels.people import ANA, AURORA, RECEIVED_AT, SENT_AT, as_bytes

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

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
known_words = st.sampled_from(
    "message postback referral read reaction message_edit optin app_roles is_self mid text attachments "
    "reply_to story quick_reply payload ref sender recipient id timestamp is_echo is_deleted from media "
    "comment_id type ad_id".split()
)
events = st.recursive(
    json_values,
    lambda inner: st.dictionaries(known_words, inner, max_size=5) | st.lists(inner, max_size=2),
    max_leaves=10,
)
WHOLE = {"sender": {"id": ANA}, "timestamp": 1795168800000, "message": {"mid": "mid.whole", "text": "LAUNCH"}}


def reason_of(body: bytes, max_depth: int = DEPTH_MAX) -> str:
    """Why the body is refused; "" when it is read."""
    try:
        read_json(body, max_depth)
    except BadPayload as refused:
        return refused.reason
    return ""


def depth_of(value: object) -> int:
    if not isinstance(value, dict | list):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(depth_of, inner), default=0)


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


@pytest.mark.matrix(19)
@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.text(st.sampled_from('[]{}"\\:,01eu'), max_size=60).map(str.encode))
def test_arbitrary_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(BadPayload):
        Instagram().parse(read_json(body), RECEIVED_AT)


@settings(max_examples=300, deadline=None)
@given(json_values, st.sampled_from([1, 2, 3, 32]))
def test_depth_is_measured_as_a_reader_would(value: object, max_depth: int) -> None:
    body = json.dumps(value).replace("NaN", "0").replace("Infinity", "0").encode()

    assert (reason_of(body, max_depth) == "too_deep") == (depth_of(value) > max_depth)


@settings(max_examples=600, deadline=None)
@given(st.lists(events, max_size=3), st.lists(events, max_size=2), st.sampled_from(["messaging", "standby"]))
def test_no_broken_piece_costs_its_neighbour(before: list[object], changes: list[object], place: str) -> None:
    entry = {"id": AURORA, place: before, "changes": changes}
    document = {
        "object": "instagram",
        "entry": [entry, *before, {"id": AURORA, "messaging": [*before, WHOLE]}],
    }

    delivery = Instagram().parse(document, RECEIVED_AT)

    assert [event.sent_at for event in delivery.events if event.event_id == "mid.whole"] == [SENT_AT]
    assert len(delivery.events) + len(delivery.quarantined) >= 3 * len(before) + len(changes)


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
