"""How does a brand's own system hear of its claims? One endpoint at a time, apart from every message.

At least once: a notice is delivered when its endpoint said so, and keeps its id until then. Who refuses a few
in a row is left to rest; what could not be told for a day is given up, with a reason and an alert.
"""

import json
import logging
import random
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from claimbot.core.webhooks import (
    AGE_MAX,
    AWAY_AFTER,
    FAILURES_MOST,
    DeliveryAttempt,
    Endpoint,
    Notice,
    again_seconds,
    rest_seconds,
)
from claimbot.db import alerts, webhooks
from claimbot.db.engine import Tx
from claimbot.failpoints import fp
from claimbot.parts import Parts
from claimbot.webhooks.addresses import NotPublic
from claimbot.webhooks.post import Line
from claimbot.webhooks.signing import signed_headers

log = logging.getLogger("claimbot.notify")

# In one turn; then others have the hand. With the exchange that is going on it ends well before its lease.
TURN_NOTICES = 100
TURN_SECONDS = 10.0
AWAY = "A webhook endpoint has not accepted events for 15 minutes: see why in Settings, Webhooks"
GIVEN_UP = "A webhook endpoint accepted nothing for a day: see Settings, Webhooks, and send the events again"


def list_ready(parts: Parts, most: int) -> list[str]:
    """Endpoints that have something to hear and may be called."""
    now = parts.clock()
    with parts.ledger.reading() as tx:
        return webhooks.list_ready(tx, now, most)


def notify(parts: Parts, endpoint_id: str) -> int:
    """One turn of one endpoint; returns how many notices it accepted."""
    now = parts.clock()
    endpoint = parts.ledger.run(lambda tx: webhooks.lease(tx, parts.sealer, endpoint_id, now))
    if endpoint is None:
        return 0
    with parts.ledger.reading() as tx:
        due = webhooks.list_due(tx, endpoint_id, now, TURN_NOTICES)
    accepted = _turn(parts, endpoint, due)
    parts.ledger.run(lambda tx: webhooks.give_back(tx, endpoint, parts.clock()))
    return accepted


def _turn(parts: Parts, endpoint: Endpoint, due: Sequence[Notice]) -> int:
    if not due:
        return 0
    try:
        with parts.postman.line_to(endpoint.url) as line:
            return _tell_all(parts, endpoint, line, due)
    except NotPublic as trouble:
        _note(parts, endpoint, due[0], DeliveryAttempt(reason=trouble.reason), endpoint.failures)
        return 0


def _tell_all(parts: Parts, endpoint: Endpoint, line: Line, due: Sequence[Notice]) -> int:
    """Stops when nobody answers, and when one refusal follows the other."""
    ends_at = time.monotonic() + TURN_SECONDS
    accepted, failures = 0, endpoint.failures
    for notice in due:
        done = _tell(parts, endpoint, line, notice)
        _note(parts, endpoint, notice, done, failures)
        accepted += done.is_accepted
        failures = 0 if done.is_accepted else failures + 1
        is_away = not done.is_accepted and (done.status == 0 or failures >= FAILURES_MOST)
        if is_away or time.monotonic() > ends_at:
            break
    return accepted


def _tell(parts: Parts, endpoint: Endpoint, line: Line, notice: Notice) -> DeliveryAttempt:
    body = json.dumps(notice.payload, separators=(",", ":"), ensure_ascii=True).encode()
    done = line.post(body, signed_headers(endpoint.secrets, notice.id, parts.clock(), body))
    fp("notify.answered")
    return done


def _note(parts: Parts, endpoint: Endpoint, notice: Notice, done: DeliveryAttempt, failures: int) -> None:
    """Write down what became of one attempt, for the notice and for its endpoint."""
    now = parts.clock()
    log.info("notice=%s endpoint=%s status=%d %s", notice.id, endpoint.id, done.status, done.reason)
    seconds = again_seconds(notice.attempts + 1, random.random())  # noqa: S311 - spread, no secret
    rest = rest_seconds(failures + 1)

    def story(tx: Tx) -> None:
        webhooks.mark_tried(tx, notice, done, now, now + timedelta(seconds=seconds))
        if not done.is_accepted:
            webhooks.mark_failing(tx, endpoint, now + timedelta(seconds=rest) if rest else None)
        elif failures:
            webhooks.mark_working(tx, endpoint)
            if failures >= FAILURES_MOST:
                webhooks.hurry(tx, endpoint.id, now)

    parts.ledger.run(story)


def _tell_who_is_away(tx: Tx, now: datetime) -> None:
    """While there is time to mend it. The alert goes when the endpoint accepts, is paused or removed."""
    away = webhooks.list_away(tx, now - AWAY_AFTER)
    for alert in alerts.list_open(tx):
        if alert.kind == "webhook_away" and alert.subject not in away:
            alerts.clear_alert(tx, alert.kind, alert.subject, now)
    for endpoint_id, brand_id in away.items():
        alerts.raise_alert(tx, alerts.Alert("webhook_away", endpoint_id, AWAY, brand_id), now)


def look_after(parts: Parts) -> int:
    """Give up what is a day old, and forget what was over long ago; returns how many were given up.

    Who has accepted nothing for a while is told of before that.
    """
    now = parts.clock()
    before = now - max(timedelta(days=parts.settings.raw_days), 2 * AGE_MAX)

    def story(tx: Tx) -> int:
        webhooks.give_up_removed(tx)
        given_up = webhooks.give_up_old(tx, now)
        for brand_id, endpoint_id in given_up:
            alerts.raise_alert(tx, alerts.Alert("webhook", endpoint_id, GIVEN_UP, brand_id), now)
        _tell_who_is_away(tx, now)
        webhooks.purge_notices(tx, before)
        return sum(given_up.values())

    return parts.ledger.run(story)
