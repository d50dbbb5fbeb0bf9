"""What exactly do we ask Instagram to send, and what do we make of its answer?"""

from typing import Any

import pytest

from claimbot.channels.http import MetaHttp
from claimbot.channels.instagram import LIMITS, Instagram
from claimbot.channels.meta_send import fit_text
from claimbot.core.messages import Choice, Link, Reply, SendingAccount, SendResult, Verdict
from tests.channels.meta_server import MetaServer, Says
from tests.channels.people import ANA, BY_LOGIN, BY_PAGE

SENT = Says(document={"recipient_id": ANA, "message_id": "mid.out"})
DONE = SendResult(Verdict.DONE, "mid.out", recipient_external_id=ANA)
REFUSED_CONTENT = Says(400, {"error": {"code": 100, "error_subcode": 2534015, "message": "secret words"}})

URL = "https://shop.example/c/k3yk3yk3yk3y"
LINK = Link("Pay 129.00 EUR", URL)
BUTTON = {"type": "web_url", "url": URL, "title": "Pay 129.00 EUR"}
SIZES = (Choice("S", "variant:s"), Choice("A size with a very long name", "variant:x"))
TAPS = [
    {"content_type": "text", "title": "S", "payload": "variant:s"},
    {"content_type": "text", "title": "A size with a very l", "payload": "variant:x"},
]


def template(**payload: Any) -> dict[str, object]:
    return {"attachment": {"type": "template", "payload": payload}}


BODIES = {
    "a text": (Reply("You are in."), {"text": "You are in."}),
    "a link": (
        Reply("You are in.", LINK),
        template(template_type="button", text="You are in.", buttons=[BUTTON]),
    ),
    "a link with a long title": (
        Reply("In.", Link("Pay one hundred twenty-nine euros", URL)),
        template(template_type="button", text="In.", buttons=[{**BUTTON, "title": "Pay one hundred twen"}]),
    ),
    "a link and a picture": (
        Reply("You are in.", LINK, image_url="https://shop.example/boots.jpg"),
        template(
            template_type="generic",
            elements=[
                {"title": "You are in.", "image_url": "https://shop.example/boots.jpg", "buttons": [BUTTON]}
            ],
        ),
    ),
    "a picture beside a text that is no title": (
        Reply("y" * 81, LINK, image_url="https://shop.example/boots.jpg"),
        template(template_type="button", text="y" * 81, buttons=[BUTTON]),
    ),
    "a link beside a text too long for a button": (
        Reply("y" * 641, LINK),
        {"text": "y" * 641 + f"\n{URL}"},
    ),
    "choices": (Reply("Which size?", choices=SIZES), {"text": "Which size?", "quick_replies": TAPS}),
    "too many choices": (
        Reply("Which?", choices=SIZES[:1] * 20),
        {"text": "Which?", "quick_replies": TAPS[:1] * 13},
    ),
    "choices and a link": (
        Reply("Which size?", LINK, SIZES[:1]),
        {"text": f"Which size?\n{URL}", "quick_replies": TAPS[:1]},
    ),
    "half a surrogate pair": (Reply("odd\ud800\x00"), {"text": "odd\ufffd"}),
}


def send(http: MetaHttp, reply: Reply, account: SendingAccount = BY_LOGIN) -> SendResult:
    return Instagram().send(http, account, reply, ANA, "out_1")


@pytest.mark.parametrize("name", BODIES)
def test_a_reply_becomes_exactly_this_message(name: str, meta: MetaServer, http: MetaHttp) -> None:
    reply, message = BODIES[name]
    meta.answers = [SENT]

    assert send(http, reply) == DONE
    assert meta.asked[0].body == {"recipient": {"id": ANA}, "message": message}


def test_an_account_by_instagram_login_sends_as_me_with_its_token_in_the_header(
    meta: MetaServer, http: MetaHttp
) -> None:
    meta.answers = [SENT]
    send(http, Reply("Hi"))

    (asked,) = meta.asked
    assert (asked.method, asked.path, asked.query) == ("POST", "/instagram/v25.0/me/messages", {})
    assert asked.headers["Authorization"] == "Bearer IGAAtoken"
    assert asked.headers["Content-Type"] == "application/json"


