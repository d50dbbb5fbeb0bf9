"""What stands between the engine and the world? A proxy on each line, and callers who are not patient."""

import hashlib
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
from sqlalchemy import make_url

from claimbot.channels.signing import sign_meta
from claimbot.core.payments import PaymentKeys
from claimbot.db.engine import Ledger
from claimbot.payments.gateway import Gateway
from tests.engine import Engine, running_engine
from tests.pages import Page
from tests.proxy import Proxy, running_proxy
from tests.sandbox.worlds import ACCOUNT, APP_SECRET, KEY, WEBHOOK_SECRET

# The engine waits 3 and 10 seconds in earnest; which time limit it was makes no difference.
HASTY_SECONDS = (0.5, 0.5)
# Deliveries that a platform makes side by side.
CALLERS = 8


def socket_of(redis_url: str) -> str:
    return unquote(urlsplit(redis_url).path)


def postgres_socket(database_url: str) -> str:
    query = make_url(database_url).query
    return f"{query['host']}/.s.PGSQL.{query.get('port', 5432)}"


def through(proxy: Proxy, database_url: str) -> str:
    """The same database by way of the proxy."""
    url = make_url(database_url).set(host="127.0.0.1", port=proxy.port, query={})
    return url.render_as_string(hide_password=False)


@dataclass(frozen=True)
class HastyGateways:
    """The real gateway with short time limits."""

    brand_id: str
    api_url: str

    def of(self, _brand_id: str) -> Gateway:
        keys = PaymentKeys(self.brand_id, KEY, (WEBHOOK_SECRET,), livemode=False)
        return Gateway(keys, self.api_url, timeouts_seconds=HASTY_SECONDS)


@dataclass(frozen=True)
class Lines:
    """An engine whose every line can be disturbed."""

    engine: Engine
    redis: Proxy
    stripe: Proxy
    graph: Proxy


@contextmanager
def running_lines(ledger: Ledger, redis_url: str, **more: str) -> Iterator[Lines]:
    """The doors reach the world directly; the worker's calls go through the proxies."""
    with (
        running_proxy(socket_of(redis_url)) as redis,
        running_engine(ledger, f"redis://127.0.0.1:{redis.port}", **more) as engine,
        running_proxy(("127.0.0.1", engine.world.http.base_url.port or 0)) as stripe,
        running_proxy(stripe.upstream) as graph,
        httpx.Client(timeout=HASTY_SECONDS[1], trust_env=False) as client,
    ):
        url = f"{graph.url}/graph"
        http = replace(engine.parts.http, client=client, graph_url=url, instagram_url=url)
        gateways: Any = HastyGateways(engine.brand.id, f"{stripe.url}/stripe")
        engine.parts = replace(engine.parts, http=http, gateways=gateways)
        yield Lines(engine, redis, stripe, graph)


def press(link: str) -> httpx.Response:
    """The follower opens the pay link and presses its one button; where that leads is not followed."""
    with httpx.Client(trust_env=False) as browser:
        [form] = Page(browser.get(link).text).forms
        return browser.post(link, data=form.fields)


def body_of(who: str, mid: str, words: str = "LAUNCH", at_seconds: float | None = None) -> bytes:
    """What the platform posts when they write; the same `mid` is the same message."""
    at_ms = int((at_seconds or time.time()) * 1000)
    number = int(hashlib.sha256(who.encode()).hexdigest()[:12], 16)
    message = {
        "sender": {"id": f"9{number:015d}"},
        "recipient": {"id": ACCOUNT},
        "timestamp": at_ms,
        "message": {"mid": mid, "text": words},
    }
    entry = {"id": ACCOUNT, "time": at_ms, "messaging": [message]}
    return json.dumps({"object": "instagram", "entry": [entry]}).encode()


@dataclass(frozen=True, slots=True)
class Ack:
    """What became of one POST; status 0 when there was no answer."""

    mid: str
    status: int
    seconds: float
    retry_after: str = ""


@dataclass(frozen=True)
class Platform:
    """Posts signed messages to the engine and measures how long it takes to answer."""

    engine_url: str
    client: httpx.Client

    def post(self, who: str, mid: str, words: str = "LAUNCH") -> Ack:
        body = body_of(who, mid, words)
        headers = {"X-Hub-Signature-256": sign_meta(body, APP_SECRET), "Content-Type": "application/json"}
        begun = time.monotonic()
        try:
            answer = self.client.post(f"{self.engine_url}/webhooks/meta", content=body, headers=headers)
        except httpx.HTTPError:
            return Ack(mid, 0, time.monotonic() - begun)
        waited = time.monotonic() - begun
        return Ack(mid, answer.status_code, waited, answer.headers.get("Retry-After", ""))

    def post_all(
        self, names: Sequence[str], per_second: float = 0.0, words: Sequence[str] = ("LAUNCH",)
    ) -> list[Ack]:
        """One message of each, side by side and the words in turn; `per_second` paces them."""
        begins = time.monotonic()

        def post(number: int) -> Ack:
            due = begins + number / per_second if per_second else begins
            time.sleep(max(0.0, due - time.monotonic()))
            return self.post(names[number], f"mid.{names[number]}", words[number % len(words)])

        with ThreadPoolExecutor(CALLERS) as pool:
            return list(pool.map(post, range(len(names))))


@contextmanager
def platform_for(engine_url: str) -> Iterator[Platform]:
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=0)
    with httpx.Client(trust_env=False, timeout=20.0, limits=limits) as client:
        yield Platform(engine_url, client)


def p99_seconds(acks: Sequence[Ack]) -> float:
    return statistics.quantiles([ack.seconds for ack in acks], n=100, method="inclusive")[98]


def people(count: int, prefix: str = "f") -> list[str]:
    return [f"{prefix}{number:04d}" for number in range(count)]
