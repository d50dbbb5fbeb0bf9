"""How every kind of answer ends: the verdict table of design §8, and nothing of Stripe's texts."""

import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from claimbot.core.messages import Verdict
from claimbot.core.money import Money
from claimbot.core.payments import RefundPart, SessionState
from claimbot.payments.gateway import Gateway
from claimbot.payments.results import AccountResult, CallResult, RefundResult
from tests.payments.builders import KEYS, make_error, make_paid, make_request, make_session
from tests.payments.loopback import Says, ScriptedStripe

REPLAYED = {"Idempotent-Replayed": "true"}
EXPIRES_TEXT = "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."

# status, error body, headers → verdict, reason, is a new epoch needed
Ending = tuple[int, Any, dict[str, str], Verdict, str, bool]
ENDINGS: list[Ending] = [
    (400, make_error(), {}, Verdict.DEAD, "bad_request", False),
    (400, make_error(param="automatic_tax[enabled]"), {}, Verdict.DEAD, "bad_parameter:automatic_tax", False),
    (400, make_error(param="ana@example.com"), {}, Verdict.DEAD, "bad_request", False),
    (400, make_error(code="amount_too_small"), {}, Verdict.DEAD, "amount_too_small", False),
    (400, make_error(code="rate_limit"), {}, Verdict.RETRY, "rate_limited", False),
    (400, make_error(code="testmode_charges_only"), {}, Verdict.PARKED, "account_restricted", False),
    (400, make_error(param="expires_at"), {}, Verdict.RETRY, "expires_at_refused", True),
    (400, make_error(message=EXPIRES_TEXT), {}, Verdict.RETRY, "expires_at_refused", True),
    (400, make_error("idempotency_error"), {}, Verdict.RETRY, "key_reused", True),
    (401, make_error(), {}, Verdict.PARKED, "key_refused", False),
    (402, make_error("card_error"), {}, Verdict.DEAD, "declined", False),
    (403, make_error(), {}, Verdict.PARKED, "permission_missing", False),
    (404, make_error(code="resource_missing"), {}, Verdict.DEAD, "not_found", False),
    (408, make_error("api_error"), {}, Verdict.UNKNOWN, "timeout", False),
    (409, make_error(code="idempotency_key_in_use"), {}, Verdict.RETRY, "in_flight", False),
    (418, make_error(), {}, Verdict.DEAD, "bad_request", False),
    (429, make_error("rate_limit_error"), {}, Verdict.RETRY, "rate_limited", False),
    (429, make_error(code="lock_timeout"), {}, Verdict.RETRY, "lock_timeout", False),
    (500, make_error("api_error"), {}, Verdict.UNKNOWN, "server_error", False),
    (500, make_error("api_error"), REPLAYED, Verdict.UNKNOWN, "server_error", True),
    (502, b"<html>bad gateway</html>", {}, Verdict.UNKNOWN, "server_error", False),
    (503, {"error": "a word"}, {}, Verdict.UNKNOWN, "unreadable_answer", False),
    (307, b"", {"Location": "/elsewhere"}, Verdict.UNKNOWN, "connection_lost", False),
    (200, b"not json", {}, Verdict.UNKNOWN, "unreadable_answer", False),
    (200, b"\xff\xfe", {}, Verdict.UNKNOWN, "unreadable_answer", False),
    (200, [1, 2], {}, Verdict.UNKNOWN, "unreadable_answer", False),
    (200, "a word", {}, Verdict.UNKNOWN, "unreadable_answer", False),
    (200, None, {}, Verdict.UNKNOWN, "unreadable_answer", False),
    (200, {"object": "checkout.session"}, {}, Verdict.UNKNOWN, "unreadable_answer", False),
]


