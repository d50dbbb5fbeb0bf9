"""Does the fake Graph keep the real rules, and does it misbehave exactly as asked?"""

from typing import Any

import httpx
import pytest

from claimbot.channels.http import MetaHttp, open_client
from claimbot.channels.meta_account import check_account
from claimbot.core.messages import SendingAccount
from claimbot.sandbox.counters import RateWindow
from tests.sandbox.engine import Engine
from tests.sandbox.worlds import ACCOUNT, PAGE_ACCOUNT, PAGE_ID, PAGE_TOKEN, TOKEN, Running

BUTTON = {"type": "web_url", "title": "Pay", "url": "https://pay.example/1"}
QUICK = {"content_type": "text", "title": "M", "payload": "size:M"}


def buttons(text: str = "Yours.", count: int = 1, **changes: Any) -> dict[str, Any]:
    payload = {"template_type": "button", "text": text, "buttons": [{**BUTTON, **changes}] * count}
    return {"attachment": {"type": "template", "payload": payload}}


def card(**changes: Any) -> dict[str, Any]:
    element = {"title": "Cap", "subtitle": "45.00 EUR", "buttons": [BUTTON], **changes}
    payload = {"template_type": "generic", "elements": [element]}
    return {"attachment": {"type": "template", "payload": payload}}


IMAGE = {"attachment": {"type": "image", "payload": {"url": "https://cdn.example/cap.png"}}}


def refusal(answer: httpx.Response) -> tuple[int, int]:
    error = answer.json()["error"]
    return error["code"], error.get("error_subcode", 0)


@pytest.mark.parametrize(
    "message",
    [
        {"text": "ü" * 500},
        {"text": "Size?", "quick_replies": [QUICK] * 13},
        buttons("x" * 640, 3, title="t" * 20),
        card(),
        IMAGE,
    ],
)
def test_a_message_within_the_limits_is_accepted(world: Running, message: dict[str, Any]) -> None:
    answer = world.send({"id": world.write("ana")}, message)
    assert set(answer.json()) == {"recipient_id", "message_id"}
    assert answer.json()["message_id"] == world.phone("ana")[1]["mid"]


@pytest.mark.parametrize(
    "message",
    [
        {"text": "ü" * 501},
        {"text": ""},
        {},
        {"text": "both", **IMAGE},
        buttons("x" * 641),
        buttons(count=4),
        buttons(title="t" * 21),
        buttons(url="not a link"),
        {"text": "Size?", "quick_replies": [QUICK] * 14},
        {"text": "Size?", "quick_replies": [{**QUICK, "title": "t" * 21}]},
        {**buttons(), "quick_replies": [QUICK]},
        card(title="t" * 81),
        card(subtitle="", buttons=[], image_url=""),
    ],
)
def test_a_message_beyond_the_limits_is_refused(world: Running, message: dict[str, Any]) -> None:
    igsid = world.write("ana")
    body = {"recipient": {"id": igsid}, "message": message}
    answer = world.http.post("/graph/me/messages", json=body, params={"access_token": TOKEN})
    assert (answer.status_code, refusal(answer)[0]) == (400, 100)
    assert len(world.phone("ana")) == 1


def test_a_refusal_has_metas_shape(world: Running) -> None:
    error = world.send({"id": "1"}).json()["error"]
    assert set(error) == {"message", "type", "code", "error_subcode", "fbtrace_id"}
    assert (error["code"], error["error_subcode"]) == (100, 2534014)


def test_the_window_closes_a_day_after_the_last_word(world: Running) -> None:
    igsid = world.write("ana")
    world.api("/clock", advance_seconds=24 * 3_600 - 60)
    assert world.send({"id": igsid}).status_code == 200
    world.api("/clock", advance_seconds=120)
    assert refusal(world.send({"id": igsid})) == (10, 2534022)


def test_a_person_may_answer_for_seven_days(world: Running) -> None:
    igsid = world.write("ana")
    world.api("/clock", advance_seconds=6 * 86_400)
    tagged = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    assert world.send({"id": igsid}, **tagged).status_code == 200


