"""How does a test deliver what the world's own phones and buyers never would? Raw bodies, rightly signed."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from claimbot.sandbox.followers import igsid_of
from claimbot.sandbox.meta_webhooks import body_of, comment_envelope, envelope, event, signature
from claimbot.sandbox.stripe_events import signature as stripe_signature
from tests.engine import Engine
from tests.sandbox.worlds import ACCOUNT, APP_SECRET, WEBHOOK_SECRET


def seconds_ago(engine: Engine, seconds: float = 0.0) -> float:
    return (engine.clock() - timedelta(seconds=seconds)).timestamp()


def post_meta(engine: Engine, document: Any) -> int:
    """The platform delivers this document; the answer is the engine's status."""
    body = body_of(document)
    headers = {"Content-Type": "application/json", **signature(body, APP_SECRET)}
    url = engine.world.world.config.meta_webhook_url
    return engine.world.http.post(url, content=body, headers=headers).status_code


def post_events(engine: Engine, *events: Any) -> int:
    """Events of the brand's account, in one POST."""
    return post_meta(engine, envelope(ACCOUNT, seconds_ago(engine), list(events)))


def about(engine: Engine, who: str, **what: Any) -> Any:
    """One event of this person, now, as the platform writes it."""
    return event(igsid_of(who), ACCOUNT, seconds_ago(engine), **what)


def message(engine: Engine, who: str, text: str, mid: str, **more: Any) -> Any:
    return about(engine, who, message={"mid": mid, "text": text, **more})


def from_brand(engine: Engine, who: str, **what: Any) -> Any:
    """One event that the brand's own account wrote to this person."""
    return event(ACCOUNT, igsid_of(who), seconds_ago(engine), **what)


def post_comment(engine: Engine, value: Any, field: str = "comments") -> int:
    return post_meta(engine, comment_envelope(ACCOUNT, field, seconds_ago(engine), value))


def write_batch(engine: Engine, messages: Sequence[dict[str, Any]]) -> int:
    """Several messages of followers in one POST."""
    return int(engine.world.api("/batch", messages=list(messages), retry=False)["status"])


def post_stripe(engine: Engine, told: Any, secret: str = WEBHOOK_SECRET) -> int:
    """Stripe delivers this event."""
    body = json.dumps(told).encode()
    url = engine.world.world.config.stripe_webhook_url(engine.world.world.config.stripe[0])
    headers = stripe_signature(secret, body, seconds_ago(engine))
    return engine.world.http.post(url, content=body, headers=headers).status_code
