"""Does the world's own API keep its words, to the letter?"""

import hashlib
import hmac
from datetime import datetime

import pytest

from claimbot.sandbox.faults import Fault, Faults
from tests.sandbox.engine import Engine
from tests.sandbox.worlds import ACCOUNT, APP_SECRET, PAGE_ACCOUNT, Running


def test_a_dm_reaches_the_engine_signed_over_its_own_bytes(engine: Engine, world: Running) -> None:
    answer = world.api("/dm", follower="ana", text="LAUNCH ü 🚀")
    got = engine.wait_for(1)[0]
    digest = hmac.new(APP_SECRET.encode(), got.body, hashlib.sha256).hexdigest()
    assert answer == {"mid": got.event["message"]["mid"], "status": 200}
    assert got.path == "/webhooks/meta"
    assert got.headers["X-Hub-Signature-256"] == f"sha256={digest}"
    assert got.body.isascii()
    assert got.event["message"]["text"] == "LAUNCH ü 🚀"
    assert got.event["recipient"] == {"id": ACCOUNT}


def test_the_id_and_the_time_of_a_dm_may_be_given(engine: Engine, world: Running) -> None:
    answer = world.api("/dm", follower="ana", text="LAUNCH", mid="m1", sent_at="2026-11-20T10:00:00Z")
    assert answer["mid"] == "m1"
    assert engine.wait_for(1)[0].event["timestamp"] == 1_795_168_800_000
    assert world.phone("ana")[0]["at"] == "2026-11-20T10:00:00.000Z"


def test_the_same_id_twice_is_delivered_twice_and_shown_once(engine: Engine, world: Running) -> None:
    world.api("/dm", follower="ana", text="LAUNCH", mid="m1")
    world.api("/dm", follower="ana", text="LAUNCH", mid="m1")
    assert len(engine.wait_for(2)) == 2
    assert len(world.phone("ana")) == 1


def test_a_made_up_id_is_as_long_as_a_real_one(world: Running) -> None:
    assert 150 <= len(world.api("/dm", follower="ana", text="LAUNCH")["mid"]) <= 175


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"payload": "size:M"}, {"quick_reply": {"payload": "size:M"}}),
        (
            {"story": "179001"},
            {"reply_to": {"story": {"id": "179001", "url": "https://lookaside.example/story/179001"}}},
        ),
    ],
)
def test_a_tap_and_a_story_reply_have_metas_shape(
    engine: Engine, world: Running, told: dict[str, str], expected: dict[str, object]
) -> None:
    world.api("/dm", follower="ana", text="M", **told)
    message = engine.wait_for(1)[0].event["message"]
    assert {name: message[name] for name in expected} == expected


def test_a_postback_has_no_message(engine: Engine, world: Running) -> None:
    world.api("/dm", follower="ana", text="Join", payload="join", postback=True, mid="p1")
    event = engine.wait_for(1)[0].event
    assert event["postback"] == {"mid": "p1", "title": "Join", "payload": "join"}
    assert "message" not in event


def test_a_refused_dm_says_so_and_is_tried_again(engine: Engine, world: Running) -> None:
    engine.answers.append(503)
    assert world.api("/dm", follower="ana", text="LAUNCH", mid="m1")["status"] == 503
    assert engine.wait_for(2)[1].event["message"]["mid"] == "m1"


def test_a_refused_dm_is_not_tried_again_when_asked_not_to(engine: Engine, world: Running) -> None:
    engine.answers.append(503)
    world.api("/dm", follower="ana", text="LAUNCH", retry=False)
    assert world.get("/state")["deliveries"]["waiting"] == 0


def test_a_batch_is_one_post_with_an_entry_for_each_account(engine: Engine, world: Running) -> None:
    messages = [
        {"follower": "ana", "text": "LAUNCH"},
        {"follower": "ben", "text": "LAUNCH"},
        {"follower": "ana", "text": "LAUNCH", "account": PAGE_ACCOUNT},
    ]
    answer = world.api("/batch", messages=messages)
    entries = engine.wait_for(1)[0].told["entry"]
    assert answer["status"] == 200
    assert len(answer["mids"]) == 3
    assert [(entry["id"], len(entry["messaging"])) for entry in entries] == [(ACCOUNT, 2), (PAGE_ACCOUNT, 1)]


def test_a_follower_is_made_with_a_name_and_has_a_stable_id(world: Running) -> None:
    made = world.api("/followers", follower="ana", name="Ana Lima", follows=False)
    assert (made["follower"], made["name"], made["follows"]) == ("ana", "Ana Lima", False)
    assert made["igsid"].isdigit()
    assert world.write("ana") == made["igsid"]


def test_a_phone_shows_both_directions_with_buttons_and_choices(world: Running) -> None:
    igsid = world.write("ana")
    quick = {"content_type": "text", "title": "M", "payload": "size:M"}
    world.send({"id": igsid}, {"text": "Which size?", "quick_replies": [quick]})
    button = {"type": "web_url", "title": "Pay", "url": "https://pay.example/1"}
    payload = {"template_type": "button", "text": "Yours.", "buttons": [button]}
    world.send({"id": igsid}, {"attachment": {"type": "template", "payload": payload}})
    mine, asked, offered = world.phone("ana")
    assert (mine["direction"], mine["text"]) == ("in", "LAUNCH")
    assert asked["choices"] == [{"title": "M", "payload": "size:M"}]
    assert (offered["direction"], offered["text"]) == ("out", "Yours.")
    assert offered["buttons"] == [{"title": "Pay", "url": "https://pay.example/1"}]
    assert datetime.fromisoformat(offered["at"]) >= datetime.fromisoformat(mine["at"])


