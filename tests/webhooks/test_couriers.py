"""A worker calls the brands' own systems with hands of its own."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from claimbot.db.engine import Ledger
from claimbot.jobs import WorkerLoop
from claimbot.webhooks import post
from tests.engine import Engine, running_engine
from tests.webhooks.ears import call_by, in_state, listen
from tests.webhooks.receiver import URL, Receiver

# Two busy cores: what takes a tenth of a second alone may take a few of them.
PATIENCE_SECONDS = 15.0
PEOPLE = [f"person{number}" for number in range(12)]


@pytest.fixture
def engine(on_sqlite: Ledger, redis_url: str) -> Iterator[Engine]:
    with running_engine(on_sqlite, redis_url) as running:
        yield running


@contextmanager
def working(engine: Engine) -> Iterator[None]:
    """A worker with two hands for messages."""
    loop = WorkerLoop(engine.parts, threads=2)
    thread = threading.Thread(target=loop.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.stop()
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


def wait_until(is_true: Callable[[], object]) -> None:
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while not is_true():
        assert time.monotonic() < ends_at, "it did not happen"
        time.sleep(0.02)


def test_a_worker_brings_what_happened(engine: Engine, receiver: Receiver) -> None:
    listen(engine, receiver)
    engine.drop(stock_units=1)
    with working(engine):
        engine.dm("ana")
        wait_until(lambda: receiver.told() == [("claim.held", "")])
        wait_until(lambda: in_state(engine, "delivered") == 1)


@pytest.mark.matrix(50)
def test_winners_are_told_while_every_endpoint_keeps_its_hand_waiting(
    engine: Engine, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "POST_SECONDS", 1.0)
    receiver.mode = "slow"
    for number in range(5):
        listen(engine, receiver, f"{URL}/{number}")
    engine.drop(stock_units=len(PEOPLE))
    for who in PEOPLE[:2]:
        engine.dm(who)
    with working(engine):
        wait_until(lambda: receiver.connections >= 5)
        for who in PEOPLE[2:]:
            engine.dm(who)
        wait_until(lambda: all(engine.heard(who) for who in PEOPLE))
    assert (in_state(engine, "delivered"), in_state(engine, "waiting")) == (0, 5 * len(PEOPLE))


def test_an_endpoint_that_breaks_our_story_stops_no_other(engine: Engine, receiver: Receiver) -> None:
    """A key that was taken off the ring opens no secret: that is a fault of ours, and of one endpoint."""
    broken = listen(engine, receiver, f"{URL}/broken")
    listen(engine, receiver)
    call_by(engine, receiver)
    with engine.parts.ledger.begin() as tx:
        tx.exec_driver_sql(f"UPDATE endpoints SET secret_sealed = 'AAAA' WHERE id = '{broken.id}'")
    engine.drop(stock_units=1)
    with working(engine):
        engine.dm("ana")
        wait_until(lambda: in_state(engine, "delivered") == 1)
    assert {one.line for one in receiver.calls} == {"POST /claims HTTP/1.1"}