@pytest.mark.matrix(26)
@pytest.mark.parametrize("ending", ENDINGS)
def test_every_refusal_has_a_verdict_and_a_word_of_ours(
    gateway: Gateway, stripe_says: ScriptedStripe, ending: Ending
) -> None:
    status, body, headers, verdict, reason, is_new_epoch_needed = ending
    stripe_says.says(Says(status, body, headers))
    assert gateway.create(make_request()) == CallResult(verdict, None, reason, None, is_new_epoch_needed)
    assert len(stripe_says.asked) == 1


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("7", 7.0), ("86400", 3600.0), ("soon", None), ("-1", None), ("", None), ("9" * 400, None)],
)
def test_a_retry_after_is_taken_when_it_is_a_sane_number(
    gateway: Gateway, stripe_says: ScriptedStripe, written: str, seconds: float | None
) -> None:
    stripe_says.says(Says(429, make_error(), {"Retry-After": written}))
    assert gateway.create(make_request()).retry_after_seconds == seconds


def test_silence_after_the_call_was_sent_is_unknown(gateway: Gateway, stripe_says: ScriptedStripe) -> None:
    stripe_says.says(Says(hangs=True))
    assert gateway.create(make_request()) == CallResult(Verdict.UNKNOWN, None, "timeout")


def test_while_stripe_is_silent_nobody_in_a_hurry_asks(stripe_says: ScriptedStripe) -> None:
    moments = iter([0.0, 1.0, 10.0, 14.9, 15.0])
    gateway = Gateway(KEYS, stripe_says.url, now_seconds=lambda: next(moments))
    stripe_says.says(Says(resets=True), Says(resets=True), Says(body=make_session()))

    results = [gateway.create(make_request(), is_hasty=True) for _ in range(4)]

    assert [(one.verdict, one.reason) for one in results] == [
        (Verdict.UNKNOWN, "connection_lost"),
        (Verdict.UNKNOWN, "connection_lost"),
        (Verdict.RETRY, "stripe_silent"),
        (Verdict.DONE, ""),
    ]
    assert len(stripe_says.asked) == 3


def test_who_is_not_in_a_hurry_asks_a_silent_stripe_and_ends_the_silence(stripe_says: ScriptedStripe) -> None:
    gateway = Gateway(KEYS, stripe_says.url)
    stripe_says.says(Says(resets=True), Says(resets=True), Says(body=make_session()))

    verdicts = [
        gateway.create(make_request(), is_hasty).verdict for is_hasty in (True, True, True, False, True)
    ]

    assert verdicts == [Verdict.UNKNOWN, Verdict.UNKNOWN, Verdict.RETRY, Verdict.DONE, Verdict.DONE]


def test_who_is_in_a_hurry_waits_two_seconds_at_most(stripe_says: ScriptedStripe) -> None:
    """A patient call would wait until the server, after half a minute, closes the connection."""
    stripe_says.says(Says(hangs=True))
    patient = Gateway(KEYS, stripe_says.url, timeouts_seconds=(1.0, 60.0))

    assert patient.create(make_request(), is_hasty=True) == CallResult(Verdict.UNKNOWN, None, "timeout")


def test_a_lost_connection_is_unknown(gateway: Gateway, stripe_says: ScriptedStripe) -> None:
    stripe_says.says(Says(resets=True))
    assert gateway.create(make_request()) == CallResult(Verdict.UNKNOWN, None, "connection_lost")


def test_a_refused_connection_surely_changed_nothing() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        result = Gateway(KEYS, f"http://127.0.0.1:{nobody.getsockname()[1]}").create(make_request())
    assert result == CallResult(Verdict.RETRY, None, "unreachable")


def test_a_door_that_speaks_no_tls_is_unknown(stripe_says: ScriptedStripe) -> None:
    result = Gateway(KEYS, stripe_says.url.replace("http:", "https:"), timeouts_seconds=(1, 1)).retrieve(
        "cs_a"
    )
    assert (result.verdict, result.reason) == (Verdict.UNKNOWN, "tls_failed")