@pytest.mark.parametrize(("envelope", "has_changes"), [("changes", True), ("flat", False)])
def test_a_comment_comes_in_both_envelopes(
    engine: Engine, world: Running, envelope: str, has_changes: bool
) -> None:
    told = {"follower": "ana", "media": "179", "text": "LAUNCH", "comment_id": "c1", "envelope": envelope}
    answer = world.api("/comment", **told)
    entry = engine.wait_for(1)[0].told["entry"][0]
    inner = entry["changes"][0] if has_changes else entry
    assert answer == {"comment_id": "c1", "status": 200}
    assert ("changes" in entry) is has_changes
    assert inner["field"] == "comments"
    assert inner["value"]["id"] == "c1"


def test_a_live_comment_has_its_own_field(engine: Engine, world: Running) -> None:
    world.api("/comment", follower="ana", media="179", text="LAUNCH", live=True)
    assert engine.wait_for(1)[0].told["entry"][0]["changes"][0]["field"] == "live_comments"


def test_a_person_at_the_brand_echoes_with_an_unknown_id(engine: Engine, world: Running) -> None:
    answer = world.api("/echo", follower="ana", text="I will look into it")
    event = engine.wait_for(1)[0].event
    assert event["sender"] == {"id": ACCOUNT}
    assert event["message"] == {"mid": answer["mid"], "text": "I will look into it", "is_echo": True}
    assert world.phone("ana")[0]["direction"] == "out"


def test_unsend_and_reaction_are_told_about_the_message(engine: Engine, world: Running) -> None:
    world.api("/dm", follower="ana", text="LAUNCH", mid="m1")
    world.api("/followers/ana/react", mid="m1")
    world.api("/followers/ana/unsend", mid="m1")
    _, reacted, unsent = engine.wait_for(3)
    assert reacted.event["reaction"]["mid"] == "m1"
    assert unsent.event["message"] == {"mid": "m1", "is_deleted": True}
    assert world.phone("ana")[0]["text"] == ""


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("/dm", {"text": "LAUNCH"}, "missing_follower"),
        ("/dm", {"follower": "ana"}, "missing_text"),
        ("/dm", {"follower": "ana", "text": "x", "account": "1"}, "unknown_account"),
        ("/dm", {"follower": "ana", "text": "x", "sent_at": "soon"}, "bad_sent_at"),
        ("/batch", {"messages": []}, "bad_messages"),
        ("/comment", {"follower": "ana", "text": "x", "envelope": "round"}, "bad_envelope"),
        ("/faults", {"target": "graph", "fault": "rain"}, "unknown_fault"),
        ("/faults", {"target": "graph", "fault": "slow", "for_seconds": 0}, "bad_for_seconds"),
        ("/faults", {"target": "graph", "fault": "slow", "delay_seconds": -1}, "bad_delay_seconds"),
        ("/clock", {"advance_seconds": -1}, "time_goes_forward"),
        ("/followers/ana/unsend", {"mid": "none"}, "unknown_mid"),
    ],
)
def test_a_bad_request_says_what_is_wrong(
    world: Running, path: str, body: dict[str, object], word: str
) -> None:
    answer = world.http.post(f"/api{path}", json=body)
    assert (answer.status_code, answer.json()) == (400, {"error": word})


def test_a_page_from_elsewhere_cannot_drive_the_world(world: Running) -> None:
    headers = {"Origin": "https://elsewhere.example"}
    assert world.http.post("/api/reset", headers=headers).status_code == 403


def test_the_clock_moves_forward_and_everything_sees_it(world: Running) -> None:
    before = world.get("/clock")
    after = world.api("/clock", advance_seconds=3_600)
    assert 3_600 <= after["seconds"] - before["seconds"] < 3_660


def test_faults_are_listed_and_cleared(world: Running) -> None:
    world.fault("graph", "slow", times=2, delay_seconds=1.5)
    expected = {"target": "graph", "fault": "slow", "times": 2, "delay_seconds": 1.5, "percent": 100}
    assert world.get("/faults") == [expected]
    assert world.http.delete("/api/faults").json() == []


def test_a_fault_ends_by_itself_when_its_time_is_over() -> None:
    moments = iter([0.0, 19.9, 20.0, 20.0])
    faults = Faults(lambda: next(moments))

    faults.arm(Fault("graph", "slow", times=1_000, for_seconds=20.0))

    assert faults.take("graph", "slow") is not None
    assert faults.take("graph", "slow") is None
    assert faults.listed() == []


def test_how_long_a_fault_lasts_is_shown(world: Running) -> None:
    world.fault("graph", "slow", for_seconds=20.0)
    assert [one["for_seconds"] for one in world.get("/faults")] == [20.0]


def test_a_reset_forgets_everybody(world: Running) -> None:
    world.write("ana")
    world.api("/reset")
    assert world.get("/followers") == []
    assert world.get("/state")["sends_accepted"] == 0
