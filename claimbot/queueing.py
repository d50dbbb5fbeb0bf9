"""How is a worker woken up? One pending wake-up at most; the outbox table says what there is to do."""

import logging
import time
from collections.abc import Callable

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

log = logging.getLogger("claimbot.queue")

QUEUE_NAME = "claimbot"
RUNG_KEY = "claimbot:rung"
WAKE_JOB = "claimbot.jobs.wake"
# A wake-up that no worker heard within this time may be given again; workers look each second anyway.
RUNG_MS = 1000
# After a failure the bell is left alone for a while: workers look each second anyway.
REST_SECONDS = 2.0


class Bell:
    """Rings for the workers. Never raises: a bell that fails costs a second, not a message."""

    def __init__(self, client: Redis, seconds: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._queue = Queue(QUEUE_NAME, connection=client, serializer=JSONSerializer)
        self._seconds = seconds
        self._rests_until = 0.0

    def ring(self) -> None:
        if self._seconds() < self._rests_until:
            return
        try:
            if self._client.set(RUNG_KEY, "1", nx=True, px=RUNG_MS):
                self._queue.enqueue(WAKE_JOB, result_ttl=0, failure_ttl=0, ttl=60, job_timeout=30)
        except RedisError as error:
            self._rests_until = self._seconds() + REST_SECONDS
            log.warning("bell_failed %s", type(error).__name__)

    def answer(self) -> None:
        """A worker heard it: what happens from now on rings again."""
        try:
            self._client.delete(RUNG_KEY)
        except RedisError as error:
            log.warning("bell_failed %s", type(error).__name__)
