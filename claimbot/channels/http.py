"""How is Meta called, and what does silence mean? The one place that calls.

No retries here: no send API has an idempotency key, so the outbox decides about every second try.
The token travels in the Authorization header, so that it stands in no address and in no log.
"""

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from claimbot.channels.meta_errors import (
    OUTCOME_UNKNOWN,
    RATE_LIMITED,
    TOKEN_MALFORMED,
    refusal,
    retry_after_seconds,
)
from claimbot.core.messages import SendingAccount, SendResult, Verdict

GRAPH_URL = "https://graph.facebook.com"
INSTAGRAM_URL = "https://graph.instagram.com"
# Meta supports it until July 2028.
API_VERSION = "v25.0"

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
# A server that sends one byte now and then keeps each single read short: the whole answer has an end too.
ANSWER_SECONDS = 15.0
# Answers to sends, profiles and subscriptions have a few hundred bytes.
ANSWER_BYTES_MAX = 1_000_000
# The worker's largest number of sending threads.
CONNECTIONS_MAX = 256

# Surely nothing was sent: there was no connection to send on.
NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request: a path below the version, and what goes with it."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    is_versioned: bool = True


@dataclass(frozen=True, slots=True)
class MetaHttp:
    """Where Meta is, and the connections to it."""

    client: httpx.Client
    graph_url: str = GRAPH_URL
    instagram_url: str = INSTAGRAM_URL
    api_version: str = API_VERSION

    def ask(self, account: SendingAccount, call: Call) -> dict[str, object] | SendResult:
        """The answer of a call that Meta accepted, or what became of it."""
        if not (account.token.isascii() and account.token.isprintable() and account.token.strip()):
            return SendResult(Verdict.PARKED, reason=TOKEN_MALFORMED)
        try:
            status, headers, body = self._exchange(account, call)
        except NOT_SENT:
            return SendResult(Verdict.RETRY, reason="not_connected")
        except httpx.TimeoutException:
            return SendResult(Verdict.UNKNOWN, reason="timeout")
        except httpx.RequestError:
            return SendResult(Verdict.UNKNOWN, reason="connection_lost")
        return _read(status, headers, body)

    def _exchange(self, account: SendingAccount, call: Call) -> tuple[int, httpx.Headers, bytes]:
        headers = {"Authorization": f"Bearer {account.token}"}
        content = None
        if call.body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(call.body, separators=(",", ":")).encode("ascii")
        url = self._url(account, call)
        deadline = time.monotonic() + ANSWER_SECONDS
        with self.client.stream(
            call.method, url, params=dict(call.query), content=content, headers=headers
        ) as response:
            return response.status_code, response.headers, _body(response, deadline)

    def _url(self, account: SendingAccount, call: Call) -> str:
        base = self.graph_url if account.variant == "page" else self.instagram_url
        version = f"/{self.api_version}" if call.is_versioned else ""
        return f"{base.rstrip('/')}{version}{call.path}"


def open_client() -> httpx.Client:
    """Connections for all sending threads. Close it when the process ends.

    httpx logs every address, and the call that renews a token carries it there.
    """
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    limits = httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX)
    return httpx.Client(
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        limits=limits,
        # A proxy of the environment never stands before this machine itself.
        mounts={"all://127.0.0.1": None, "all://localhost": None},
        transport=httpx.HTTPTransport(retries=0, limits=limits),
        follow_redirects=False,
    )


def _body(response: httpx.Response, deadline: float) -> bytes:
    """The whole answer. Raises ReadTimeout for an endless one: it may have been accepted."""
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX or time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer does not end")
    return bytes(body)


def _read(status: int, headers: httpx.Headers, body: bytes) -> dict[str, object] | SendResult:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict) and isinstance(document.get("error"), dict):
        return refusal(status, document["error"], headers)
    if isinstance(document, dict) and 200 <= status < 300:
        return document
    if status == 429:
        return SendResult(
            Verdict.RETRY, reason=RATE_LIMITED, retry_after_seconds=retry_after_seconds(headers)
        )
    return SendResult(Verdict.UNKNOWN, reason=OUTCOME_UNKNOWN)
