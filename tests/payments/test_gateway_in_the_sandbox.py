"""The gateway against the sandbox's Stripe, which keeps sessions, keys and events of its own."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from werkzeug.serving import make_server

from claimbot.core.checkouts import expires_clamp
from claimbot.core.messages import Verdict
from claimbot.core.payments import CheckoutRequest, NewsKind, SessionNews, SessionState
from claimbot.payments.gateway import Gateway
from claimbot.payments.results import CallResult
from claimbot.sandbox.app import create_app, world_of
from claimbot.sandbox.config import StripeConfig, WorldConfig
from tests.payments.builders import KEYS, SECRET, make_request

NOBODY = "http://127.0.0.1:9"  # the discard port: no engine listens for events here


@pytest.fixture(scope="module")
def world_url() -> Iterator[str]:
    stripe = StripeConfig(KEYS.secret_key, SECRET, "/webhooks/stripe/aurora")
    app = create_app(WorldConfig(NOBODY, stripe=(stripe,), stripe_rate_limit=False), None)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    world_of(app).close()


@pytest.fixture
def gateway(world_url: str) -> Gateway:
    return Gateway(KEYS, f"{world_url}/stripe", timeouts_seconds=(1, 2))


def fresh(claim_id: str, hold_minutes: int = 10) -> CheckoutRequest:
    now = datetime.now(UTC)
    ends_at = expires_clamp(now + timedelta(minutes=hold_minutes), now)
    return make_request(claim_id=claim_id, expires_at=ends_at)


def news_of(result: CallResult) -> SessionNews:
    assert result.news is not None
    return result.news


def pay(world_url: str, session_id: str) -> None:
    url = f"{world_url}/api/stripe/sessions/{session_id}/pay"
    httpx.post(url, json={"email": "ana@example.com"}).raise_for_status()


@pytest.mark.parametrize("hold_minutes", [1, 60, 24 * 60, 7 * 24 * 60])
def test_every_hold_makes_a_session_that_stripe_accepts(gateway: Gateway, hold_minutes: int) -> None:
    assert gateway.create(fresh(f"clm_hold_{hold_minutes}", hold_minutes)).verdict is Verdict.DONE


def test_the_same_attempt_is_the_same_session(gateway: Gateway) -> None:
    attempt = fresh("clm_twice")
    assert news_of(gateway.create(attempt)).session_id == news_of(gateway.create(attempt)).session_id


def test_a_lost_answer_is_found_by_the_same_key_and_by_the_claim(gateway: Gateway, world_url: str) -> None:
    fault = {"target": "stripe", "fault": "timeout_after_accept", "times": 1, "delay_seconds": 1}
    httpx.post(f"{world_url}/api/faults", json=fault).raise_for_status()
    attempt, hasty = fresh("clm_lost"), Gateway(KEYS, f"{world_url}/stripe", timeouts_seconds=(1, 0.3))
    assert hasty.create(attempt).verdict is Verdict.UNKNOWN
    found = gateway.find_by_claim("clm_lost", datetime.now(UTC) - timedelta(hours=1))
    assert [news.session_id for news in found.sessions] == [news_of(gateway.create(attempt)).session_id]


def test_other_parameters_under_a_used_key_ask_for_a_new_epoch(gateway: Gateway) -> None:
    attempt = fresh("clm_changed")
    gateway.create(attempt)
    result = gateway.create(replace(attempt, quantity=1))
    assert (result.verdict, result.reason, result.is_new_epoch_needed) == (Verdict.RETRY, "key_reused", True)


def test_an_end_too_near_asks_for_a_new_epoch(gateway: Gateway) -> None:
    too_near = datetime.now(UTC) + timedelta(minutes=20)
    result = gateway.create(make_request(claim_id="clm_near", expires_at=too_near))
    assert (result.reason, result.is_new_epoch_needed) == ("expires_at_refused", True)


def test_expiring_twice_says_expired_twice(gateway: Gateway) -> None:
    session_id = news_of(gateway.create(fresh("clm_ended"))).session_id
    states = [news_of(gateway.expire(session_id)).state, news_of(gateway.expire(session_id)).state]
    assert states == [SessionState.EXPIRED, SessionState.EXPIRED]


def test_expiring_a_paid_session_says_paid(gateway: Gateway, world_url: str) -> None:
    session_id = news_of(gateway.create(fresh("clm_paid"))).session_id
    pay(world_url, session_id)
    result = gateway.expire(session_id)
    assert (result.verdict, news_of(result).state) == (Verdict.DONE, SessionState.COMPLETE_PAID)


def test_a_refund_asked_for_twice_is_one_refund_and_is_heard_of(gateway: Gateway, world_url: str) -> None:
    session_id = news_of(gateway.create(fresh("clm_back"))).session_id
    pay(world_url, session_id)
    intent = news_of(gateway.retrieve(session_id)).payment_intent
    first = gateway.refund(intent, session_id, None, "clm_back")
    second = gateway.refund(intent, session_id, None, "clm_back")
    events = [event.refund for event in gateway.events_since(datetime.now(UTC) - timedelta(hours=1))]
    told = [news for news in events if news is not None and news.claim_id == "clm_back"]
    assert first == second
    assert {news.is_full for news in told} == {True}


def test_events_of_the_poll_say_what_the_sessions_say(gateway: Gateway, world_url: str) -> None:
    session_id = news_of(gateway.create(fresh("clm_poll"))).session_id
    pay(world_url, session_id)
    events = gateway.events_since(datetime.now(UTC) - timedelta(hours=1))
    told = [event for event in events if event.object_id == session_id]
    assert [event.kind for event in told] == [NewsKind.SESSION]
    assert told[0].session == replace(news_of(gateway.retrieve(session_id)), account=told[0].account)
