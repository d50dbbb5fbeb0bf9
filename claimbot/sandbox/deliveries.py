"""How does a webhook reach the engine? Signed anew for every try, now or in the background, bounded."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import httpx

from claimbot.sandbox.clock import WorldClock
from claimbot.sandbox.counters import Counters
from claimbot.sandbox.faults import Faults

Sign = Callable[[bytes, float, bool], Mapping[str, str]]

# Waits between tries, in seconds of the world's clock; after the last one the delivery is given up.
RETRY_WAITS_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
# Enough for the echoes of a storm to keep up with the sends.
SENDER_THREADS = 8
# A world that runs away must not eat the machine's memory.
MAX_WAITING = 100_000
# The engine is expected to answer within 5 s; a platform gives up somewhat later.
ANSWER_TIMEOUT_SECONDS = 20.0
# How long a sender thread sleeps before it looks at the (movable) clock again.
POLL_SECONDS = 0.1

NOT_REACHED = 0


@dataclass(frozen=True, slots=True)
class Post:
    """One webhook body on its way. `sign(body, now_seconds, wrong)` makes the headers of one try."""

    target: str
    url: str
    body: bytes
    sign: Sign
    tries: int = 0
    on_end: Callable[[bool], None] | None = None
    """Told once, whether it was delivered or given up."""
    on_try: Callable[[], None] | None = None
    """Told after the first try, however it ended."""

    def accepts(self, status: int) -> bool:
        """Meta wants exactly 200; Stripe any 2xx."""
        return status == 200 if self.target == "graph" else 200 <= status < 300


class Deliveries:
    """Owns the HTTP client toward the engine and the threads that send; they start when needed."""

    def __init__(
        self,
        clock: WorldClock,
        faults: Faults,
        counters: Counters,
        stamp: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._stamp = stamp
        self._faults = faults
        self._counters = counters
        limits = httpx.Limits(max_connections=256, max_keepalive_connections=32)
        timeout = httpx.Timeout(ANSWER_TIMEOUT_SECONDS, connect=3.0)
        self._client = httpx.Client(trust_env=False, limits=limits, timeout=timeout)
        self._heap: list[tuple[float, int, Post]] = []
        self._ticket = itertools.count()
        self._wake = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._in_flight = 0
        self._closed = False

    def now(self, post: Post, retry: bool = True) -> int:
        """One try in this thread; the engine's status, 0 when not reached or the webhook was lost."""
        status = self._try(post)
        if status is None:
            return NOT_REACHED
        if not post.accepts(status) and retry:
            self._again(replace(post, tries=1))
        return status

    def later(self, post: Post, delay_seconds: float = 0.0) -> None:
        with self._wake:
            if self._closed or len(self._heap) >= MAX_WAITING:
                self._counters.count("deliveries.refused")
                return
            due = self._clock.seconds() + delay_seconds
            heapq.heappush(self._heap, (due, next(self._ticket), post))
            if len(self._threads) < SENDER_THREADS:
                self._start_one()
            self._wake.notify()

    def waiting(self) -> int:
        with self._wake:
            return len(self._heap) + self._in_flight

    def clear(self) -> None:
        with self._wake:
            self._heap.clear()

    def close(self) -> None:
        with self._wake:
            self._closed = True
            self._heap.clear()
            self._wake.notify_all()
        self._client.close()

    def _start_one(self) -> None:
        thread = threading.Thread(target=self._send_all, name="sandbox-delivery", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _send_all(self) -> None:
        while True:
            post = self._next()
            if post is None:
                return
            try:
                self._send(post)
            finally:
                with self._wake:
                    self._in_flight -= 1

    def _next(self) -> Post | None:
        """Waits for a delivery that is due; None when closed."""
        with self._wake:
            while not self._closed:
                if self._heap and self._heap[0][0] <= self._clock.seconds():
                    self._in_flight += 1
                    return heapq.heappop(self._heap)[2]
                self._wake.wait(POLL_SECONDS if self._heap else None)
        return None

    def _send(self, post: Post) -> None:
        status = self._try(post)
        if post.on_try is not None and post.tries == 0:
            post.on_try()
        if status is None:
            _end(post, False)
        elif post.accepts(status):
            _end(post, True)
        else:
            self._again(replace(post, tries=post.tries + 1))

    def _again(self, post: Post) -> None:
        if post.tries > len(RETRY_WAITS_SECONDS):
            self._counters.count("deliveries.given_up")
            _end(post, False)
        else:
            self.later(post, RETRY_WAITS_SECONDS[post.tries - 1])

    def _try(self, post: Post) -> int | None:
        """None when the webhook was lost on purpose."""
        if self._faults.take(post.target, "webhook_drop"):
            self._counters.count("deliveries.dropped")
            return None
        wrong = self._faults.take(post.target, "wrong_signature") is not None
        headers = {
            "Content-Type": "application/json",
            **post.sign(post.body, self._stamp(), wrong),
        }
        self._counters.count("deliveries.tried")
        try:
            status = self._client.post(post.url, content=post.body, headers=headers).status_code
        except (httpx.HTTPError, RuntimeError):
            # RuntimeError: the client was closed while this thread was on its way.
            status = NOT_REACHED
        self._counters.count("deliveries.accepted" if post.accepts(status) else "deliveries.failed")
        return status


def _end(post: Post, delivered: bool) -> None:
    if post.on_end is not None:
        post.on_end(delivered)
