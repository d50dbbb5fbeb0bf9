"""What do silence, noise and refusals of the platform mean?"""

import json
import logging
import socket
from dataclasses import replace

import pytest

from claimbot.channels.http import Call, MetaHttp, open_client
from claimbot.channels.instagram import Instagram
from claimbot.channels.meta_errors import ACCOUNT_WIDE, refusal
from claimbot.core.messages import SendResult, Verdict
from tests.channels.meta_server import MetaServer, Says, calling
from tests.channels.people import BY_LOGIN

CALL = Call("POST", "/me/messages", body={"message": {"text": "a private word"}})

NOISE = [
    (Says(fault="silence"), Verdict.UNKNOWN, "timeout"),
    (Says(fault="reset"), Verdict.UNKNOWN, "connection_lost"),
    (Says(500, {"error": {"code": 190}}), Verdict.UNKNOWN, "platform_error"),
    (Says(503, raw=b"<html>busy</html>"), Verdict.UNKNOWN, "platform_error"),
    (Says(200, raw=b"<html>welcome</html>"), Verdict.UNKNOWN, "platform_error"),
    (Says(200, raw=b""), Verdict.UNKNOWN, "platform_error"),
    (Says(200, raw=b"\xff"), Verdict.UNKNOWN, "platform_error"),
    (Says(200, raw=b"[" * 100_000), Verdict.UNKNOWN, "platform_error"),
    (Says(200, []), Verdict.UNKNOWN, "platform_error"),
    (Says(200, raw=b" " * 1_000_001), Verdict.UNKNOWN, "timeout"),
    (Says(400, {}), Verdict.UNKNOWN, "platform_error"),
    (Says(302, headers={"Location": "/elsewhere"}), Verdict.UNKNOWN, "platform_error"),
    (Says(429, raw=b"slow down"), Verdict.RETRY, "rate_limited"),
    (Says(200, {"error": {"code": 613}}), Verdict.RETRY, "rate_limited"),
]

REFUSALS = [
    *((10, subcode, Verdict.DEAD, "window_closed") for subcode in (2018278, 2534022, 2018065, 1545041)),
    (10, 2018108, Verdict.DEAD, "unreachable"),
    (551, 0, Verdict.DEAD, "unreachable"),
    (551, 1545041, Verdict.DEAD, "unreachable"),
    (200, 1545041, Verdict.DEAD, "unreachable"),
    (100, 2018001, Verdict.DEAD, "unreachable"),
    (100, 2534014, Verdict.DEAD, "unreachable"),
    (100, 2534025, Verdict.DEAD, "comment_not_eligible"),
    (10900, 0, Verdict.DEAD, "comment_not_eligible"),
    (10, 2018300, Verdict.DEAD, "thread_owned_elsewhere"),
    (2018300, 0, Verdict.DEAD, "thread_owned_elsewhere"),
    (100, 2534037, Verdict.DEAD, "thread_owned_elsewhere"),
    *((100, subcode, Verdict.DEAD, "bad_content") for subcode in (0, 2534015, 2018008, 2018109, 2534068, 7)),
    (230, 0, Verdict.DEAD, "consent_missing"),
    (9000001, 0, Verdict.DEAD, "gone"),
    (2500, 0, Verdict.DEAD, "refused:2500"),
    (0, 0, Verdict.DEAD, "refused:0"),
    (190, 458, Verdict.PARKED, "app_removed"),
    (190, 459, Verdict.PARKED, "account_checkpoint"),
    (190, 464, Verdict.PARKED, "account_checkpoint"),
    (190, 463, Verdict.PARKED, "token_expired"),
    *((190, subcode, Verdict.PARKED, "token_revoked") for subcode in (0, 460, 467, 492)),
    (102, 0, Verdict.PARKED, "token_revoked"),
    (10, 0, Verdict.PARKED, "permission_missing"),
    (200, 0, Verdict.PARKED, "permission_missing"),
    (3, 0, Verdict.PARKED, "permission_missing"),
    (1, 99, Verdict.PARKED, "permission_missing"),
    (100, 33, Verdict.PARKED, "permission_missing"),
    (299, 0, Verdict.PARKED, "permission_missing"),
    (100, 2534013, Verdict.PARKED, "page_not_linked"),
    (10, 2534077, Verdict.PARKED, "account_checkpoint"),
    (200, 2534041, Verdict.PARKED, "messages_access_off"),
    (368, 0, Verdict.PARKED, "account_restricted"),
    (10, 1893063, Verdict.PARKED, "account_restricted"),
    (100, 2534029, Verdict.PARKED, "account_restricted"),
    (613, 2018338, Verdict.PARKED, "account_restricted"),
    *((code, 0, Verdict.RETRY, "rate_limited") for code in (4, 17, 32, 341, 613, 80001, 80002, 80006, 80008)),
    (613, 2534040, Verdict.RETRY, "rate_limited"),
    (1, 0, Verdict.UNKNOWN, "platform_error"),
    (1, 1357046, Verdict.UNKNOWN, "platform_error"),
    (2, 0, Verdict.UNKNOWN, "platform_error"),
]

