"""Does the fake Stripe remember keys, and misbehave exactly as asked?"""

import json
import threading
from urllib.parse import quote

import httpx
import pytest
import stripe

from tests.sandbox.engine import Engine
from tests.sandbox.test_stripe import SESSIONS, call, create, paid
from tests.sandbox.worlds import Running


def body_of(world: Running, name: str = "Aurora cap") -> str:
    expires_at = int(world.world.ground.clock.seconds()) // 100 * 100 + 40 * 60
    line = "line_items[0]"
    return (
        f"mode=payment&success_url={quote('http://127.0.0.1/done')}&expires_at={expires_at}"
        f"&{line}[quantity]=1&{line}[price_data][currency]=eur&{line}[price_data][unit_amount]=100"
        f"&{line}[price_data][product_data][name]={quote(name)}"
    )


def make(world: Running, key: str, name: str = "Aurora cap") -> httpx.Response:
    return call(world, "POST", SESSIONS, body_of(world, name), **{"Idempotency-Key": key})


def test_the_same_key_gives_the_same_answer(world: Running) -> None:
    first, second = make(world, "k1"), make(world, "k1")
    assert first.json() == second.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"


def test_a_key_with_other_parameters_is_refused(world: Running) -> None:
    make(world, "k1")
    answer = make(world, "k1", "Borealis cap")
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "idempotency_error")


def test_a_key_is_forgotten_after_a_day(world: Running) -> None:
    first = make(world, "k1")
    world.api("/clock", advance_seconds=24 * 3_600 + 1)
    assert make(world, "k1").json()["id"] != first.json()["id"]


def test_a_failed_validation_does_not_use_up_the_key(world: Running) -> None:
    refused = call(world, "POST", SESSIONS, "mode=payment", **{"Idempotency-Key": "k1"})
    assert refused.status_code == 400
    assert make(world, "k1").status_code == 200


def test_a_server_error_is_remembered(world: Running) -> None:
    world.fault("stripe", "error_500")
    first, second = make(world, "k1"), make(world, "k1")
    assert (first.status_code, second.status_code) == (500, 500)
    assert second.headers["idempotent-replayed"] == "true"
    assert world.get("/stripe/sessions") == []


def test_a_key_in_use_is_a_conflict(world: Running) -> None:
    world.fault("stripe", "slow", delay_seconds=1.0)
    slow = threading.Thread(target=make, args=(world, "k1"))
    slow.start()
    world.world.ground.stopped.wait(0.3)
    answer = make(world, "k1")
    slow.join()
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_key_in_use")


def test_a_lost_answer_can_be_asked_for_again(world: Running) -> None:
    world.fault("stripe", "timeout_after_accept", delay_seconds=0.05)
    with pytest.raises(httpx.RemoteProtocolError):
        make(world, "k1")
    answer = make(world, "k1")
    assert answer.headers["idempotent-replayed"] == "true"
    assert [one["id"] for one in world.get("/stripe/sessions")] == [answer.json()["id"]]


def test_an_accepted_call_may_answer_500(world: Running) -> None:
    world.fault("stripe", "error_500_after_accept")
    assert (make(world, "k1").status_code, make(world, "k1").status_code) == (500, 500)
    assert len(world.get("/stripe/sessions")) == 1


def test_a_reset_connection_was_not_accepted(world: Running) -> None:
    world.fault("stripe", "reset")
    with pytest.raises(httpx.RemoteProtocolError):
        make(world, "k1")
    assert world.get("/stripe/sessions") == []


@pytest.mark.parametrize(
    ("fault", "code", "has_reason"),
    [("rate_429", "rate_limit", True), ("lock_timeout_429", "lock_timeout", False)],
)
def test_two_kinds_of_429_are_told_apart(world: Running, fault: str, code: str, has_reason: bool) -> None:
    world.fault("stripe", fault)
    answer = make(world, "k1")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, code)
    assert ("Stripe-Rate-Limited-Reason" in answer.headers) is has_reason
    assert make(world, "k1").status_code == 200


def test_expire_may_lie(world: Running) -> None:
    made = create(world)
    world.fault("stripe", "expire_says_complete")
    with pytest.raises(stripe.InvalidRequestError, match="status of `complete`"):
        world.stripe.v1.checkout.sessions.expire(made.id)
    assert world.stripe.v1.checkout.sessions.retrieve(made.id).status == "open"


def test_a_buyer_may_pay_at_the_moment_of_expiry(engine: Engine, world: Running) -> None:
    made = create(world)
    world.fault("stripe", "paid_at_expire")
    with pytest.raises(stripe.InvalidRequestError, match="status of `complete`"):
        world.stripe.v1.checkout.sessions.expire(made.id)
    assert engine.wait_for_type("checkout.session.completed").told["data"]["object"]["id"] == made.id


def test_an_event_may_come_twice(engine: Engine, world: Running) -> None:
    world.fault("stripe", "webhook_duplicate")
    paid(world)
    first, second = engine.wait_for(2)
    assert first.told["id"] == second.told["id"]


def test_one_fact_may_have_two_ids(engine: Engine, world: Running) -> None:
    world.fault("stripe", "webhook_two_ids")
    paid(world)
    first, second = engine.wait_for(2)
    assert first.told["id"] != second.told["id"]
    assert first.told["data"]["object"]["id"] == second.told["data"]["object"]["id"]


def test_an_event_may_be_overtaken(engine: Engine, world: Running) -> None:
    world.fault("stripe", "webhook_reorder", delay_seconds=1.0)
    made = paid(world)
    world.api(f"/stripe/sessions/{made.id}/refund")
    types = [one.told["type"] for one in engine.wait_for(3)]
    assert types[-1] == "checkout.session.completed"


def test_a_refused_event_is_signed_anew_and_sent_again(engine: Engine, world: Running) -> None:
    engine.answers.append(500)
    paid(world)
    first, second = engine.wait_for(2)
    assert first.body == second.body
    assert json.loads(first.body)["type"] == "checkout.session.completed"
