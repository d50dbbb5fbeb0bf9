"""Does everything with a true signature get a 200, is it kept, and does it end in exactly one outcome?"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claimbot.flows.spool import META, read_delivery
from tests.channels.people import RECEIVED_AT
from tests.web.doors import PAYLOADS, Doors, as_body, hello

SAMPLES = sorted(path.name for path in PAYLOADS.glob("*.json"))
LONG_NUMBER = b"9" * 5_000
HELLO = as_body(hello())

# Signed rubbish that is kept as one quarantined row.
RUBBISH: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b"  \n",
    "not JSON": b"object=instagram&entry=1",
    "half of a delivery": HELLO[: len(HELLO) // 2],
    "two deliveries": HELLO + HELLO,
    "not UTF-8": b'{"object": "instagram", "entry": "\xff\xfe"}',
    "NUL bytes": b"\x00\x00\x00",
    "200,000 brackets": b"[" * 200_000,
    "200,000 braces": b'{"a":' * 200_000,
    "deep, but whole": b'{"object":"instagram","entry":' + b"[" * 40 + b"]" * 40 + b"}",
    "a number of 5,000 digits": b'{"object":"instagram","entry":[' + LONG_NUMBER + b"]}",
    "NaN": b'{"object":"instagram","entry":[NaN]}',
    "Infinity": b'{"object":"instagram","entry":-Infinity}',
    "a number": b"17",
    "a text": b'"instagram"',
    "null": b"null",
    "true": b"true",
    "three megabytes of a text": b'"' + b"x" * (3 * 1024 * 1024) + b'"',
    "three megabytes of commas": b"[" + b"," * (3 * 1024 * 1024) + b"]",
    "another object": as_body({**hello(), "object": "page"}),
    "an object word of NUL": b'{"object":"\\u0000","entry":[]}',
    "an object word of half a pair": b'{"object":"\\ud800","entry":[]}',
    "an object word that is a list": b'{"object":["instagram"],"entry":[]}',
    "entry is a text": b'{"object":"instagram","entry":"x"}',
    "entry is null": b'{"object":"instagram","entry":null}',
    "entry is missing": b'{"object":"instagram"}',
    "an entry is a number": b'{"object":"instagram","entry":[7]}',
    "messaging is a text": b'{"object":"instagram","entry":[{"id":"17841478000000001","messaging":"x"}]}',
    "an event is null": b'{"object":"instagram","entry":[{"id":"17841478000000001","messaging":[null]}]}',
    "changes is an object": b'{"object":"instagram","entry":[{"id":"17841478000000001","changes":{}}]}',
}


@pytest.mark.matrix(19)
@pytest.mark.parametrize("name", RUBBISH)
def test_signed_rubbish_is_kept_as_one_quarantined_row(doors: Doors, name: str) -> None:
    body = RUBBISH[name]

    assert doors.hook(body).status == 200
    assert [outcome for outcome, _ in doors.outcomes()] == ["quarantined"]
    assert doors.rows("SELECT count(*) FROM alerts") == [(1,)]
    assert doors.rows("SELECT length(raw) > 0 FROM inbox") == [(len(body) > 0,)]


ODD: dict[str, bytes] = {
    "half a pair": as_body(hello(words="LAUNCH \ud800")),
    "a NUL": as_body(hello(words="LAUNCH \x00")),
    "50,000 letters": as_body(hello(words="LAUNCH " + "x" * 50_000)),
    "one letter that grows to 18": as_body(hello(words="\ufdfa" * 1_000)),
    "marks upon marks": as_body(hello(words="L" + "\u0301" * 5_000)),
    "a message id of 10,000 letters": as_body(hello(mid="m" * 10_000)),
    "a message id of half a pair": as_body(hello(mid="mid.\udc00")),
    "unknown fields everywhere": as_body({**hello(), "new": {"a": [1]}, "time": 1e308}),
    "a huge time": HELLO.replace(b'"timestamp": 1', b'"timestamp": ' + b"9" * 400 + b"1"),
    "a negative time": HELLO.replace(b'"timestamp": 1', b'"timestamp": -1'),
    "a time with a point": HELLO.replace(b'"timestamp": 1', b'"timestamp": 0.1'),
    "a float that is infinite": HELLO.replace(b'"timestamp": 1', b'"timestamp": 1e9991'),
    "a sender that is a list": HELLO.replace(b'{"id": "9010000000000011"}', b'["9010000000000011"]'),
    "a sender id that is a number": HELLO.replace(b'"9010000000000011"', b"9010000000000011"),
    "a text that is a number": HELLO.replace(b'"LAUNCH"', b"17"),
    "a text that is an object": HELLO.replace(b'"LAUNCH"', b'{"a": "LAUNCH"}'),
    "a text that is null": HELLO.replace(b'"LAUNCH"', b"null"),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_message_ends_in_one_outcome(doors: Doors, name: str) -> None:
    assert doors.hook(ODD[name]).status == 200
    (ending,) = doors.outcomes()
    assert ending[0] != ""


@pytest.mark.parametrize("name", SAMPLES)
def test_every_event_of_a_real_delivery_has_one_outcome(sqlite_doors: Doors, name: str) -> None:
    sqlite_doors.hands.at = RECEIVED_AT
    body = (PAYLOADS / name).read_bytes()
    said = read_delivery(META, body, RECEIVED_AT)
    events = {(one.account_external_id, one.event_id) for one in said.events}

    assert sqlite_doors.hook(body).status == 200
    outcomes = [outcome for outcome, _ in sqlite_doors.outcomes()]
    assert len(outcomes) == len(events) + len(said.quarantined)
    assert "" not in outcomes


def test_all_real_deliveries_are_stored_on_postgresql_once(postgresql_doors: Doors) -> None:
    postgresql_doors.hands.at = RECEIVED_AT
    bodies = [(PAYLOADS / name).read_bytes() for name in SAMPLES]
    first = {postgresql_doors.hook(body).status for body in bodies}
    stored = postgresql_doors.rows("SELECT count(*) FROM inbox")

    again = {postgresql_doors.hook(body).status for body in bodies}

    assert first == again == {200}
    assert postgresql_doors.rows("SELECT count(*) FROM inbox") == stored
    assert postgresql_doors.rows("SELECT count(*) FROM inbox WHERE outcome = ''") == [(0,)]


KEYS = st.sampled_from(
    "object entry id time messaging standby changes field value sender recipient timestamp message mid text "
    "postback payload referral ref read reaction message_edit attachments is_echo quick_reply".split()
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.matrix(19)
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(found=ANYTHING)
def test_whatever_an_event_holds_the_answer_is_200(postgresql_doors: Doors, found: object) -> None:
    document = hello()
    document["entry"][0]["messaging"].append(found)

    assert postgresql_doors.hook(as_body(document)).status == 200
