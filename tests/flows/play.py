"""What can happen to an engine, one call for each thing? Real Redis and SQL; the outside is `outside.py`."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from redis import Redis
from sqlalchemy import text

from claimbot.channels.http import MetaHttp
from claimbot.core.brands import Account, Brand
from claimbot.core.drops import Drop
from claimbot.core.followers import follower_key
from claimbot.core.messages import Delivery, Inbound, Kind
from claimbot.core.payments import SessionNews
from claimbot.db.engine import Ledger
from claimbot.flows import deliver
from claimbot.flows.receive import Receipt, Signed, receive
from claimbot.flows.settle import Settled, hear
from claimbot.parts import CatalogShelf, Parts, make_parts
from claimbot.stock import keys
from claimbot.stock.connect import connect
from claimbot.stock.gate import Gate
from tests.builders import make_account, make_brand, make_drop
from tests.engine import TestClock, settings_for
from tests.flows.outside import Platform, Sessions, event_of

# Nobody listens there.
DEAD_REDIS = "redis://127.0.0.1:1"
# A worker that is always behind would hide what a row does.
ROWS_MOST = 500


@dataclass
class Play:
    """One engine whose outside obeys the test."""

    parts: Parts
    clock: TestClock
    brand: Brand
    account: Account
    sessions: Sessions
    platform: Platform
    delivered: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._mids = itertools.count(1)
        self._events = itertools.count(1)

    @property
    def ledger(self) -> Ledger:
        return self.parts.ledger

    def drop(self, **changes: Any) -> Drop:
        drop = make_drop(self.ledger, self.brand, **changes)
        self.parts.catalog(is_fresh=True)
        return drop

    def message(self, who: str, words: str) -> Inbound:
        return Inbound(
            channel="instagram",
            account_external_id=self.account.external_id,
            kind=Kind.TEXT,
            event_id=f"mid.{next(self._mids)}",
            follower_external_id=who,
            sent_at=self.clock(),
            text=words,
        )

    def write(self, *messages: tuple[str, str]) -> Receipt:
        """These followers write these words; one POST tells of all of them."""
        delivery = Delivery("instagram", tuple(self.message(who, words) for who, words in messages))
        self.delivered.append(delivery)
        return self.deliver(delivery)

    def deliver(self, delivery: Delivery) -> Receipt:
        return receive(self.parts, delivery, Signed(), self.clock())

    def work(self, most: int = ROWS_MOST) -> int:
        """A worker does up to so many rows."""
        rows = deliver.take(self.parts, most)
        for row in rows:
            deliver.deliver(self.parts, row)
        return len(rows)

    def work_all(self) -> int:
        return deliver.drain(self.parts)

    def pass_time(self, **parts_of_time: float) -> None:
        self.clock.moved += timedelta(**parts_of_time)

    def tell(self, news: SessionNews, is_new_id: bool = False) -> Settled:
        """Stripe's event of this news arrives."""
        event_id = f"evt_{next(self._events)}" if is_new_id else ""
        return hear(self.parts, self.brand.id, event_of(news, event_id), "")

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.ledger.reading() as tx:
            return [tuple(row) for row in tx.execute(text(query), values)]

    def states(self) -> dict[str, int]:
        return dict(self.rows("SELECT state, count(*) FROM claims GROUP BY state"))

    def key_of(self, who: str) -> str:
        return follower_key(self.account.id, who)

    def restart(self, stock_url: str) -> None:
        """A new process: nothing that the old one knew is left."""
        self.parts = replace(
            self.parts,
            gate=Gate(connect(stock_url)),
            catalog=CatalogShelf(self.ledger, self.parts.sealer),
        )

    def without_redis(self) -> Parts:
        """The same parts on the day on which the gate's Redis is down."""
        return replace(self.parts, gate=Gate(connect(DEAD_REDIS)))


def make_play(ledger: Ledger, redis_url: str, **more: str) -> Play:
    clock, sessions, platform = TestClock(), Sessions(), Platform()
    settings = settings_for(ledger, redis_url, STRIPE_PER_SECOND="100000", SEND_PER_SECOND="100000", **more)
    made = make_parts(settings, clock)
    brand = make_brand(ledger)
    account = make_account(ledger, brand)
    anywhere: Any = sessions
    # The test's own ledger: its statements are prepared once for all plays on it.
    made.ledger.close()
    catalog = CatalogShelf(ledger, made.sealer)
    http = MetaHttp(platform.client())
    parts = replace(made, ledger=ledger, catalog=catalog, gateways=anywhere, http=http)
    return Play(parts, clock, brand, account, sessions, platform)


def photograph(redis: Redis, drop: Drop) -> dict[str, bytes | None]:
    """The gate's three keys as a replica may have them that is behind."""
    live = keys.of_drop(drop.id)
    found: dict[str, Any] = {name: redis.dump(name) for name in (live.free, live.given, live.meta)}
    return found


def put_back(redis: Redis, picture: dict[str, bytes | None]) -> None:
    """The stale replica becomes the primary."""
    for name, value in picture.items():
        redis.delete(name)
        restore: Callable[..., Any] = redis.restore
        restore(name, 0, value) if value is not None else None


def names(count: int, prefix: str = "7") -> Sequence[str]:
    return [f"{prefix}{number:03d}" for number in range(count)]
