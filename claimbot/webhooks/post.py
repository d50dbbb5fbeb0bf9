"""How is a notice brought to where a brand listens? Over TLS, to the address that was checked, in time.

httpcore is what httpx stands on, and lets us make the connection ourselves: Host and certificate are those of
the name, the connection goes to the address of addresses.py. One clock runs over everything from the
connection to the last byte, so that a server that sends a letter now and then holds nobody up. Nothing is
followed, no proxy of the environment is asked (it would look the name up again), and only the answer's status
is kept.
"""

import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from claimbot.core.webhooks import DeliveryAttempt
from claimbot.webhooks.addresses import NotPublic, Resolver, choose, look_up

POST_SECONDS = 5.0
# An answer is read so far, to keep the connection; who says more is not listened to.
ANSWER_BYTES_MOST = 64 * 1024
HEADERS = {"Content-Type": "application/json", "User-Agent": "claimbot-webhooks/1"}
NETWORK_ERRORS = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError)


@lru_cache(maxsize=1)
def public_trust() -> ssl.SSLContext:
    """The certificate authorities that everybody trusts."""
    return httpx.create_ssl_context()


class Stopwatch:
    """Runs over one exchange. An operation gets what is left of its time, and nothing once it is over."""

    def __init__(self) -> None:
        self._ends_at = 0.0

    def start(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    def left(self) -> float:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("no time is left")
        return left


class TimedStream(httpcore.NetworkStream):
    """A connection on which no wait is longer than the stopwatch allows."""

    def __init__(self, inner: httpcore.NetworkStream, watch: Stopwatch) -> None:
        self._inner = inner
        self._watch = watch

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._watch.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._watch.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._watch.left())
        return TimedStream(inner, self._watch)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class PinnedBackend(httpcore.NetworkBackend):
    """Connects to one address, whatever name is asked for."""

    def __init__(self, address: str, dial: httpcore.NetworkBackend, watch: Stopwatch) -> None:
        self._address = address
        self._dial = dial
        self._watch = watch

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        return TimedStream(self._dial.connect_tcp(self._address, port, self._watch.left()), self._watch)


class Line:
    """The way to one endpoint for a few notices, one after the other, on one connection."""

    def __init__(self, pool: httpcore.ConnectionPool, watch: Stopwatch, url: str) -> None:
        self._pool = pool
        self._watch = watch
        self._url = url

    def post(self, body: bytes, headers: Mapping[str, str]) -> DeliveryAttempt:
        self._watch.start(POST_SECONDS)
        sent = {**HEADERS, **headers}
        try:
            with self._pool.stream("POST", self._url, headers=list(sent.items()), content=body) as answer:
                status = answer.status
                _skim(answer)
        except httpcore.TimeoutException:
            return DeliveryAttempt(reason="timeout")
        except NETWORK_ERRORS as trouble:
            return DeliveryAttempt(reason=_why(trouble))
        return DeliveryAttempt(status, "" if 200 <= status < 300 else f"http_{status}")


def _skim(answer: httpcore.Response) -> None:
    """The status has come, whatever becomes of the rest. What was not read to its end ends the connection."""
    size = 0
    try:
        for chunk in answer.iter_stream():
            size += len(chunk)
            if size > ANSWER_BYTES_MOST:
                return
    except NETWORK_ERRORS:
        return


def _why(trouble: BaseException) -> str:
    """httpcore wraps what went wrong in an error of its own."""
    inner = trouble.__cause__ or trouble.__context__
    while inner is not None:
        if isinstance(inner, ssl.SSLError):
            return "tls_failed"
        inner = inner.__cause__ or inner.__context__
    is_connecting = isinstance(trouble, httpcore.ConnectError)
    return "not_connected" if is_connecting else "connection_lost"


@dataclass(frozen=True)
class Postman:
    """What it takes to call a stranger. Each part is injected, so that tests need no switch in here."""

    resolve: Resolver = look_up
    dial: httpcore.NetworkBackend = httpcore.SyncBackend()  # noqa: RUF009 - it has no state
    trust: ssl.SSLContext | None = None

    @contextmanager
    def line_to(self, url: str) -> Iterator[Line]:
        """Looks the name up, once. Raises NotPublic."""
        split = urlsplit(url)
        if split.scheme != "https":
            raise NotPublic("not_https")
        address = choose(self.resolve, split.hostname or "", split.port or 443)
        watch = Stopwatch()
        with httpcore.ConnectionPool(
            ssl_context=self.trust or public_trust(),
            max_connections=1,
            network_backend=PinnedBackend(address, self.dial, watch),
        ) as pool:
            yield Line(pool, watch, url)
