"""Every live connection of a process, put together from the settings."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from claimbot.channels.http import MetaHttp, open_client
from claimbot.core.brands import Catalog
from claimbot.core.errors import LedgerUnavailable, Setup
from claimbot.db import brands
from claimbot.db.catalog import find_version, load_catalog
from claimbot.db.engine import Ledger, make_engine
from claimbot.db.sealing import Sealer
from claimbot.payments.gateway import Gateway
from claimbot.queueing import Bell
from claimbot.settings import Settings
from claimbot.stock.breaker import Breaker
from claimbot.stock.budgets import Budgets
from claimbot.stock.connect import check_policy, connect, identity
from claimbot.stock.gate import Gate
from claimbot.stock.spool import Spool
from claimbot.webhooks.post import Postman

log = logging.getLogger("claimbot.parts")

# How long a process believes its catalog; a claim checks the drop's version in its transaction anyway.
CATALOG_SECONDS = 1.0
# Clocks drift slowly: comparing ours with the database's this often is enough.
CLOCK_SECONDS = 10.0
# The spool and the queue are not on the path of a claim, and may take longer than the gate.
QUEUE_TIMEOUT_SECONDS = 2.0

Clock = Callable[[], datetime]


def machine_time() -> datetime:
    return datetime.now(UTC)


class DatabaseClock:
    """The database's time, told by our clock (`here`) and the difference between the two."""

    def __init__(self, ledger: Ledger, here: Clock = machine_time) -> None:
        self._ledger = ledger
        self._here = here
        self._difference = timedelta(0)
        self._checked_at = -CLOCK_SECONDS
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        if time.monotonic() - self._checked_at >= CLOCK_SECONDS and self._lock.acquire(blocking=False):
            try:
                self._compare()
            finally:
                self._lock.release()
        return self._here() + self._difference

    @property
    def skew_seconds(self) -> float:
        """How far this machine is behind the database."""
        return self._difference.total_seconds()

    def _compare(self) -> None:
        self._checked_at = time.monotonic()
        before = self._here()
        try:
            told = self._ledger.database_time()
        except LedgerUnavailable:
            return
        after = self._here()
        self._difference = told - (before + (after - before) / 2)


class CatalogShelf:
    """The catalog, read again when its version rose."""

    def __init__(self, ledger: Ledger, sealer: Sealer, seconds: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._sealer = sealer
        self._seconds = seconds
        self._lock = threading.Lock()
        self._catalog: Catalog | None = None
        self._looked_at = 0.0

    def __call__(self, is_fresh: bool = False) -> Catalog:
        """At most a second old. While SQL is down the last one we know; raises if there is none."""
        known = self._catalog
        if known is not None and not is_fresh and self._seconds() - self._looked_at < CATALOG_SECONDS:
            return known
        with self._lock:
            return self._look(is_fresh)

    def _look(self, is_fresh: bool) -> Catalog:
        known = self._catalog
        if known is not None and not is_fresh and self._seconds() - self._looked_at < CATALOG_SECONDS:
            return known
        try:
            with self._ledger.reading() as tx:
                if known is None or is_fresh or find_version(tx) != known.version:
                    known = load_catalog(tx, self._sealer)
        except LedgerUnavailable:
            if known is None or is_fresh:
                raise
        self._catalog, self._looked_at = known, self._seconds()
        return known


class Gateways:
    """One way to Stripe for each brand; made when first needed, and again when the keys changed."""

    def __init__(self, ledger: Ledger, sealer: Sealer, settings: Settings) -> None:
        self._ledger = ledger
        self._sealer = sealer
        self._settings = settings
        self._lock = threading.Lock()
        self._made: dict[str, tuple[object, Gateway]] = {}

    def of(self, brand_id: str) -> Gateway | None:
        """None while the brand has no Stripe key."""
        with self._ledger.reading() as tx:
            keys = brands.find_payment_keys(tx, self._sealer, brand_id)
        if keys is None:
            return None
        with self._lock:
            known = self._made.get(brand_id)
            if known is None or known[0] != keys:
                known = (
                    keys,
                    Gateway(keys, self._settings.stripe_api_url, self._settings.stripe_api_version),
                )
                self._made[brand_id] = known
            return known[1]


@dataclass(frozen=True)
class Parts:
    """What the stories work with."""

    settings: Settings
    ledger: Ledger
    clock: Clock
    sealer: Sealer
    catalog: CatalogShelf
    gate: Gate
    spool: Spool
    budgets: Budgets
    bell: Bell
    http: MetaHttp
    gateways: Gateways
    redis_faults: Callable[[], list[str]]
    redis_identity: Callable[[], frozenset[str]]
    breaker: Breaker = field(default_factory=Breaker)
    """Shared by all that ask the stock's Redis on the path of a claim."""
    postman: Postman = field(default_factory=Postman)
    """Calls what brands typed, and nothing else does."""
    closers: tuple[Callable[[], None], ...] = field(default=(), repr=False)

    def close(self) -> None:
        for close in self.closers:
            close()


def connect_queue(settings: Settings) -> Redis:
    return Redis.from_url(
        settings.queue_url,
        socket_timeout=QUEUE_TIMEOUT_SECONDS,
        socket_connect_timeout=QUEUE_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def make_parts(settings: Settings, clock: Clock | None = None) -> Parts:
    """Raises Setup when something is missing. Connects to nothing yet, except a Redis Cluster."""
    faults = []
    if not settings.stock_url or not settings.queue_url:
        faults.append("REDIS_URL: missing; set it, or start everything with: claimbot up")
    if not settings.encryption_keys:
        faults.append("ENCRYPTION_KEYS: missing; make one with: openssl rand -base64 32")
    if faults:
        raise Setup(faults)
    ledger = Ledger(make_engine(settings.ledger_url, _connections(settings)))
    sealer = Sealer(settings.sealing_keys)
    stock = connect(settings.stock_url)
    breaker = Breaker(probe=stock.ping)
    queue = connect_queue(settings)
    bell = Bell(queue)
    client = open_client()
    return Parts(
        settings=settings,
        ledger=ledger,
        clock=clock or DatabaseClock(ledger),
        sealer=sealer,
        catalog=CatalogShelf(ledger, sealer),
        gate=Gate(stock, breaker),
        spool=Spool(stock),
        budgets=Budgets(stock, breaker),
        bell=bell,
        http=_http(client, settings),
        gateways=Gateways(ledger, sealer, settings),
        redis_faults=lambda: check_policy(stock),
        redis_identity=lambda: identity(stock),
        breaker=breaker,
        closers=(bell.close, client.close, stock.close, queue.close, ledger.close),
    )


def _connections(settings: Settings) -> int:
    """A transaction takes a millisecond: a few serve many threads, and PostgreSQL has 100 in all."""
    return max(settings.sends_in_flight, settings.web_threads) // 16 + 4


def _http(client: httpx.Client, settings: Settings) -> MetaHttp:
    return MetaHttp(client, settings.meta_graph_url, settings.meta_instagram_url, settings.meta_api_version)
