"""Are an account's conversations read as its webhooks would have told them?"""

from typing import Any

import pytest

from claimbot.channels.base import Page, Threads
from claimbot.channels.http import MetaHttp
from claimbot.channels.instagram import Instagram
from claimbot.core.messages import Inbound, Kind, SendingAccount, SendResult, Verdict
from tests.channels.meta_server import MetaServer, Says
from tests.channels.people import ANA, AURORA, BEN, BOREAL, BY_LOGIN, BY_PAGE, RECEIVED_AT, SENT_AT, later

OURS = {"username": "aurora", "id": AURORA}
HERS = {"username": "ana.l", "id": ANA}
NAMED = SendingAccount("acc_1", "instagram", "instagram_login", AURORA, "", "IGAAtoken", "aurora")
AT = "2026-11-20T10:00:00+0000"


def message(**changes: Any) -> dict[str, Any]:
    """Ana's; the fields are those of Meta's page."""
    usual = {"id": "mid.1", "created_time": AT, "from": HERS, "to": {"data": [OURS]}, "message": "LAUNCH"}
    return {**usual, **changes}


def thread(*messages: dict[str, Any], updated_time: str = AT) -> dict[str, Any]:
    return {"id": "aWdfdGhyZWFk", "updated_time": updated_time, "messages": {"data": list(messages)}}


def conversations(*threads: dict[str, Any], **paging: Any) -> Says:
    return Says(document={"data": list(threads), "paging": {"cursors": {"after": "QVFI"}, **paging}})


def read(http: MetaHttp, account: SendingAccount = BY_LOGIN, page: Page | None = None) -> Threads:
    found = Instagram().threads(http, account, page or Page(25), RECEIVED_AT)
    assert isinstance(found, Threads)
    return found


def test_a_message_is_the_event_that_its_webhook_tells(meta: MetaServer, http: MetaHttp) -> None:
    meta.answers = [conversations(thread(message()))]
    value = {"sender": {"id": ANA}, "recipient": {"id": AURORA}, "timestamp": int(SENT_AT.timestamp() * 1000)}
    event = {**value, "message": {"mid": "mid.1", "text": "LAUNCH"}}
    webhook = {"object": "instagram", "entry": [{"id": AURORA, "messaging": [event]}]}

    [found] = read(http).delivery.events

    assert (found,) == Instagram().parse(webhook, RECEIVED_AT).events
    assert found.kind is Kind.TEXT


@pytest.mark.parametrize(
    ("account", "path"),
    [
        (BY_LOGIN, "/instagram/v25.0/me/conversations"),
        (BY_PAGE, "/graph/v25.0/104500000000001/conversations"),
    ],
)
def test_a_page_is_asked_for_where_the_account_is(
    account: SendingAccount, path: str, meta: MetaServer, http: MetaHttp
) -> None:
    meta.answers = [conversations(thread(message()), next="https://graph.example/next")]

    found = read(http, account, Page(10, "QVFH"))

    fields = "id,updated_time,messages.limit(20){id,created_time,from,to,message}"
    assert meta.asked[0].path == path
    assert meta.asked[0].query == {"platform": "instagram", "fields": fields, "limit": "10", "after": "QVFH"}
    assert (found.after, found.oldest_at) == ("QVFI", SENT_AT)


def test_the_last_page_has_a_cursor_too_and_is_the_last(meta: MetaServer, http: MetaHttp) -> None:
    meta.answers = [conversations(thread(message()))]

    assert read(http).after == ""


def test_two_messages_of_one_second_stand_in_their_order(meta: MetaServer, http: MetaHttp) -> None:
    meta.answers = [conversations(thread(message(id="mid.2"), message(id="mid.1")))]

    assert [one.event_id for one in read(http).delivery.events] == ["mid.1", "mid.2"]


def test_messages_of_several_people_stand_in_the_order_of_the_platforms_time(
    meta: MetaServer, http: MetaHttp
) -> None:
    bens = {"username": "ben", "id": BEN}
    late = message(id="mid.2", created_time="2026-11-20T10:00:01+0000")
    meta.answers = [conversations(thread(late), thread(message(**{"from": bens})))]

    events = read(http).delivery.events

    assert [(one.follower_external_id, one.sent_at) for one in events] == [(BEN, SENT_AT), (ANA, later(1000))]


@pytest.mark.parametrize(
    "changes",
    [
        {"from": OURS, "to": {"data": [HERS]}},
        # By whichever id the platform calls us.
        {"from": {"username": "Aurora", "id": "55"}, "to": {"data": [HERS]}},
        {"to": {"data": [{"username": "boreal", "id": BOREAL}]}},
        {"to": {"data": [OURS, {"username": "ben", "id": BEN}]}},
        {"to": {}},
        {"message": ""},
        {"created_time": "soon"},
        {"created_time": None},
        {"id": None},
        {"id": "m" * 600},
        {"from": {}},
    ],
)
def test_what_is_not_one_persons_dated_words_to_us_is_left_out(
    changes: dict[str, Any], meta: MetaServer, http: MetaHttp
) -> None:
    meta.answers = [conversations(thread(message(**changes)))]

    assert list(read(http, NAMED).delivery.events) == []


@pytest.mark.parametrize("document", [{}, {"data": "odd"}, {"data": [], "paging": 5}])
def test_an_account_without_conversations_has_an_empty_page(
    document: object, meta: MetaServer, http: MetaHttp
) -> None:
    meta.answers = [Says(document=document)]

    found = read(http)

    assert (found.delivery.events, found.oldest_at, found.after) == ((), None, "")


@pytest.mark.parametrize(
    ("says", "result"),
    [
        (
            Says(400, {"error": {"code": 190, "error_subcode": 463}}),
            SendResult(Verdict.PARKED, reason="token_expired"),
        ),
        (
            Says(document={"data": [{"id": "t1", "updated_time": AT}]}),
            SendResult(Verdict.DEAD, reason="no_messages"),
        ),
    ],
)
def test_a_page_that_cannot_be_read_says_why(
    says: Says, result: SendResult, meta: MetaServer, http: MetaHttp
) -> None:
    meta.answers = [says]

    assert Instagram().threads(http, BY_LOGIN, Page(25), RECEIVED_AT) == result


def test_what_no_database_can_store_is_cleaned_as_in_a_webhook(meta: MetaServer, http: MetaHttp) -> None:
    odd = message(id="mid\ud800", message="LAUNCH \ud83d\x00")
    paging = {"cursors": {"after": "\ud800"}, "next": "https://graph.example/next"}
    meta.answers = [Says(document={"data": [thread(odd)], "paging": paging})]

    found = read(http)

    assert [(one.event_id, one.text) for one in found.delivery.events] == [("mid\ufffd", "LAUNCH \ufffd")]
    assert found.after == "\ufffd"


def test_nothing_of_a_conversation_looks_like_an_event_of_another_kind(
    meta: MetaServer, http: MetaHttp
) -> None:
    meta.answers = [conversations(thread(message(), message(id="mid.2", message="STOP")))]

    events: tuple[Inbound, ...] = read(http).delivery.events

    assert {one.kind for one in events} == {Kind.TEXT}
    assert {one.ignored for one in events} == {""}
