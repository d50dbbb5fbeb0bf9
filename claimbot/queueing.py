"""How is a worker woken up? One pending wake-up at most; the outbox table says what there is to do."""

import logging
import threading

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
# First the answers go out that made it ring; and whoever else pulls meanwhile rings with them.
BREATH_SECONDS = 0.002
# After a failure the bell is left alone for a while: workers look each second anyway.
REST_SECONDS = 2.0
# A command that ends right after its ring lets it out, if Redis is quick.
LAST_RING_SECONDS = 0.5


class Bell:
    """Rings for the workers. Never raises and never waits: it has a thread of its own.

    A slow queue must not hold up an acknowledgement; a bell that fails costs a second, not a message.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._queue = Queue(QUEUE_NAME, connection=client, serializer=JSONSerializer)
        self._pulled = threading.Event()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ring(self) -> None:
        """Returns at once; several rings may become one."""
        self._pulled.set()
        if self._thread is None:
            with self._lock:
                self._start()

    def answer(self) -> None:
        """A worker heard it: what happens from now on rings again."""
        try:
            self._client.delete(RUNG_KEY)
        except RedisError as error:
            log.warning("bell_failed %s", type(error).__name__)

    def close(self) -> None:
        self._over.set()
        self._pulled.set()
        if self._thread is not None:
            self._thread.join(LAST_RING_SECONDS)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._over.is_set():
            self._pulled.wait()
            self._over.wait(BREATH_SECONDS)
            self._pulled.clear()
            if not self._ring():
                self._over.wait(REST_SECONDS)

    def _ring(self) -> bool:
        try:
            if self._client.set(RUNG_KEY, "1", nx=True, px=RUNG_MS):
                self._queue.enqueue(WAKE_JOB, result_ttl=0, failure_ttl=0, ttl=60, job_timeout=30)
        except (RedisError, OSError, ValueError) as error:
            # ValueError: the connection was closed at the end of this process.
            log.warning("bell_failed %s", type(error).__name__)
            return False
        return True