def test_the_window_is_per_account(world: Running) -> None:
    igsid = world.write("ana")
    assert refusal(world.send({"id": igsid}, token=PAGE_TOKEN)) == (10, 2534022)


def test_a_follower_who_blocked_cannot_be_reached(world: Running) -> None:
    igsid = world.write("ana")
    world.api("/followers/ana/block")
    assert refusal(world.send({"id": igsid})) == (551, 1545041)
    world.api("/followers/ana/unblock")
    assert world.send({"id": igsid}).status_code == 200


def test_a_comment_has_one_private_reply_and_opens_no_window(world: Running) -> None:
    world.api("/comment", follower="ana", media="179", text="LAUNCH", comment_id="c1")
    first = world.send({"comment_id": "c1"})
    assert first.status_code == 200
    assert refusal(world.send({"comment_id": "c1"})) == (100, 2534025)
    assert refusal(world.send({"id": first.json()["recipient_id"]})) == (10, 2534022)
    assert world.phone("ana")[0]["direction"] == "out"


def test_a_comment_may_be_answered_for_seven_days(world: Running) -> None:
    world.api("/comment", follower="ana", media="179", text="LAUNCH", comment_id="c1")
    world.api("/clock", advance_seconds=7 * 86_400 + 1)
    assert refusal(world.send({"comment_id": "c1"})) == (100, 2534025)


def test_private_replies_end_at_750_an_hour(world: Running) -> None:
    window = world.world.sender._private.setdefault(ACCOUNT, RateWindow(750, 3_600.0))
    now = world.world.ground.clock.seconds()
    assert [window.take(now) for _ in range(751)].count(True) == 750
    world.api("/comment", follower="ana", media="179", text="LAUNCH", comment_id="c1")
    assert refusal(world.send({"comment_id": "c1"})) == (613, 0)
    world.api("/clock", advance_seconds=3_601)
    assert world.send({"comment_id": "c1"}).status_code == 200


def test_a_rate_window_lets_the_limit_through_and_no_more() -> None:
    window = RateWindow(2, 1.0)
    assert [window.take(at) for at in (0.0, 0.5, 0.9, 1.0, 1.2, 1.5)] == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(("days", "code"), [(59, (10, 2534022)), (61, (190, 463))])
def test_a_token_lives_sixty_days(world: Running, days: int, code: tuple[int, int]) -> None:
    igsid = world.write("ana")
    world.api("/clock", advance_seconds=days * 86_400)
    assert refusal(world.send({"id": igsid})) == code


def test_unknown_and_revoked_tokens_are_refused(world: Running) -> None:
    igsid = world.write("ana")
    assert refusal(world.send({"id": igsid}, token="other")) == (190, 0)
    world.api("/tokens", account=ACCOUNT, revoked=True)
    assert refusal(world.send({"id": igsid})) == (190, 458)


def test_a_day_old_token_can_be_refreshed(world: Running) -> None:
    query = {"grant_type": "ig_refresh_token", "access_token": TOKEN}
    assert world.http.get("/graph/refresh_access_token", params=query).status_code == 400
    world.api("/clock", advance_seconds=86_400)
    fresh = world.http.get("/graph/refresh_access_token", params=query).json()
    assert fresh["expires_in"] == 60 * 86_400
    assert world.send({"id": world.write("ana")}, token=fresh["access_token"]).status_code == 200


@pytest.mark.parametrize(
    ("node", "token", "expected"),
    [
        (ACCOUNT, TOKEN, 200),
        ("me", TOKEN, 200),
        (PAGE_ID, PAGE_TOKEN, 200),
        (PAGE_ACCOUNT, PAGE_TOKEN, 400),
        (PAGE_ACCOUNT, TOKEN, 400),
    ],
)
def test_each_variant_sends_through_its_own_node(
    world: Running, node: str, token: str, expected: int
) -> None:
    igsid = world.write("ana")
    world.api("/dm", follower="ana", text="LAUNCH", account=PAGE_ACCOUNT)
    body = {"recipient": {"id": igsid}, "message": {"text": "Hello"}}
    headers = {"Authorization": f"Bearer {token}"}
    answer = world.http.post(f"/graph/v25.0/{node}/messages", json=body, headers=headers)
    assert answer.status_code == expected