@pytest.mark.parametrize("secret_key", ["", " ", "sk_test_a\nb", "pk_test_aurora", "sk_live_aurora"])
def test_a_key_that_cannot_be_right_is_parked_without_a_call(
    stripe_says: ScriptedStripe, secret_key: str
) -> None:
    result = Gateway(replace(KEYS, secret_key=secret_key), stripe_says.url).create(make_request())
    assert result == CallResult(Verdict.PARKED, None, "key_malformed")
    assert stripe_says.asked == []


def test_a_made_session_is_news(gateway: Gateway, stripe_says: ScriptedStripe) -> None:
    stripe_says.says(Says(body=make_session()))
    result = gateway.create(make_request())
    assert result.verdict is Verdict.DONE
    assert result.news is not None
    assert (result.news.session_id, result.news.state, result.news.claim_id) == (
        "cs_test_ana",
        SessionState.OPEN,
        "clm_ana",
    )
    assert result.news.url == "https://checkout.stripe.com/c/pay/cs_test_ana"


def test_a_stored_answer_is_asked_for_anew(gateway: Gateway, stripe_says: ScriptedStripe) -> None:
    stripe_says.says(Says(body=make_session(), headers=REPLAYED), Says(body=make_paid()))
    news = gateway.create(make_request()).news
    assert news is not None
    assert news.state is SessionState.COMPLETE_PAID


def test_a_stored_answer_still_counts_when_stripe_is_busy(
    gateway: Gateway, stripe_says: ScriptedStripe
) -> None:
    stripe_says.says(Says(body=make_session(), headers=REPLAYED), Says(429, make_error()))
    result = gateway.create(make_request())
    assert result.verdict is Verdict.DONE
    assert result.news is not None


EXPIRED = make_session(status="expired", url=None)
UNPAID = make_paid(payment_status="unpaid")


@pytest.mark.parametrize(
    ("says", "verdict", "state"),
    [
        ([Says(body=EXPIRED)], Verdict.DONE, SessionState.EXPIRED),
        ([Says(400, make_error()), Says(body=EXPIRED)], Verdict.DONE, SessionState.EXPIRED),
        ([Says(400, make_error()), Says(body=make_paid())], Verdict.DONE, SessionState.COMPLETE_PAID),
        ([Says(400, make_error()), Says(body=UNPAID)], Verdict.DONE, SessionState.COMPLETE_UNPAID),
        ([Says(400, make_error()), Says(body=make_session())], Verdict.RETRY, SessionState.OPEN),
        ([Says(400, make_error()), Says(500, make_error())], Verdict.UNKNOWN, None),
        ([Says(404, make_error(code="resource_missing"))], Verdict.DEAD, None),
        ([Says(401, make_error())], Verdict.PARKED, None),
        ([Says(403, make_error())], Verdict.PARKED, None),
        ([Says(409, make_error())], Verdict.RETRY, None),
        ([Says(429, make_error(code="lock_timeout"))], Verdict.RETRY, None),
        ([Says(500, make_error())], Verdict.UNKNOWN, None),
        ([Says(hangs=True)], Verdict.UNKNOWN, None),
    ],
)
def test_expire_is_done_only_when_stripe_says_that_the_session_ended(
    gateway: Gateway,
    stripe_says: ScriptedStripe,
    says: list[Says],
    verdict: Verdict,
    state: SessionState | None,
) -> None:
    stripe_says.says(*says)
    result = gateway.expire("cs_test_ana")
    assert (result.verdict, result.news and result.news.state) == (verdict, state)


