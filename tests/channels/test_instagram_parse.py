"""Does every real delivery become the right events?"""

import json
from dataclasses import replace

import pytest

from claimbot.channels import by_document, by_name, by_object
from claimbot.channels.body import read_json
from claimbot.channels.instagram import Instagram
from claimbot.channels.meta_parse import EVENTS_MAX
from claimbot.core.messages import Delivery, Inbound
from tests.channels.instagram_cases import READ_IN_PART, READ_WHOLE
from tests.channels.people import ANA, AURORA, PAYLOADS, RECEIVED_AT, payload_bytes

STORY_INSIGHTS = "story_insights"


def parsed(name: str) -> Delivery:
    return Instagram().parse(read_json(payload_bytes(f"instagram/{name}")), RECEIVED_AT)


def without_raw(events: tuple[Inbound, ...]) -> list[Inbound]:
    return [replace(event, raw="") for event in events]


def word(number: int) -> dict[str, object]:
    return {"sender": {"id": ANA}, "message": {"mid": f"mid.{number}", "text": "LAUNCH"}}


def test_every_payload_file_has_an_expectation() -> None:
    files = {path.stem for path in (PAYLOADS / "instagram").glob("*.json")}

    assert files == {*READ_WHOLE, *READ_IN_PART, STORY_INSIGHTS}


@pytest.mark.parametrize("name", READ_WHOLE)
def test_a_payload_becomes_the_expected_events(name: str) -> None:
    delivery = parsed(name)

    assert without_raw(delivery.events) == READ_WHOLE[name]
    assert delivery.quarantined == ()


@pytest.mark.parametrize("name", READ_IN_PART)
def test_a_broken_piece_is_kept_aside_and_its_neighbours_are_read(name: str) -> None:
    delivery = parsed(name)

    aside = [(piece.reason, piece.account_external_id) for piece in delivery.quarantined]
    assert ([event.event_id for event in delivery.events], aside) == READ_IN_PART[name]


def test_an_unknown_field_is_kept_and_ignored() -> None:
    (event,) = parsed(STORY_INSIGHTS).events

    assert event.ignored == "unknown"
    assert event.event_id.startswith("unknown:")


@pytest.mark.parametrize("name", [*READ_WHOLE, STORY_INSIGHTS])
def test_a_second_delivery_gets_the_same_event_ids(name: str) -> None:
    assert [e.event_id for e in parsed(name).events] == [e.event_id for e in parsed(name).events]


def test_the_raw_event_is_kept_as_one_line_of_json() -> None:
    (event,) = parsed("quick_reply").events

    assert "\n" not in event.raw
    assert json.loads(event.raw)["message"]["mid"] == "mid.tap"


def test_a_thousand_events_are_read_and_with_more_the_whole_is_kept_aside() -> None:
    words = [word(number) for number in range(EVENTS_MAX + 2)]
    document = {"object": "instagram", "entry": [{"id": AURORA, "messaging": words}]}
    delivery = Instagram().parse(document, RECEIVED_AT)

    assert len(delivery.events) == EVENTS_MAX
    assert [piece.reason for piece in delivery.quarantined] == ["too_many_events"]
    assert read_json(delivery.quarantined[0].raw.encode()) == document


@pytest.mark.parametrize("word", ["instagram", "page", ""])
def test_an_object_word_belongs_to_one_channel_or_none(word: str) -> None:
    expected = {"instagram": by_name("instagram")}

    assert by_object(word) is expected.get(word)


@pytest.mark.parametrize(
    ("name", "channel_name"),
    [("hello", "instagram"), ("array", "instagram"), ("dashboard_message", "instagram")],
)
def test_a_document_finds_its_channel(name: str, channel_name: str) -> None:
    assert by_document(read_json(payload_bytes(f"instagram/{name}"))) is by_name(channel_name)


def test_a_document_of_another_object_finds_no_channel() -> None:
    assert by_document({"object": "permissions"}) is None