def test_the_page_variant_refuses_the_account_node_with_code_3(world: Running) -> None:
    headers = {"Authorization": f"Bearer {PAGE_TOKEN}"}
    answer = world.http.post(f"/graph/{PAGE_ACCOUNT}/messages", json={}, headers=headers)
    assert refusal(answer) == (3, 0)


def test_a_profile_is_readable_only_after_consent(world: Running) -> None:
    world.api("/comment", follower="ana", media="179", text="LAUNCH")
    igsid = world.api("/followers", follower="ana", name="Ana Lima", follows=False)["igsid"]
    query = {"fields": "name,username,is_user_follow_business", "access_token": TOKEN}
    assert refusal(world.http.get(f"/graph/v25.0/{igsid}", params=query)) == (230, 0)
    world.write("ana")
    profile = world.http.get(f"/graph/v25.0/{igsid}", params=query).json()
    assert profile == {
        "id": igsid,
        "name": "Ana Lima",
        "username": "ana",
        "is_user_follow_business": False,
    }


def test_me_tells_the_id_that_webhooks_carry(world: Running) -> None:
    query = {"fields": "user_id,username", "access_token": TOKEN}
    me = world.http.get("/graph/v25.0/me", params=query).json()
    assert (me["user_id"], me["username"]) == (ACCOUNT, "aurora.demo")
    assert me["id"] != ACCOUNT


def test_an_account_subscribes_and_unsubscribes(world: Running) -> None:
    path, query = f"/graph/v25.0/{ACCOUNT}/subscribed_apps", {"access_token": TOKEN}
    told = {**query, "subscribed_fields": "messages,comments"}
    assert world.http.get(path, params=query).json() == {"data": []}
    assert world.http.post(path, params=told).json() == {"success": True}
    fields = world.http.get(path, params=query).json()["data"][0]["subscribed_fields"]
    assert fields == ["messages", "comments"]
    assert world.http.delete(path, params=query).json() == {"success": True}


def test_a_comment_is_answered_in_public(world: Running) -> None:
    world.api("/comment", follower="ana", media="179", text="LAUNCH", comment_id="c1")
    query = {"message": "See your inbox", "access_token": TOKEN}
    assert world.http.post("/graph/v25.0/c1/replies", params=query).json()["id"].isdigit()
    assert world.world.followers.comments["c1"].replies == ("See your inbox",)


def test_a_sender_action_shows_nothing(world: Running) -> None:
    igsid = world.write("ana")
    body = {"recipient": {"id": igsid}, "sender_action": "typing_on"}
    answer = world.http.post("/graph/me/messages", json=body, params={"access_token": TOKEN})
    assert answer.json() == {"recipient_id": igsid}
    assert len(world.phone("ana")) == 1


def test_a_text_is_echoed_with_the_id_of_its_answer(engine: Engine, world: Running) -> None:
    igsid = world.write("ana")
    mid = world.send({"id": igsid}, {"text": "Hello", "metadata": "row 7"}).json()["message_id"]
    echo = engine.wait_for(2)[1].event
    assert (echo["sender"], echo["recipient"]) == ({"id": ACCOUNT}, {"id": igsid})
    assert echo["message"] == {"mid": mid, "is_echo": True, "text": "Hello"}


def test_a_template_is_echoed_without_a_text(engine: Engine, world: Running) -> None:
    world.send({"id": world.write("ana")}, buttons())
    message = engine.wait_for(2)[1].event["message"]
    assert message["attachments"] == [buttons()["attachment"]]
    assert "text" not in message


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("error_500", 500, (2, 0)),
        ("rate_613", 400, (613, 0)),
        ("token_190", 400, (190, 463)),
        ("blocked_551", 400, (551, 1545041)),
        ("window_2018278", 400, (10, 2018278)),
    ],
)
def test_a_refusing_fault_sends_nothing_and_happens_once(
    world: Running, fault: str, status: int, code: tuple[int, int]
) -> None:
    igsid = world.write("ana")
    world.fault("graph", fault)
    answer = world.send({"id": igsid})
    assert (answer.status_code, refusal(answer)) == (status, code)
    assert len(world.phone("ana")) == 1
    assert world.send({"id": igsid}).status_code == 200