USAGE = json.dumps(
    {
        "17841": [{"type": "instagram", "estimated_time_to_regain_access": 3}, "odd"],
        "99": [{"estimated_time_to_regain_access": 7}, {"estimated_time_to_regain_access": "x"}],
        "odd": 5,
    }
)


def asked(http: MetaHttp) -> SendResult:
    answer = http.ask(BY_LOGIN, CALL)
    assert isinstance(answer, SendResult)
    return answer


@pytest.mark.parametrize(("says", "verdict", "reason"), NOISE)
def test_noise_is_unknown_unless_it_says_later(
    says: Says, verdict: Verdict, reason: str, meta: MetaServer, http: MetaHttp
) -> None:
    meta.answers = [says]

    assert asked(http) == SendResult(verdict, reason=reason)
    assert len(meta.asked) == 1


def test_a_refused_connection_is_tried_again_later() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with calling(f"http://127.0.0.1:{closed.getsockname()[1]}") as http:
            assert asked(http) == SendResult(Verdict.RETRY, reason="not_connected")


def test_a_host_without_an_address_is_tried_again_later() -> None:
    with calling("http://graph.invalid") as http:
        assert asked(http) == SendResult(Verdict.RETRY, reason="not_connected")


@pytest.mark.parametrize("token", ["", " ", "two\nlines", "tökén"])
def test_a_token_that_no_header_can_carry_parks_the_account(
    token: str, meta: MetaServer, http: MetaHttp
) -> None:
    result = http.ask(replace(BY_LOGIN, token=token), CALL)

    assert result == SendResult(Verdict.PARKED, reason="token_malformed")
    assert meta.asked == []


@pytest.mark.parametrize(("code", "subcode", "verdict", "reason"), REFUSALS)
def test_a_refusal_has_its_meaning(code: int, subcode: int, verdict: Verdict, reason: str) -> None:
    result = refusal(400, {"code": code, "error_subcode": subcode, "message": "x"}, {})

    assert result == SendResult(verdict, reason=reason)
    assert (reason in ACCOUNT_WIDE) == (verdict is Verdict.PARKED)


@pytest.mark.parametrize(
    ("status", "error", "result"),
    [
        (400, {"code": 8675309, "is_transient": True}, SendResult(Verdict.UNKNOWN, reason="platform_error")),
        (400, {"code": 4, "is_transient": True}, SendResult(Verdict.RETRY, reason="rate_limited")),
        (429, {"code": 8675309}, SendResult(Verdict.RETRY, reason="rate_limited")),
        (400, {"code": "190"}, SendResult(Verdict.DEAD, reason="refused:0")),
        (400, {"code": True, "error_subcode": []}, SendResult(Verdict.DEAD, reason="refused:0")),
        (
            400,
            {"code": 100, "type": "IGApiException", "message": "Unsupported request - method type: get"},
            SendResult(Verdict.PARKED, reason="role_missing"),
        ),
    ],
)
def test_what_stands_beside_the_code_counts_too(
    status: int, error: dict[str, object], result: SendResult
) -> None:
    assert refusal(status, error, {}) == result


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-Business-Use-Case-Usage": USAGE}, 420.0),
        ({"Retry-After": "30"}, 30.0),
        ({"Retry-After": "600", "X-Business-Use-Case-Usage": USAGE}, 600.0),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "-5", "X-Business-Use-Case-Usage": "["}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT", "X-Business-Use-Case-Usage": "[1]"}, None),
        ({"Retry-After": "99999999"}, 86_400.0),
    ],
)
def test_a_rate_limit_says_how_long_to_be_silent(
    headers: dict[str, str], seconds: float | None, meta: MetaServer, http: MetaHttp
) -> None:
    meta.answers = [Says(400, {"error": {"code": 613}}, headers)]

    assert asked(http).retry_after_seconds == seconds


def test_neither_token_nor_text_is_logged(
    meta: MetaServer, http: MetaHttp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    meta.answers = [Says(400, {"error": {"code": 1, "message": "a private word"}}), Says()]
    with open_client() as client:
        patient = replace(http, client=client)
        asked(patient)
        Instagram().refresh_token(patient, BY_LOGIN)

    assert meta.asked[1].query["access_token"] == BY_LOGIN.token
    assert BY_LOGIN.token not in caplog.text + repr(BY_LOGIN)
    assert "a private word" not in caplog.text


def test_the_engines_own_connections_have_bounded_patience() -> None:
    with open_client() as client:
        assert client.timeout.connect == 3.0
        assert client.timeout.read == 10.0
        assert not client.follow_redirects
