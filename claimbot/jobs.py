"""What runs in the background? The worker delivers what is due, the clock looks after what nobody asks for.

RQ only wakes a worker up. The outbox says what there is to do, and a worker looks there each second anyway:
without the queue's Redis everything is still done, a second later.
"""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any, Protocol

from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty

from claimbot.core.errors import LedgerUnavailable, Outside
from claimbot.core.outbox import OutboxRow
from claimbot.flows.deliver import deliver, note_fault, take
from claimbot.flows.notify import list_ready, notify
from claimbot.flows.sweep import Rounds, beat, chores
from claimbot.parts import Parts, connect_queue
from claimbot.queueing import QUEUE_NAME, WAKE_JOB

log = logging.getLogger("claimbot.jobs")

# Work that no bell told us of waits this long at most.
LOOK_SECONDS = 1.0
# `doctor` takes a process for dead when it misses a few of these.
BEAT_SECONDS = 10.0
# What is being sent when we are told to stop gets this long; longer than the time limits of one send.
DRAIN_SECONDS = 25.0
# A hand waits so long for its turn in a budget. Longer would keep hands from other accounts, and from Stripe.
PATIENCE_SECONDS = 2.0
# The clock's chores are due each second at the earliest.
ROUND_SECONDS = 0.5
# A worker that RQ has not heard of for this long is taken off its list; the blocking look takes half of it.
EARS_TTL_SECONDS = 30
# Between two attempts to reach the queue's Redis.
EARS_REST_SECONDS = 2.0
# Brands' own systems are called by as many hands at once: one for each endpoint, apart from those that send.
NOTICE_HANDS = 8


def wake() -> None:
    """The job that the bell puts into RQ. That it arrived is the whole message; see Ears."""


class Doorbell:
    """Wakes one loop up. May be rung from any thread, and from a signal: SimpleQueue allows that."""

    def __init__(self) -> None:
        self._rung: SimpleQueue[None] = SimpleQueue()

    def ring(self) -> None:
        self._rung.put(None)

    def wait(self, seconds: float) -> None:
        """Returns when it is rung, or after `seconds`; several rings are one."""
        with suppress(Empty):
            self._rung.get(timeout=seconds)
            while True:
                self._rung.get_nowait()


class WakeJob(Job):
    """Runs our one job and nothing else, whoever may write to the queue."""

    def perform(self) -> Any:
        if self.func_name != WAKE_JOB:
            raise PermissionError("only wake-ups are run")
        return super().perform()


class Ears(SimpleWorker):
    """An RQ worker in a thread of ours: no signals, no commands, no process title, no fork."""

    # RQ's default sets an alarm, which only the main thread may do.
    death_penalty_class = TimerDeathPenalty
    max_connection_wait_time = 5.0
    on_wake: Callable[[], None]
    is_over = False

    def execute_job(self, job: Job, queue: Queue) -> None:
        self.on_wake()
        super().execute_job(job, queue)

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """RQ's loop passes here on every turn, also when it only retries."""
        if self.is_over:
            raise StopRequested
        super().heartbeat(timeout, pipeline)

    def leave(self) -> None:
        """Ends the loop in the other thread: a blocking look ends with its connection."""
        self.is_over = True
        # What RQ has to say about the connection that we close is no news.
        self.log.setLevel(logging.CRITICAL)
        with suppress(Exception):  # RQ's list of workers; it forgets us by itself as well
            self.register_death()  # type: ignore[no-untyped-call]  # RQ has no types here
        self.connection.connection_pool.disconnect()

    def _set_ip_address(self, connection: Any) -> None:
        """Asks Redis nothing: redis-py cannot read the answer when a socket's path has a blank in it."""
        self.ip_address = "unknown"

    def subscribe(self) -> None:
        return

    def procline(self, message: str) -> None:
        return

    def _install_signal_handlers(self) -> None:
        return


class Listening:
    """Keeps ears open in a daemon thread, and opens them again after every trouble."""

    def __init__(self, parts: Parts, doorbell: Doorbell) -> None:
        self._parts = parts
        self._doorbell = doorbell
        self._ears: Ears | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ears", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._ears is not None:
            self._ears.leave()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except Exception as trouble:  # a door: the loop works without ears
                log.warning("ears_failed %s", type(trouble).__name__)
            self._stopped.wait(EARS_REST_SECONDS)

    def _listen(self) -> None:
        connection = connect_queue(self._parts.settings)
        ears = Ears(
            [QUEUE_NAME],
            connection=connection,
            job_class=WakeJob,
            serializer=JSONSerializer,
            worker_ttl=EARS_TTL_SECONDS,
        )
        ears.on_wake = self._hear
        self._ears = ears
        try:
            if not self._stopped.is_set():
                ears.work(logging_level="ERROR")
        finally:
            connection.close()

    def _hear(self) -> None:
        """The key goes first: what happens from now on rings again."""
        self._parts.bell.answer()
        self._doorbell.ring()


