import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from redis import Redis
from sqlalchemy import text

from claimbot.core.outbox import Work
from claimbot.db.engine import Ledger
from claimbot.failpoints import armed
from claimbot.flows import deliver
from claimbot.jobs import ClockLoop, Doorbell, WakeJob, WorkerLoop, where
from tests.engine import Engine, running_engine

# Two busy cores: what takes a tenth of a second alone may take a few of them.
PATIENCE_SECONDS = 8.0


@pytest.fixture
def engine(on_sqlite: Ledger, redis_url: str) -> Iterator[Engine]:
    with running_engine(on_sqlite, redis_url) as engine:
        yield engine


@contextmanager
def running(loop: WorkerLoop | ClockLoop) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=loop.run, daemon=True)
    thread.start()
    yield thread
    loop.stop()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


def seconds_until(is_true: Callable[[], object]) -> float:
    began_at = time.monotonic()
    while not is_true():
        assert time.monotonic() < began_at + PATIENCE_SECONDS, "it did not happen"
        time.sleep(0.01)
    return time.monotonic() - began_at


def heard_by(engine: Engine, *people: str) -> bool:
    return all(engine.heard(person) for person in people)


def rows_in(engine: Engine, state: str) -> int:
    return int(engine.rows("SELECT count(*) FROM outbox WHERE state = :state", state=state)[0][0])


def end_leases(engine: Engine) -> None:
    """As if half a minute had passed."""
    with engine.parts.ledger.begin() as tx:
        tx.execute(
            text("UPDATE outbox SET lease_until = '2020-01-01 00:00:00.000000' WHERE state = 'running'")
        )


def workers_known(client: Redis) -> int:
    return int(client.scard("rq:workers"))


def test_a_ring_wakes_the_worker_long_before_it_would_look(engine: Engine, redis_client: Redis) -> None:
    engine.drop(stock_units=3)
    with running(WorkerLoop(engine.parts, threads=4)):
        seconds_until(lambda: workers_known(redis_client) == 1)
        engine.dm("ann")

        assert seconds_until(lambda: heard_by(engine, "ann")) < 0.9


@pytest.mark.matrix(23)
def test_the_worker_looks_by_itself_when_the_queue_was_flushed(engine: Engine, redis_client: Redis) -> None:
    engine.drop(stock_units=3)
    engine.dm("ann")
    redis_client.flushall()

    with running(WorkerLoop(engine.parts, threads=4)):
        seconds_until(lambda: heard_by(engine, "ann"))


def test_a_stopped_worker_leaves_no_name_in_the_queue(engine: Engine, redis_client: Redis) -> None:
    with running(WorkerLoop(engine.parts, threads=2)):
        seconds_until(lambda: workers_known(redis_client) == 1)

    seconds_until(lambda: workers_known(redis_client) == 0)


def test_slow_sends_run_side_by_side(engine: Engine) -> None:
    engine.drop(stock_units=24)
    people = [f"person{number}" for number in range(24)]
    for person in people:
        engine.dm(person)
    engine.world.fault("graph", "slow", times=24, delay_seconds=0.5)

    with running(WorkerLoop(engine.parts, threads=24)):
        took = seconds_until(lambda: heard_by(engine, *people))

    assert took < 24 * 0.5 / 2


def test_a_worker_takes_no_more_rows_than_it_has_hands(engine: Engine) -> None:
    engine.drop(stock_units=3)
    for person in ("ann", "ben", "cleo"):
        engine.dm(person)
    gate = threading.Event()

    with armed("offer.after_session", gate.wait), running(WorkerLoop(engine.parts, threads=2)):
        seconds_until(lambda: rows_in(engine, "running") == 2)
        time.sleep(0.1)
        assert rows_in(engine, "running") == 2
        gate.set()
        seconds_until(lambda: heard_by(engine, "ann", "ben", "cleo"))


