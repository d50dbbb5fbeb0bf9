"""How long must this call wait, so that all workers together stay inside a provider's rate limit?

The counting is the `limits` library's: a sliding window of two counters, timed by the Redis server, so that
the workers' clocks do not matter. Without Redis each process counts for itself: too many calls for a while
are answered by the provider with "later", too few would silence everybody.
"""

import threading
import time
from copy import copy
from dataclasses import dataclass, field
from functools import cache

from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import SlidingWindowCounterRateLimiter

from claimbot.core.errors import StockUnavailable
from claimbot.stock import keys
from claimbot.stock.breaker import Breaker
from claimbot.stock.calls import FAULTS, Client

# Waiting less than this would only ask again; waiting for the last moment of a window must still end.
LEAST_WAIT_SECONDS = 0.01


class ClientStorage(RedisStorage):
    """The library's Redis storage on the client that we have, which may be a Cluster's."""

    def __init__(self, client: Client) -> None:
        Storage.__init__(self, None, wrap_exceptions=False)
        self.key_prefix = keys.BUDGET_PREFIX
        self.target_server = "redis"
        self.dependency = self.dependencies["redis"].module
        self.storage = client
        self.initialize_storage("")


@dataclass
class Lane:
    """Who of this process goes next through one budget, and when."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    next_at: float = 0.0
    """The next free turn of those who wait here."""
    back_at: float = 0.0
    """The next turn of those who were sent away; they come back at the budget's own pace, not all at once."""

    def join(self, now: float, gap_seconds: float, patience_seconds: float) -> tuple[float, bool]:
        """Seconds to the turn, and whether to wait for it here."""
        with self.lock:
            turn_at = max(self.next_at, now)
            if turn_at - now <= patience_seconds:
                self.next_at = turn_at + gap_seconds
                return turn_at - now, True
            self.back_at = max(self.back_at, turn_at) + gap_seconds
            return self.back_at - now, False


class Budgets:
    """`patience_seconds`: how long `wait_turn` may wait; 0 means not at all."""

    def __init__(self, client: Client, breaker: Breaker | None = None, patience_seconds: float = 0.0) -> None:
        self._breaker = breaker or Breaker()
        self._patience_seconds = patience_seconds
        self._lanes: dict[str, Lane] = {}
        self._shared = SlidingWindowCounterRateLimiter(ClientStorage(client))
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())

    def patient(self, patience_seconds: float) -> "Budgets":
        """The same budgets, for a worker whose hands may wait their turn."""
        twin = copy(self)
        twin._patience_seconds, twin._lanes = patience_seconds, {}
        return twin

    def wait_turn(self, scope: str, limit: str) -> float:
        """As `spend`, but waits a little: a row that is put back and taken again costs more than the send.

        Turns are evenly spread, so that a full window does not keep everybody out until it ends.
        """
        if self._patience_seconds <= 0:
            return self.spend(scope, limit)
        rule = _rule(limit)
        gap_seconds = rule.get_expiry() / rule.amount
        lane = self._lanes.setdefault(scope, Lane())
        wait_seconds, is_here = lane.join(time.monotonic(), gap_seconds, self._patience_seconds)
        if not is_here:
            return wait_seconds
        time.sleep(wait_seconds)
        # Other workers spend from it, too.
        ends_at = time.monotonic() + self._patience_seconds
        while (left_seconds := self.spend(scope, limit)) > 0 and time.monotonic() < ends_at:
            time.sleep(min(left_seconds, gap_seconds))
        return left_seconds

    def spend(self, scope: str, limit: str, cost: int = 1) -> float:
        """Seconds to wait before asking again; 0.0 = spent, go.

        `scope` such as `send:acc_x`; `limit` such as `20/second` or `750/hour`. Never raises for Redis.
        """
        rule = _rule(limit)
        # A call that costs more than the whole window would never pass.
        capped = min(cost, rule.amount)
        try:
            self._breaker.check()
            wait_seconds = _spend(self._shared, rule, scope, capped)
        except StockUnavailable:
            return _spend(self._own, rule, scope, capped)
        except (StorageError, *FAULTS):
            self._breaker.failed()
            return _spend(self._own, rule, scope, capped)
        self._breaker.worked()
        return wait_seconds


def _spend(limiter: SlidingWindowCounterRateLimiter, rule: RateLimitItem, scope: str, cost: int) -> float:
    if limiter.hit(rule, scope, cost=cost):
        return 0.0
    reset_at = limiter.get_window_stats(rule, scope).reset_time
    return min(max(reset_at - time.time(), LEAST_WAIT_SECONDS), float(rule.get_expiry()))


@cache
def _rule(limit: str) -> RateLimitItem:
    return parse(limit)
