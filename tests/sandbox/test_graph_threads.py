"""Does the fake Graph show an account's conversations, and can its webhooks be lost as real ones are?"""

from typing import Any

from claimbot.channels.base import Page, Threads
from claimbot.channels.http import MetaHttp
from claimbot.channels.instagram import Instagram
from claimbot.core.messages import SendingAccount
from tests.sandbox.engine import Engine
from tests.sandbox.worlds import ACCOUNT, PAGE_ACCOUNT, PAGE_ID, PAGE_TOKEN, TOKEN, Running

FIELDS = "id,updated_time,messages.limit(20){id,created_time,from,to,message}"
SUBSCRIPTION = f"/graph/v25.0/{ACCOUNT}/subscribed_apps"


def conversations(world: Running, **told: Any) -> Any:
    query = {"platform": "instagram", "fields": FIELDS, "access_token": TOKEN, **told}
    return world.http.get("/graph/v25.0/me/conversations", params=query).json()


def subscribe(world: Running, fields: str = "messages,messaging_postbacks") -> None:
    told = {"access_token": TOKEN, "subscribed_fields": fields}
    assert world.http.post(SUBSCRIPTION, params=told).json() == {"success": True}


def test_a_conversation_shows_both_sides_the_latest_message_first(world: Running) -> None:
    igsid = world.write("ana")
    world.send({"id": igsid}, {"text": "Yours."})

    [thread] = conversations(world)["data"]

    answer, word = thread["messages"]["data"]
    assert (word["message"], answer["message"]) == ("LAUNCH", "Yours.")
    assert word["from"] == {"username": "ana", "id": igsid} == answer["to"]["data"][0]
    assert answer["from"] == {"username": "aurora.demo", "id": ACCOUNT} == word["to"]["data"][0]
    assert word["created_time"].endswith("+0000")
    assert word["id"] == world.phone("ana")[0]["mid"]


def test_the_latest_conversation_comes_first_and_pages_follow(world: Running) -> None:
    igsids = [world.write(who) for who in ("ana", "ben", "cleo")]

    first = conversations(world, limit=2)
    world.api("/clock", advance_seconds=1)
    last = conversations(world, limit=2, after=first["paging"]["cursors"]["after"])

    shown = [thread["messages"]["data"][0]["from"]["id"] for thread in (*first["data"], *last["data"])]
    assert shown == igsids[::-1]
    assert ("next" in first["paging"], "next" in last["paging"]) == (True, False)


def test_without_fields_a_conversation_is_an_id_and_a_time(world: Running) -> None:
    world.write("ana")
    answer = world.http.get("/graph/me/conversations", params={"access_token": TOKEN}).json()
    assert set(answer["data"][0]) == {"id", "updated_time"}


def test_what_was_taken_back_is_gone(world: Running) -> None:
    world.write("ana")
    world.api("/followers/ana/unsend", mid=world.phone("ana")[0]["mid"])
    assert conversations(world)["data"] == []


def test_more_than_two_calls_a_second_are_refused(world: Running) -> None:
    answers = [conversations(world) for _ in range(3)]
    assert [("error" in one) for one in answers] == [False, False, True]
    assert answers[2]["error"]["code"] == 613


def test_a_bad_page_is_refused(world: Running) -> None:
    assert conversations(world, after="nowhere")["error"]["code"] == 100
    assert conversations(world, limit="many")["error"]["code"] == 100


def test_the_engine_reads_the_conversations_of_a_page(world: Running) -> None:
    igsid = world.write("ana", account=PAGE_ACCOUNT)
    sender = SendingAccount("", "instagram", "page", PAGE_ACCOUNT, PAGE_ID, PAGE_TOKEN)
    http = MetaHttp(world.http, f"{world.url}/graph", f"{world.url}/graph")

    found = Instagram().threads(http, sender, Page(25), world.world.ground.clock.now())

    assert isinstance(found, Threads)
    [event] = found.delivery.events
    assert (event.follower_external_id, event.text) == (igsid, "LAUNCH")
    assert event.event_id == world.phone("ana")[0]["mid"]


def test_an_account_that_is_unsubscribed_is_told_nothing_until_it_subscribes(
    engine: Engine, world: Running
) -> None:
    subscribe(world)
    world.fault("graph", "unsubscribed")

    lost = world.api("/dm", follower="ana", text="LAUNCH")
    fields = world.http.get(SUBSCRIPTION, params={"access_token": TOKEN}).json()
    subscribe(world)
    told = world.api("/dm", follower="ana", text="again")

    assert (lost["status"], told["status"]) == (0, 200)
    assert fields == {"data": []}
    assert world.get("/state")["deliveries"]["unsubscribed"] == 1
    assert [one["text"] for one in world.phone("ana")] == ["LAUNCH", "again"]


def test_words_are_not_told_to_who_did_not_ask_for_them(engine: Engine, world: Running) -> None:
    subscribe(world, "comments")
    assert world.api("/dm", follower="ana", text="LAUNCH")["status"] == 0
    assert world.api("/comment", follower="ana", text="LAUNCH")["status"] == 200


def test_a_fault_may_strike_every_tenth_time(engine: Engine, world: Running) -> None:
    world.fault("graph", "webhook_drop", times=3, percent=10)
    statuses = [world.api("/dm", follower="ana", text=f"{number}")["status"] for number in range(40)]
    assert [number for number, status in enumerate(statuses, 1) if status == 0] == [10, 20, 30]


def test_a_share_of_nothing_is_refused(world: Running) -> None:
    answer = world.http.post("/api/faults", json={"target": "graph", "fault": "webhook_drop", "percent": 0})
    assert (answer.status_code, answer.json()) == (400, {"error": "bad_percent"})


def test_a_message_may_be_lost_where_an_echo_is_not(engine: Engine, world: Running) -> None:
    world.fault("graph", "message_drop", times=2, percent=50)

    statuses = [
        world.api("/dm", follower="ana", text=str(number), retry=False)["status"] for number in range(4)
    ]
    igsid = next(one["igsid"] for one in world.get("/followers"))
    world.fault("graph", "message_drop")
    world.send({"id": igsid}, {"text": "echoed"})

    assert statuses == [200, 0, 200, 0]
    assert engine.wait_for(3)[2].event["message"]["is_echo"] is True