def test_stopping_finishes_what_is_being_sent(engine: Engine) -> None:
    engine.drop(stock_units=1)
    engine.dm("ann")
    gate = threading.Event()
    loop = WorkerLoop(engine.parts, threads=1)

    with armed("offer.after_session", gate.wait), running(loop) as thread:
        seconds_until(lambda: rows_in(engine, "running") == 1)
        loop.stop()
        thread.join(0.3)
        assert thread.is_alive()
        gate.set()

    assert heard_by(engine, "ann")


def test_a_story_that_breaks_is_tried_again_later_with_its_reason(engine: Engine) -> None:
    engine.drop(stock_units=1)
    engine.dm("ann")

    def break_story() -> None:
        raise KeyError("a text that must not be kept")

    with armed("offer.after_session", break_story), running(WorkerLoop(engine.parts, threads=1)):
        seconds_until(lambda: engine.rows("SELECT 1 FROM outbox WHERE reason = 'fault:KeyError'"))

    assert rows_in(engine, "ready") == 1


def test_the_clock_ends_holds_and_shows_that_it_lives(engine: Engine) -> None:
    engine.drop(stock_units=1)
    engine.dm("ann")
    engine.work()
    engine.pass_time(minutes=30)

    with running(ClockLoop(engine.parts)):
        seconds_until(lambda: engine.states().get("held", 0) == 0)

    assert engine.rows("SELECT 1 FROM marks WHERE name LIKE 'beat:clock:%'")


def test_two_clocks_give_one_unit_to_one_person(engine: Engine) -> None:
    engine.drop(stock_units=1)
    for person in ("ann", "ben", "cleo"):
        engine.dm(person)
    engine.work()
    engine.pass_time(minutes=30)

    with running(ClockLoop(engine.parts)), running(ClockLoop(engine.parts)):
        seconds_until(lambda: engine.states().get("held", 0) == 0)
        engine.work()
        seconds_until(lambda: engine.states().get("held", 0) == 1)

    assert engine.states() == {"expired": 1, "held": 1, "waitlisted": 1}


def test_the_ears_run_nothing_but_a_wake_up(redis_client: Redis) -> None:
    job = WakeJob.create("os.getcwd", connection=redis_client)

    with pytest.raises(PermissionError):
        job.perform()


def test_a_ring_during_another_is_one() -> None:
    doorbell = Doorbell()
    doorbell.ring()
    doorbell.ring()
    doorbell.wait(PATIENCE_SECONDS)

    began_at = time.monotonic()
    doorbell.wait(0.05)

    assert time.monotonic() - began_at >= 0.04


def test_a_fault_is_told_by_kind_and_place_without_its_text() -> None:
    with pytest.raises(ValueError) as caught:
        int("a follower's words")

    assert where(caught.value).startswith("ValueError at test_jobs.py:")


def test_every_kind_of_work_has_a_story() -> None:
    assert set(deliver.STORIES) == set(Work)


@pytest.mark.matrix(22)
def test_a_worker_that_slept_past_its_lease_does_not_send_again(engine: Engine) -> None:
    engine.drop(stock_units=1)
    engine.dm("ann")
    asleep, go_on = threading.Event(), threading.Event()

    def sleep_once() -> None:
        if not asleep.is_set():
            asleep.set()
            go_on.wait(PATIENCE_SECONDS)

    with armed("offer.after_session", sleep_once), running(WorkerLoop(engine.parts, threads=1)):
        assert asleep.wait(PATIENCE_SECONDS)
        end_leases(engine)
        engine.work()
        assert heard_by(engine, "ann")
        go_on.set()

    assert len(engine.heard("ann")) == 1


def test_a_queue_that_is_down_costs_no_message(on_sqlite: Ledger, redis_url: str) -> None:
    with running_engine(on_sqlite, redis_url, QUEUE_REDIS_URL="redis://127.0.0.1:9") as engine:
        engine.drop(stock_units=1)
        engine.dm("ann")

        with running(WorkerLoop(engine.parts, threads=1)):
            seconds_until(lambda: heard_by(engine, "ann"))
