"""What is a running engine in a test? The real parts and doors, and the world on loopback."""

import base64
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from werkzeug.serving import make_server

from claimbot.app import create_app
from claimbot.core.brands import Account, Brand
from claimbot.core.drops import Drop
from claimbot.core.payments import PaymentKeys
from claimbot.db import brands, marks
from claimbot.db.engine import Ledger
from claimbot.flows.deliver import drain
from claimbot.flows.sweep import chores
from claimbot.parts import Parts, make_parts
from claimbot.settings import Settings
from tests.builders import make_account, make_brand, make_drop, make_sealer
from tests.sandbox.worlds import (
    ACCOUNT,
    APP_SECRET,
    KEY,
    TOKEN,
    WEBHOOK_SECRET,
    Running,
    SilentHandler,
    config_for,
    running_world,
)

# The world delivers from threads of its own; more than this is a fault.
DELIVERED_SECONDS = 30.0

KEY_BYTES = b"a key for tests, thirty-two long"


@dataclass
class TestClock:
    """Real time, moved by the test."""

    __test__ = False

    moved: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.moved


def settings_for(ledger: Ledger, redis_url: str, **more: str) -> Settings:
    return Settings.from_mapping(
        {
            "DATABASE_URL": ledger.engine.url.render_as_string(hide_password=False),
            "REDIS_URL": redis_url,
            "ENCRYPTION_KEYS": base64.b64encode(KEY_BYTES).decode(),
            "SECRET_KEY": "a secret for tests, long enough to sign",
            "META_APP_SECRETS": APP_SECRET,
            "META_VERIFY_TOKEN": "the-verify-token",
            **more,
        }
    )


@dataclass
class Engine:
    """The engine and the world around it; one brand with one account."""

    parts: Parts
    world: Running
    clock: TestClock
    brand: Brand
    account: Account

    def drop(self, **changes: Any) -> Drop:
        drop = make_drop(self.parts.ledger, self.brand, **changes)
        self.parts.catalog(is_fresh=True)
        return drop

    def dm(self, who: str, words: str = "LAUNCH", **more: Any) -> int:
        """`who` writes; the answer is the engine's status."""
        return int(self.world.api("/dm", follower=who, text=words, retry=False, **more)["status"])

    def work(self) -> int:
        """Do everything that is due, like a worker."""
        return drain(self.parts)

    def heard(self, who: str) -> list[str]:
        """What the brand wrote to them, oldest first."""
        return [one["text"] for one in self.world.phone(who) if one["direction"] == "out"]

    def link(self, who: str) -> str:
        """Where the last button that they got leads."""
        with_button = [one for one in self.world.phone(who) if one["buttons"]]
        return str(with_button[-1]["buttons"][0]["url"])

    def session_of(self, who: str) -> str:
        return self.link(who).rpartition("/")[2]

    def pay(self, who: str, **more: Any) -> None:
        self.world.api(f"/stripe/sessions/{self.session_of(who)}/pay", **more)
        self.settle()

    def settle(self) -> None:
        """Wait until the world has nothing more to deliver."""
        ends_at = time.monotonic() + DELIVERED_SECONDS
        while self.world.world.ground.deliveries.waiting() and time.monotonic() < ends_at:
            time.sleep(0.005)

    def pass_time(self, **spans: float) -> None:
        self.clock.moved += timedelta(**spans)
        self.world.api("/clock", advance_seconds=timedelta(**spans).total_seconds())

    def chore(self, name: str) -> object:
        return next(chore for chore in chores() if chore.name == name).run(self.parts)

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.parts.ledger.reading() as tx:
            return [tuple(row) for row in tx.execute(text(query), values)]

    def states(self) -> dict[str, int]:
        return dict(self.rows("SELECT state, count(*) FROM claims GROUP BY state"))

    def outcomes(self) -> dict[str, int]:
        return dict(self.rows("SELECT outcome, count(*) FROM inbox GROUP BY outcome"))


@contextmanager
def running_engine(ledger: Ledger, redis_url: str, **more: str) -> Iterator[Engine]:
    """The doors on a free port, the world on another, both in threads of this process."""
    server = make_server("127.0.0.1", 0, _later, threaded=True, request_handler=SilentHandler)
    engine_url = f"http://127.0.0.1:{server.server_port}"
    # A test that lifts the engine's own pace lifts the world's limits too.
    is_paced = "SEND_PER_SECOND" not in more
    limits = {"graph_rate_limit": is_paced, "stripe_rate_limit": is_paced}
    with running_world(config_for(engine_url, stamps_by_world_clock=True, **limits)) as world:
        addresses = {
            "PUBLIC_URL": engine_url,
            "META_GRAPH_URL": f"{world.url}/graph",
            "META_INSTAGRAM_URL": f"{world.url}/graph",
            "STRIPE_API_URL": f"{world.url}/stripe",
        }
        clock = TestClock()
        parts = make_parts(settings_for(ledger, redis_url, **addresses, **more), clock)
        brand = make_brand(ledger)
        account = make_account(ledger, brand, ACCOUNT, token=TOKEN)
        keys = PaymentKeys(brand.id, KEY, (WEBHOOK_SECRET,), livemode=False)
        with ledger.begin() as tx:
            brands.mark_payment_keys(tx, make_sealer(), keys)
            marks.set_mark(tx, marks.CATALOG, clock())
        server.app = create_app(parts)
        # The default looks twice a second whether it is to end: that was half of every test.
        serve = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        serve.start()
        try:
            yield Engine(parts, world, clock, brand, account)
        finally:
            server.shutdown()
            server.server_close()
            parts.close()


def _later(_environ: Any, _start: Any) -> Any:
    raise AssertionError("the engine was called before it was put together")