class WorkerLoop:
    """Takes due rows, never more than it has hands, and does them side by side."""

    def __init__(self, parts: Parts, threads: int | None = None) -> None:
        self._parts = replace(parts, budgets=parts.budgets.patient(PATIENCE_SECONDS))
        self._threads = threads or parts.settings.sends_in_flight
        self._doorbell = Doorbell()
        self._pulse = Pulse(parts, "worker")
        self._couriers = Couriers(parts)
        self._in_flight: set[Future[None]] = set()
        self._is_more_due = False
        self._rests_until = 0.0
        self.is_stopping = False

    def stop(self) -> None:
        """Take nothing more; may be called from a signal."""
        self.is_stopping = True
        self._doorbell.ring()

    def run(self) -> bool:
        """Until `stop`. False when something was still being sent after DRAIN_SECONDS."""
        listening = Listening(self._parts, self._doorbell)
        listening.start()
        pool = ThreadPoolExecutor(self._threads, "send")
        log.info("worker_started hands=%d", self._threads)
        try:
            while not self.is_stopping:
                self._turn(pool)
        finally:
            listening.stop()
            self._couriers.stop()
            undone = wait_for(self._in_flight | self._couriers.in_flight, DRAIN_SECONDS).not_done
            pool.shutdown(wait=False, cancel_futures=True)
        log.info("worker_stopped undone=%d", len(undone))
        return not undone

    def _turn(self, pool: ThreadPoolExecutor) -> None:
        self._pulse.beat()
        self._couriers.look()
        self._in_flight = {future for future in self._in_flight if not future.done()}
        free = self._threads - len(self._in_flight)
        rows = self._take(free) if free else []
        self._is_more_due = len(rows) == free
        for row in rows:
            future = pool.submit(self._do, row)
            self._in_flight.add(future)
            future.add_done_callback(self._free_hand)
        self._doorbell.wait(LOOK_SECONDS)

    def _free_hand(self, _: Future[None]) -> None:
        if self._is_more_due:
            self._doorbell.ring()

    def _take(self, most: int) -> list[OutboxRow]:
        if time.monotonic() < self._rests_until:
            return []
        try:
            return take(self._parts, most)
        except Exception as trouble:  # a door: whatever it is, the next look may succeed
            log.warning("take_failed %s", where(trouble))
            self._rests_until = time.monotonic() + LOOK_SECONDS
            return []

    def _do(self, row: OutboxRow) -> None:
        """A row whose story broke is tried again later; if even that cannot be noted, its lease ends."""
        try:
            deliver(self._parts, row)
        except LedgerUnavailable:
            log.warning("row_left row=%s kind=%s LedgerUnavailable", row.id, row.kind)
        except Exception as trouble:  # a door: one bad row must not stop the others
            log.error("row_failed row=%s kind=%s %s", row.id, row.kind, where(trouble))
            with suppress(Outside):
                note_fault(self._parts, row, type(trouble).__name__)


class Couriers:
    """Bring notices to the brands' own systems, with hands of their own: a slow one holds up no message."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._pool = ThreadPoolExecutor(NOTICE_HANDS, "notice")
        self._due_at = 0.0
        self.in_flight: set[Future[None]] = set()

    def look(self) -> None:
        """Once a second at most; never waits."""
        if time.monotonic() < self._due_at:
            return
        self._due_at = time.monotonic() + LOOK_SECONDS
        self.in_flight = {future for future in self.in_flight if not future.done()}
        free = NOTICE_HANDS - len(self.in_flight)
        try:
            ready = list_ready(self._parts, free) if free else []
        except Exception as trouble:  # a door: messages go on
            log.warning("notices_not_seen %s", where(trouble))
            return
        self.in_flight |= {self._pool.submit(self._do, endpoint_id) for endpoint_id in ready}

    def stop(self) -> None:
        """Nothing more is begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _do(self, endpoint_id: str) -> None:
        """What broke is tried again when its lease ends."""
        try:
            notify(self._parts, endpoint_id)
        except Exception as trouble:  # a door: one endpoint must not stop the others
            log.error("notify_failed endpoint=%s %s", endpoint_id, where(trouble))


class ClockLoop:
    """Does every chore in its turn. Several clocks may run at once: each chore may be repeated."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._doorbell = Doorbell()
        self._pulse = Pulse(parts, "clock")
        self.is_stopping = False

    def stop(self) -> None:
        """May be called from a signal."""
        self.is_stopping = True
        self._doorbell.ring()

    def run(self) -> bool:
        """Until `stop`; always True, as the worker's."""
        rounds = Rounds(chores())
        log.info("clock_started")
        while not self.is_stopping:
            self._pulse.beat()
            if self._go(rounds):
                self._doorbell.wait(ROUND_SECONDS)
        log.info("clock_stopped")
        return True

    def _go(self, rounds: Rounds) -> bool:
        """False when a chore broke: it has had its turn, the ones after it have not."""
        try:
            rounds.go(self._parts, time.monotonic())
        except Exception as trouble:  # a door: a broken chore must not stop the others
            log.error("chore_broke %s", where(trouble))
            return False
        return True


class Pulse:
    """Tells the ledger now and then that this process is alive."""

    def __init__(self, parts: Parts, kind: str) -> None:
        self._parts = parts
        self._who = f"{kind}:{socket.gethostname()}:{os.getpid()}"
        self._due_at = 0.0

    def beat(self) -> None:
        if time.monotonic() < self._due_at:
            return
        self._due_at = time.monotonic() + BEAT_SECONDS
        try:
            beat(self._parts, self._who)
        except Outside as trouble:
            log.warning("beat_failed %s", type(trouble).__name__)


class Loop(Protocol):
    def run(self) -> bool: ...

    def stop(self) -> None: ...


@contextmanager
def stopped_by_signals(loop: Loop) -> Iterator[None]:
    """SIGTERM and SIGINT end the loop in order; what was set before comes back afterwards."""

    def stop(number: int, frame: FrameType | None) -> None:
        loop.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def where(trouble: BaseException) -> str:
    """`KeyError at reply.py:120`: the kind and the place, never the text, which may quote a message."""
    trace = trouble.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    return f"{type(trouble).__name__}{place}"
