"""Is every body of the platform read or refused, and does a broken piece cost its neighbours nothing?"""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimbot.channels.body import read_json
from claimbot.channels.instagram import Instagram
from claimbot.core.errors import BadPayload
from tests.channels.people import ANA, AURORA, RECEIVED_AT, SENT_AT
from tests.channels.test_body import reason_of
from tests.fuzz import thorough

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
known_words = st.sampled_from(
    "message postback referral read reaction message_edit optin app_roles is_self mid text attachments "
    "reply_to story quick_reply payload ref sender recipient id timestamp is_echo is_deleted from media "
    "comment_id type ad_id".split()
)
events = st.recursive(
    json_values,
    lambda inner: st.dictionaries(known_words, inner, max_size=4) | st.lists(inner, max_size=2),
    max_leaves=5,
)
WHOLE = {"sender": {"id": ANA}, "timestamp": 1795168800000, "message": {"mid": "mid.whole", "text": "LAUNCH"}}


def depth_of(value: object) -> int:
    if not isinstance(value, dict | list):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(depth_of, inner), default=0)


@pytest.mark.matrix(19)
@thorough
@given(st.binary(max_size=200) | st.text(st.sampled_from('[]{}"\\:,01eu'), max_size=60).map(str.encode))
def test_arbitrary_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(BadPayload):
        Instagram().parse(read_json(body), RECEIVED_AT)


@thorough
@given(json_values, st.sampled_from([1, 2, 3, 32]))
def test_depth_is_measured_as_a_reader_would(value: object, max_depth: int) -> None:
    body = json.dumps(value).replace("NaN", "0").replace("Infinity", "0").encode()

    assert (reason_of(body, max_depth) == "too_deep") == (depth_of(value) > max_depth)


@thorough
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
