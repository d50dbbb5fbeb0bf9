"""A running engine whose brand listens at a receiver of the test."""

import base64
import hashlib
import hmac
from dataclasses import replace
from typing import Any

from claimbot.core.webhooks import Endpoint, EndpointState
from claimbot.flows.endpoints import add_endpoint
from claimbot.flows.notify import list_ready, notify
from tests.engine import Engine
from tests.webhooks.receiver import URL, Receiver, postman_to


def listen(engine: Engine, receiver: Receiver, url: str = URL, **ways: Any) -> Endpoint:
    """The brand adds this address; from now on the engine calls the receiver under it."""
    call_by(engine, receiver, **ways)
    made = add_endpoint(engine.parts, "test", engine.brand, url)
    engine.parts.catalog(is_fresh=True)
    assert made.state is EndpointState.LIVE
    return made


def call_by(engine: Engine, receiver: Receiver, **ways: Any) -> None:
    engine.parts = replace(engine.parts, postman=postman_to(receiver, **ways))


def deliver(engine: Engine) -> int:
    """Everything that is due now, like the hands of a worker; returns how many were accepted."""
    accepted = 0
    while ready := list_ready(engine.parts, 100):
        accepted += sum(notify(engine.parts, one) for one in ready)
    return accepted


def notices(engine: Engine) -> list[tuple[Any, ...]]:
    """(event, state, reason), oldest first."""
    return engine.rows("SELECT happening, state, reason FROM notices ORDER BY created_at, id")


def in_state(engine: Engine, state: str) -> int:
    return int(engine.rows("SELECT count(*) FROM notices WHERE state = :state", state=state)[0][0])


def signed_with(secret: str, call: dict[str, str], body: bytes) -> str:
    """What the header of this call must say, worked out as a receiver does."""
    content = f"{call['webhook-id']}.{call['webhook-timestamp']}.".encode() + body
    digest = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), content, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"
