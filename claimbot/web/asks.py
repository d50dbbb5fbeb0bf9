"""May this visitor have Stripe asked for the truth? Rarely for each claim, few at a time, never for long."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong

from claimbot.core.errors import Outside
from claimbot.flows.poll import ask_about_session
from claimbot.parts import Parts

log = logging.getLogger("claimbot.pay")

# A page that comes back from Stripe may not keep a person waiting longer.
WAIT_SECONDS = 3.0
# The page looks again every two seconds; Stripe's calls are needed for those who want to pay.
AGAIN_SECONDS = 10.0
AT_A_TIME = 4
CLAIMS_REMEMBERED = 10_000


class Asks:
    """One for each process. Without an answer in time the question goes on; the next look sees its effect."""

    def __init__(self, parts: Parts, seconds: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="asks")
        self._free = threading.Semaphore(AT_A_TIME)
        self._lock = threading.Lock()
        self._asked: OrderedDict[str, float] = OrderedDict()

    def ask(self, claim_id: str) -> None:
        """Returns within WAIT_SECONDS; what Stripe says is settled in the ledger."""
        if not self._may_ask(claim_id) or not self._free.acquire(blocking=False):
            return
        asked = self._pool.submit(self._ask, claim_id)
        try:
            asked.result(WAIT_SECONDS)
        except TookTooLong:
            log.info("stripe_slow claim=%s", claim_id)

    def _ask(self, claim_id: str) -> None:
        try:
            ask_about_session(self._parts, claim_id)
        except Outside as trouble:
            log.warning("ask_failed claim=%s %s", claim_id, type(trouble).__name__)
        finally:
            self._free.release()

    def _may_ask(self, claim_id: str) -> bool:
        at = self._seconds()
        with self._lock:
            if at - self._asked.get(claim_id, -AGAIN_SECONDS) < AGAIN_SECONDS:
                return False
            self._asked[claim_id] = at
            self._asked.move_to_end(claim_id)
            while len(self._asked) > CLAIMS_REMEMBERED:
                self._asked.popitem(last=False)
        return True
