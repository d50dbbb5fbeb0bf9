"""How long must this call wait, so that all workers together stay inside a provider's rate limit?

The counting is the `limits` library's: a sliding window of two counters, timed by the Redis server, so that
the workers' clocks do not matter. Without Redis each process counts for itself: too many calls for a while
are answered by the provider with "later", too few would silence everybody.
"""

import time
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


class Budgets:
    def __init__(self, client: Client, breaker: Breaker | None = None) -> None:
        self._breaker = breaker or Breaker()
        self._shared = SlidingWindowCounterRateLimiter(ClientStorage(client))
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())

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