def test_a_rate_refusal_says_when_to_come_back(world: Running) -> None:
    igsid = world.write("ana")
    world.fault("graph", "rate_613")
    assert "estimated_time_to_regain_access" in world.send({"id": igsid}).headers["X-Business-Use-Case-Usage"]


@pytest.mark.parametrize(
    ("fault", "code"), [("error_500_after_accept", (2, 0)), ("code_1_after_accept", (1, 1357046))]
)
def test_an_accepted_send_may_look_refused(
    engine: Engine, world: Running, fault: str, code: tuple[int, int]
) -> None:
    igsid = world.write("ana")
    world.fault("graph", fault)
    assert refusal(world.send({"id": igsid})) == code
    assert len(world.phone("ana")) == 2
    assert engine.wait_for(2)[1].event["message"]["is_echo"] is True


@pytest.mark.parametrize(
    ("fault", "shown"), [("timeout_after_accept", 2), ("reset", 1), ("black_hole", 1), ("reset_all", 1)]
)
def test_a_connection_may_end_without_an_answer(world: Running, fault: str, shown: int) -> None:
    igsid = world.write("ana")
    world.fault("graph", fault, delay_seconds=0.05)
    with pytest.raises(httpx.RemoteProtocolError):
        world.send({"id": igsid})
    assert len(world.phone("ana")) == shown


@pytest.mark.parametrize("fault", ["black_hole", "reset_all"])
def test_a_platform_that_is_away_answers_no_call_at_all(world: Running, fault: str) -> None:
    world.fault("graph", fault, delay_seconds=0.05)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with pytest.raises(httpx.RemoteProtocolError):
        world.http.get("/graph/v25.0/me", headers=headers)
    assert world.http.get("/graph/v25.0/me", headers=headers).status_code == 200


def test_no_echo_comes_when_asked_for_none(engine: Engine, world: Running) -> None:
    igsid = world.write("ana")
    world.fault("graph", "echo_none")
    world.send({"id": igsid}, {"text": "first"})
    world.send({"id": igsid}, {"text": "second"})
    assert engine.wait_for(2)[1].event["message"]["text"] == "second"


def test_an_echo_may_overtake_the_answer(engine: Engine, world: Running) -> None:
    igsid = world.write("ana")
    world.fault("graph", "echo_before_answer")
    world.send({"id": igsid})
    assert len(engine.received) == 2


def test_an_echo_may_come_twice(engine: Engine, world: Running) -> None:
    igsid = world.write("ana")
    world.fault("graph", "echo_duplicate")
    world.send({"id": igsid})
    _, first, second = engine.wait_for(3)
    assert first.body == second.body


def test_an_echo_may_come_late(engine: Engine, world: Running) -> None:
    igsid = world.write("ana")
    world.fault("graph", "echo_late", delay_seconds=3_600)
    world.send({"id": igsid})
    assert len(engine.received) == 1
    world.api("/clock", advance_seconds=3_600)
    assert engine.wait_for(2)[1].event["message"]["is_echo"] is True


def test_a_webhook_may_be_signed_wrongly_or_lost(engine: Engine, world: Running) -> None:
    world.fault("graph", "wrong_signature")
    world.api("/dm", follower="ana", text="LAUNCH", mid="m1")
    world.api("/dm", follower="ana", text="LAUNCH", mid="m1")
    wrong, right = engine.wait_for(2)
    assert wrong.headers["X-Hub-Signature-256"] != right.headers["X-Hub-Signature-256"]
    world.fault("graph", "webhook_drop")
    assert world.api("/dm", follower="ana", text="LAUNCH")["status"] == 0
    assert len(engine.received) == 2


def test_a_page_tells_the_account_that_hangs_on_it(world: Running) -> None:
    sender = SendingAccount("", "instagram", "page", PAGE_ACCOUNT, PAGE_ID, PAGE_TOKEN)
    with open_client() as client:
        http = MetaHttp(client, f"{world.url}/graph", f"{world.url}/graph")
        found = check_account(http, sender)
    assert (found.external_id, found.username) == (PAGE_ACCOUNT, "borealis.demo")
