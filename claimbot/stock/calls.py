"""How is Redis asked, and what becomes of its failures?

The only place that turns the client's exceptions into ours. One attempt for each call: whoever calls decides
what to do without Redis (units come straight from SQL), so nobody waits for a second try.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from redis import Redis, RedisCluster
from redis.exceptions import (
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,
    NoScriptError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    TimeoutError,
)

from claimbot.core.errors import StockUnavailable
from claimbot.stock import scripts
from claimbot.stock.breaker import Breaker

Client = Redis | RedisCluster
# Everything the client may raise.
FAULTS = (RedisError, RedisClusterException, OSError)
# These mean that the server is not there or not able; the rest is about one call.
OUTAGES = (
    ConnectionError,
    TimeoutError,
    BusyLoadingError,
    ClusterDownError,
    ReadOnlyError,
    RedisClusterException,
    OSError,
)


class Calls:
    """One client and one breaker; the rooms of this floor ask Redis through it."""

    def __init__(self, client: Client, breaker: Breaker | None = None) -> None:
        self.client = client
        self._breaker = breaker or Breaker()

    def script(self, name: str, keys: Sequence[str], args: Sequence[str | int | bytes]) -> list[Any]:
        """The reply of `lua/<name>.lua`; its first word is decoded, the rest is as Redis sent it."""
        script = scripts.load(name)
        with self.guard():
            reply = self._evaluate(script, [*keys, *args], len(keys))
        return [reply[0].decode(), *reply[1:]]

    def _evaluate(self, script: scripts.Script, rest: list[str | int | bytes], key_count: int) -> list[Any]:
        try:
            return cast("list[Any]", self.client.evalsha(script.sha, key_count, *rest))
        except NoScriptError:
            # A restarted server or another node: the text loads the script and runs it in one call.
            return cast("list[Any]", self.client.eval(script.text, key_count, *rest))

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Raises StockUnavailable for whatever the client raises inside; counts outages."""
        self._breaker.check()
        try:
            yield
        except FAULTS as fault:
            if isinstance(fault, OUTAGES):
                self._breaker.failed()
            raise StockUnavailable(f"Redis did not answer: {type(fault).__name__}") from fault
        self._breaker.worked()
