"""How does an owner say where the brand's own systems listen, and see what became of it?"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from claimbot.core.brands import Brand
from claimbot.core.errors import Refused
from claimbot.core.webhooks import (
    ENDPOINTS_MOST,
    OLD_SECRET_LIVES,
    Endpoint,
    EndpointState,
    Notice,
    payload_of_test,
    url_fault,
)
from claimbot.db import alerts, audit, brands, marks, webhooks
from claimbot.db.engine import Tx
from claimbot.db.ids import new_id
from claimbot.db.webhooks import Backlog, NewNotice
from claimbot.parts import Parts
from claimbot.webhooks.signing import new_secret

SHOWN_MOST = 30


@dataclass(frozen=True, slots=True)
class Listening:
    """What the page shows."""

    backlogs: list[Backlog]
    notices: list[Notice]


def find_listening(parts: Parts, brand_id: str) -> Listening:
    with parts.ledger.reading() as tx:
        return Listening(webhooks.list_backlogs(tx, brand_id), webhooks.list_latest(tx, brand_id, SHOWN_MOST))


def add_endpoint(parts: Parts, actor: str, brand: Brand, url: str) -> Endpoint:
    """With its secret, which is shown this once. Raises Refused."""
    fault = url_fault(url)
    if fault:
        raise Refused(fault)
    now = parts.clock()
    new = Endpoint(new_id("end"), brand.id, url, EndpointState.LIVE, now, (new_secret(),))

    def story(tx: Tx) -> None:
        brands.lock_brand(tx, brand.id)
        known = webhooks.list_endpoints(tx, brand.id)
        if any(one.url == url for one in known):
            raise Refused("This address is listening already.")
        if len(known) >= ENDPOINTS_MOST:
            raise Refused(f"At most {ENDPOINTS_MOST} addresses: remove one first.")
        webhooks.insert_endpoint(tx, parts.sealer, new)
        audit.insert_line(tx, actor, "webhook_added", new.id, now=now, brand_id=brand.id)
        marks.set_mark(tx, marks.CATALOG, now)

    parts.ledger.run(story)
    return new


def pause(parts: Parts, actor: str, endpoint: Endpoint) -> Endpoint:
    """What happens meanwhile waits, a day at most."""

    def rest(tx: Tx) -> None:
        webhooks.mark_endpoint_state(tx, endpoint.id, EndpointState.PAUSED)

    return _change(parts, actor, endpoint, "webhook_paused", rest)


def resume(parts: Parts, actor: str, endpoint: Endpoint) -> Endpoint:
    now = parts.clock()

    def wake(tx: Tx) -> None:
        webhooks.mark_endpoint_state(tx, endpoint.id, EndpointState.LIVE)
        webhooks.hurry(tx, endpoint.id, now)

    return _change(parts, actor, endpoint, "webhook_resumed", wake)


def remove(parts: Parts, actor: str, endpoint: Endpoint) -> Endpoint:
    """Its address and secret are forgotten; what it has not heard yet, it never will."""
    now = parts.clock()

    def leave(tx: Tx) -> None:
        webhooks.mark_endpoint_state(tx, endpoint.id, EndpointState.REMOVED)
        webhooks.give_up_removed(tx)
        alerts.clear_alert(tx, "webhook", endpoint.id, now)

    return _change(parts, actor, endpoint, "webhook_removed", leave)


def rotate(parts: Parts, actor: str, endpoint: Endpoint) -> Endpoint:
    """With its new secret, which is shown this once; the old one signs beside it for a day."""
    secret = new_secret()
    old_until = parts.clock() + OLD_SECRET_LIVES

    def renew(tx: Tx) -> None:
        webhooks.mark_new_secret(tx, parts.sealer, endpoint.id, secret, old_until)

    return replace(_change(parts, actor, endpoint, "webhook_secret_replaced", renew), secrets=(secret,))


def send_test(parts: Parts, actor: str, endpoint: Endpoint) -> Endpoint:
    """An event that means nothing, on the way of all others."""
    now = parts.clock()

    def write(tx: Tx) -> None:
        payload = payload_of_test(brands.get_brand(tx, endpoint.brand_id).slug, now)
        new = NewNotice(endpoint.brand_id, endpoint.id, new_id("test"), payload)
        webhooks.insert_notices(tx, [new], now)

    return _change(parts, actor, endpoint, "webhook_tested", write)


def send_again(parts: Parts, actor: str, brand: Brand, notice_id: str) -> None:
    """Raises Refused."""
    now = parts.clock()

    def story(tx: Tx) -> None:
        if not webhooks.resend(tx, brand.id, notice_id, now):
            raise Refused("There is no such event, or nobody listens for it any more.")
        audit.insert_line(tx, actor, "webhook_sent_again", notice_id, now=now, brand_id=brand.id)

    parts.ledger.run(story)


def _change(
    parts: Parts, actor: str, endpoint: Endpoint, action: str, change: Callable[[Tx], None]
) -> Endpoint:
    """As it was before. Raises Refused when it is not there any more."""
    now = parts.clock()

    def story(tx: Tx) -> None:
        if webhooks.find_endpoint(tx, endpoint.brand_id, endpoint.id) is None:
            raise Refused("It was removed meanwhile.")
        change(tx)
        audit.insert_line(tx, actor, action, endpoint.id, now=now, brand_id=endpoint.brand_id)
        marks.set_mark(tx, marks.CATALOG, now)

    parts.ledger.run(story)
    return endpoint


def find_endpoint(parts: Parts, brand_id: str, endpoint_id: str) -> Endpoint | None:
    """None: this brand has no such endpoint."""
    with parts.ledger.reading() as tx:
        return webhooks.find_endpoint(tx, brand_id, endpoint_id)