def test_an_account_by_page_sends_as_its_page(meta: MetaServer, http: MetaHttp) -> None:
    meta.answers = [SENT]
    send(http, Reply("Hi"), BY_PAGE)

    (asked,) = meta.asked
    assert asked.path == "/graph/v25.0/104500000000001/messages"
    assert asked.headers["Authorization"] == "Bearer EAAtoken"
    assert asked.body == {
        "recipient": {"id": ANA},
        "message": {"text": "Hi"},
        "messaging_type": "RESPONSE",
    }


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (Reply("You are in.", LINK, comment_id="181"), f"You are in.\n{URL}"),
        (Reply("Which size?", choices=SIZES[:1] * 2, comment_id="181"), "Which size?\nS · S"),
    ],
)
def test_a_private_reply_is_one_text_that_needs_nothing_else(
    reply: Reply, text: str, meta: MetaServer, http: MetaHttp
) -> None:
    meta.answers = [SENT]

    assert send(http, reply) == DONE
    assert meta.asked[0].body == {"recipient": {"comment_id": "181"}, "message": {"text": text}}


def test_a_template_refused_for_its_content_is_sent_once_more_as_text(
    meta: MetaServer, http: MetaHttp
) -> None:
    meta.answers = [REFUSED_CONTENT, SENT]

    assert send(http, Reply("You are in.", LINK)) == DONE
    assert [asked.body["message"] for asked in meta.asked] == [
        template(template_type="button", text="You are in.", buttons=[BUTTON]),
        {"text": f"You are in.\n{URL}"},
    ]


def test_the_second_refusal_is_the_last(meta: MetaServer, http: MetaHttp) -> None:
    meta.answers = [REFUSED_CONTENT, REFUSED_CONTENT]

    assert send(http, Reply("You are in.", LINK)) == SendResult(Verdict.DEAD, reason="bad_content")
    assert len(meta.asked) == 2


@pytest.mark.parametrize(
    ("code", "subcode", "reply"),
    [
        (10, 2534022, Reply("In.", LINK)),
        (551, 1545041, Reply("In.", LINK)),
        (1, 1357046, Reply("In.", LINK)),
        (190, 463, Reply("In.", LINK)),
        (613, 0, Reply("In.", LINK)),
        (100, 2534025, Reply("In.", LINK, comment_id="181")),
        (100, 2534015, Reply("In.", LINK, comment_id="181")),
        (100, 2534015, Reply("In.")),
    ],
)
def test_no_other_refusal_is_tried_twice(
    code: int, subcode: int, reply: Reply, meta: MetaServer, http: MetaHttp
) -> None:
    meta.answers = [Says(400, {"error": {"code": code, "error_subcode": subcode}})]
    send(http, reply)

    assert len(meta.asked) == 1


def test_a_link_longer_than_a_text_is_refused_before_anything_is_sent(
    meta: MetaServer, http: MetaHttp
) -> None:
    link = Link("Pay", "https://shop.example/" + "x" * 1_000)

    assert send(http, Reply("In.", link, comment_id="181")) == SendResult(
        Verdict.DEAD, reason="link_too_long"
    )
    assert meta.asked == []


@pytest.mark.parametrize("letter", ["a", "ä", "€", "🚀"])
@pytest.mark.parametrize("surplus", [0, 1, 2, 3, 4])
def test_a_long_text_is_cut_between_characters_and_its_link_stays(letter: str, surplus: int) -> None:
    room_bytes = LIMITS.text_bytes - len(f"\n{URL}")
    text = letter * (room_bytes // len(letter.encode())) + "x" * surplus

    fitted = fit_text(text, URL, LIMITS.text_bytes)

    assert LIMITS.text_bytes - 8 <= len(fitted.encode()) <= LIMITS.text_bytes
    assert fitted.endswith(f"\n{URL}")
    assert text.startswith(fitted.removesuffix(f"\n{URL}").removesuffix("…"))


@pytest.mark.parametrize(
    ("document", "result"),
    [
        ({"message_id": "m", "recipient_id": "r"}, SendResult(Verdict.DONE, "m", recipient_external_id="r")),
        ({"recipient_id": 7}, SendResult(Verdict.DONE, recipient_external_id="7")),
        ({}, SendResult(Verdict.UNKNOWN, reason="no_message_id")),
    ],
)
def test_only_an_answer_with_an_id_is_a_send(
    document: object, result: SendResult, meta: MetaServer, http: MetaHttp
) -> None:
    meta.answers = [Says(document=document)]

    assert send(http, Reply("Hi")) == result