@pytest.mark.parametrize(
    ("says", "result"),
    [
        (Says(body={"id": "re_a", "status": "succeeded"}), RefundResult(Verdict.DONE, "re_a", "succeeded")),
        (Says(body={"id": "re_a", "status": "pending"}), RefundResult(Verdict.DONE, "re_a", "pending")),
        (
            Says(body={"id": "re_a", "status": "failed"}),
            RefundResult(Verdict.PARKED, "re_a", "failed", "refund_failed"),
        ),
        (Says(body={"status": "succeeded"}), RefundResult(Verdict.UNKNOWN, reason="unreadable_answer")),
        (
            Says(400, make_error(code="charge_already_refunded")),
            RefundResult(Verdict.DONE, reason="already_refunded"),
        ),
        (
            Says(400, make_error(code="charge_disputed")),
            RefundResult(Verdict.DEAD, reason="charge_disputed"),
        ),
        (
            Says(400, make_error(code="balance_insufficient")),
            RefundResult(Verdict.PARKED, reason="balance_insufficient"),
        ),
        (Says(500, make_error()), RefundResult(Verdict.UNKNOWN, reason="server_error")),
        (Says(429, make_error()), RefundResult(Verdict.RETRY, reason="rate_limited")),
    ],
)
def test_every_refund_has_an_ending(
    gateway: Gateway, stripe_says: ScriptedStripe, says: Says, result: RefundResult
) -> None:
    stripe_says.says(says)
    assert gateway.refund("pi_ana", "cs_test_ana", RefundPart(Money(12900, "EUR"), 0), "clm_ana") == result


@pytest.mark.parametrize(
    ("part", "verdict", "keys"),
    [
        (None, Verdict.DONE, ["refund:cs_test_ana", "refund:cs_test_ana:again"]),
        (RefundPart(Money(12900, "EUR"), 0), Verdict.UNKNOWN, ["refund:cs_test_ana:0:12900"]),
    ],
    ids=["full", "part"],
)
def test_only_a_full_refund_may_leave_a_key_with_a_stored_failure(
    gateway: Gateway, stripe_says: ScriptedStripe, part: RefundPart | None, verdict: Verdict, keys: list[str]
) -> None:
    stripe_says.says(Says(500, make_error(), REPLAYED), Says(body={"id": "re_a", "status": "succeeded"}))
    assert gateway.refund("pi_ana", "cs_test_ana", part, "clm_ana").verdict is verdict
    assert [asked.headers["Idempotency-Key"] for asked in stripe_says.asked] == keys


@pytest.mark.parametrize(
    ("says", "result"),
    [
        (
            Says(body={"id": "acct_1", "charges_enabled": True}),
            AccountResult(Verdict.DONE, "acct_1", False, True),
        ),
        (Says(body={"id": "acct_1"}), AccountResult(Verdict.DONE, "acct_1", False, False)),
        (Says(body={}), AccountResult(Verdict.UNKNOWN, reason="unreadable_answer")),
        (Says(401, make_error()), AccountResult(Verdict.PARKED, reason="key_refused")),
    ],
)
def test_the_account_behind_a_key_is_named(
    gateway: Gateway, stripe_says: ScriptedStripe, says: Says, result: AccountResult
) -> None:
    stripe_says.says(says)
    assert gateway.account() == result


@pytest.mark.parametrize(
    "call",
    [
        lambda gateway: gateway.create(make_request()),
        lambda gateway: gateway.retrieve("cs_test_ana"),
        lambda gateway: gateway.expire("cs_test_ana"),
        lambda gateway: gateway.refund("pi_ana", "cs_test_ana", None, "clm_ana"),
        lambda gateway: gateway.account(),
    ],
    ids=["create", "retrieve", "expire", "refund", "account"],
)
def test_no_text_of_stripe_and_no_key_is_in_a_result_or_in_the_log(
    gateway: Gateway,
    stripe_says: ScriptedStripe,
    caplog: pytest.LogCaptureFixture,
    call: Callable[[Gateway], object],
) -> None:
    caplog.set_level("INFO")
    stripe_says.says(Says(400, make_error(param="ana@example.com", code="ana@example.com")))
    told = f"{call(gateway)!r} {gateway!r} {caplog.text}"
    assert "ana@" not in told
    assert KEYS.secret_key not in told
