"""What does Stripe tell the engine, in which order, and what can be asked again afterwards?"""

import functools
import hashlib
import hmac
import json
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from claimbot.sandbox.deliveries import Post
from claimbot.sandbox.ground import Ground
from claimbot.sandbox.shelf import Json
from claimbot.sandbox.stripe_ids import account_id_of, make_id

API_VERSION = "2026-10-28.endive"
# Events can be listed for 30 days (Stripe documentation, "Events").
EVENT_SECONDS = 30 * 24 * 3600
MAX_EVENTS = 50_000


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the events of an account go."""

    url: str
    secret: str = field(repr=False)


def signature(secret: str, body: bytes, now_seconds: float) -> dict[str, str]:
    at = str(int(now_seconds))
    digest = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={digest}", "User-Agent": "Stripe/1.0 (sandbox)"}


def _sign(secret: str, body: bytes, now_seconds: float, wrong: bool) -> Mapping[str, str]:
    return signature(secret + "-wrong" if wrong else secret, body, now_seconds)


class EventLog:
    """The events of one account; `delivered` is None while a delivery is still on its way."""

    def __init__(self, secret_key: str, endpoints: tuple[Endpoint, ...], ground: Ground) -> None:
        self.account_id = account_id_of(secret_key)
        self._endpoints = endpoints
        self._ground = ground
        self._lock = threading.RLock()
        self._events: dict[str, Json] = {}
        self._delivered: dict[str, bool | None] = {}
        for event_id, record in ground.shelf.records(f"event:{self.account_id}"):
            self._events[event_id], self._delivered[event_id] = record["event"], record["delivered"]
            if record["delivered"] is None:
                self._send(record["event"], 0.0)

    def tell(self, kind: str, about: Json, previous: Json | None = None) -> Future[None]:
        """Records an event and sends it in the background; the future ends after the first try."""
        twice = self._ground.faults.take("stripe", "webhook_duplicate")
        two_ids = self._ground.faults.take("stripe", "webhook_two_ids")
        event = self._record(kind, about, previous)
        tried = self._send(event, 0.0)
        if twice:
            self._send(event, 0.0)
        if two_ids:
            self._send(self._record(kind, about, previous), 0.0)
        return tried

    def listed(self) -> list[Json]:
        """Newest first, not older than 30 days."""
        oldest = self._ground.clock.seconds() - EVENT_SECONDS
        with self._lock:
            return [event for event in reversed(self._events.values()) if event["created"] >= oldest]

    def find(self, event_id: str) -> Json | None:
        return self._events.get(event_id)

    def is_delivered(self, event_id: str) -> bool:
        return bool(self._delivered.get(event_id))

    def clear(self) -> None:
        with self._lock:
            self._events.clear()
            self._delivered.clear()

    def _record(self, kind: str, about: Json, previous: Json | None) -> Json:
        told: Json = {"object": about}
        if previous is not None:
            told["previous_attributes"] = previous
        event: Json = {
            "id": make_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": int(self._ground.clock.seconds()),
            "data": told,
            "livemode": False,
            "pending_webhooks": len(self._endpoints),
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        with self._lock:
            self._events[event["id"]] = event
            self._mark(event, None)
            while len(self._events) > MAX_EVENTS:
                oldest = next(iter(self._events))
                del self._events[oldest]
                self._delivered.pop(oldest, None)
                self._ground.shelf.put(f"event:{self.account_id}", oldest, None)
        return event

    def _send(self, event: Json, delay_seconds: float) -> Future[None]:
        tried: Future[None] = Future()
        posts = [self._post(event, endpoint, tried) for endpoint in self._endpoints]
        late = self._ground.faults.take("stripe", "webhook_reorder")
        if late is not None:
            delay_seconds += late.delay_seconds
        for post in posts:
            self._ground.deliveries.later(post, delay_seconds)
        if not posts:
            tried.set_result(None)
        return tried

    def _post(self, event: Json, endpoint: Endpoint, tried: Future[None]) -> Post:
        def on_try() -> None:
            if not tried.done():
                tried.set_result(None)

        body = json.dumps(event, indent=2).encode()
        sign = functools.partial(_sign, endpoint.secret)
        on_end = functools.partial(self._mark, event)
        return replace(Post("stripe", endpoint.url, body, sign), on_end=on_end, on_try=on_try)

    def _mark(self, event: Json, delivered: bool | None) -> None:
        with self._lock:
            if event["id"] not in self._events:
                return
            self._delivered[event["id"]] = delivered
            record: dict[str, Any] = {"event": event, "delivered": delivered}
            self._ground.shelf.put(f"event:{self.account_id}", event["id"], record)
