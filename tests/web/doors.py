"""What is behind the doors in a test? The real application, ledger and Redis, at a time that stands."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, select, text
from werkzeug.routing import Rule

from claimbot.app import create_app
from claimbot.channels.signing import sign_meta
from claimbot.core.brands import Account, Brand
from claimbot.core.payments import PaymentKeys
from claimbot.db import brands, marks
from claimbot.db.engine import Ledger, make_engine
from claimbot.db.tables import metadata
from claimbot.parts import Parts, make_parts
from tests.builders import NOW, make_account, make_brand, make_sealer
from tests.channels.people import AURORA, BOREAL
from tests.engine import settings_for
from tests.pages import Answer, CheckingClient

SECRET = "the-app-secret"
WEBHOOK_SECRET = "whsec_aurora"
STRIPE_KEY = "sk_test_aurora"
# The discard port: nothing listens there, so a connection is refused at once.
NOBODY = "127.0.0.1:9"
PAYLOADS = Path(__file__).parent.parent / "channels" / "payloads" / "instagram"


@dataclass
class Hands:
    """The time that the engine is told; a test moves it."""

    at: datetime = field(default_factory=lambda: NOW)

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Doors:
    """Two brands with an account each, and a client for every door."""

    parts: Parts
    hands: Hands
    brand: Brand
    account: Account
    other_brand: Brand
    other_account: Account

    @cached_property
    def browser(self) -> CheckingClient:
        return CheckingClient(create_app(self.parts).test_client())

    @property
    def ledger(self) -> Ledger:
        return self.parts.ledger

    def hook(self, body: bytes, secret: str = SECRET, **headers: str) -> Answer:
        """Meta delivers this body, signed."""
        return self.post_hook(body, {"X-Hub-Signature-256": sign_meta(body, secret), **headers})

    def post_hook(self, body: bytes, headers: dict[str, str]) -> Answer:
        return self.browser.post("/webhooks/meta", data=body, headers=headers)

    def stripe(self, event: Any, slug: str = "aurora", secret: str = WEBHOOK_SECRET) -> Answer:
        """Stripe delivers this event (or these bytes), signed."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        header = stripe_header(body, secret, self.hands.at)
        return self.browser.post(f"/webhooks/stripe/{slug}", data=body, headers={"Stripe-Signature": header})

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.ledger.reading() as tx:
            return [tuple(row) for row in tx.execute(text(query), values)]

    def counted(self) -> dict[str, int]:
        """Every table with the number of its rows."""
        with self.ledger.reading() as tx:
            count = partial(select(func.count()).select_from)
            return {name: tx.execute(count(table)).scalar_one() for name, table in metadata.tables.items()}

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        with self.ledger.reading() as tx:
            return {
                name: [tuple(row) for row in tx.execute(select(table))]
                for name, table in metadata.tables.items()
            }

    def outcomes(self) -> list[tuple[str, str]]:
        """(outcome, reason) of every event."""
        return sorted((row[0], row[1]) for row in self.rows("SELECT outcome, reason FROM inbox"))

    def without_sql(self) -> "Doors":
        """The same doors after the ledger went away; what was known before is still known."""
        return replace(self, parts=replace(self.parts, ledger=dead_ledger()))


def stripe_header(body: bytes, secret: str, at: datetime) -> str:
    stamp = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def dead_ledger() -> Ledger:
    return Ledger(make_engine(f"postgresql://{NOBODY}/none"))


def hello(account: str = AURORA, mid: str = "mid.hello", words: str = "LAUNCH") -> dict[str, Any]:
    """A follower writes to the account at NOW."""
    at_ms = int(NOW.timestamp() * 1000)
    message = {
        "sender": {"id": "9010000000000011"},
        "recipient": {"id": account},
        "timestamp": at_ms,
        "message": {"mid": mid, "text": words},
    }
    return {"object": "instagram", "entry": [{"id": account, "time": at_ms, "messaging": [message]}]}


def as_body(document: object) -> bytes:
    return json.dumps(document).encode()


@contextmanager
def open_doors(ledger: Ledger, redis_url: str, **more: str) -> Iterator[Doors]:
    """`more` are settings."""
    hands = Hands()
    settings = settings_for(ledger, redis_url, STRIPE_API_URL=f"http://{NOBODY}", **more)
    parts = make_parts(settings, hands)
    brand, other = make_brand(ledger, "aurora"), make_brand(ledger, "borealis")
    account, other_account = make_account(ledger, brand, AURORA), make_account(ledger, other, BOREAL)
    with ledger.begin() as tx:
        keys = PaymentKeys(brand.id, STRIPE_KEY, (WEBHOOK_SECRET,), livemode=False)
        brands.mark_payment_keys(tx, make_sealer(), keys)
        marks.set_mark(tx, marks.CATALOG, NOW)
    try:
        yield Doors(parts, hands, brand, account, other, other_account)
    finally:
        parts.close()


def all_rules(app: Flask) -> list[Rule]:
    """Of the pages, and of the webhooks' own application before them."""
    return [*app.extensions["hooks"].url_map.iter_rules(), *app.url_map.iter_rules()]
