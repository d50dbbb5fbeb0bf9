"""What does Stripe know that we have not heard? A webhook that never comes loses nothing."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from claimbot.core.claims import State
from claimbot.core.errors import PaymentsUnavailable
from claimbot.core.messages import Verdict
from claimbot.core.payments import PaymentEvent, SessionNews
from claimbot.db import brands, checkouts, claims, marks, payments
from claimbot.db.engine import Tx
from claimbot.flows.checkout import note_created, spend_call
from claimbot.flows.hints import Hints
from claimbot.flows.settle import Settled, hear, settle_session
from claimbot.flows.tell import tell
from claimbot.parts import Parts

log = logging.getLogger("claimbot.poll")

BATCH = 50
# As many ids as fit into one question to SQL.
ASKED_AT_ONCE = 500
# Stripe's own end of a session reaches us within seconds; after this we ask.
OVERDUE = timedelta(minutes=5)
# Events are listed this far back at the first look, and always a little before the last one seen.
LOOK_BACK = timedelta(hours=1)


def ask_about_session(parts: Parts, claim_id: str) -> Settled | None:
    """Ask Stripe for the state of a claim's session and settle it; None when it cannot be asked now."""
    with parts.ledger.reading() as tx:
        claim = claims.find_claim(tx, claim_id)
        attempt = checkouts.find_latest(tx, claim_id)
    if claim is None or attempt is None or not attempt.session_id:
        return None
    gateway = parts.gateways.of(claim.brand_id)
    if gateway is None or spend_call(parts, claim.brand_id) > 0:
        return None
    result = gateway.retrieve(attempt.session_id)
    if result.verdict is not Verdict.DONE or result.news is None:
        return None
    return settle_news(parts, claim.brand_id, result.news)


def settle_news(parts: Parts, brand_id: str, news: SessionNews) -> Settled:
    """What Stripe told us when asked, in one transaction."""
    now = parts.clock()

    def story(tx: Tx) -> tuple[Settled, Hints]:
        hints = Hints()
        return settle_session(tx, now, brand_id, news, hints), hints

    settled, hints = parts.ledger.run(story)
    tell(parts, hints)
    return settled


def ask_about_overdue(parts: Parts) -> int:
    """Sessions that must have ended, and payments that are on their way: how did they end?"""
    now = parts.clock()
    with parts.ledger.reading() as tx:
        overdue = checkouts.list_overdue(tx, now - OVERDUE, BATCH)
        pending = claims.list_pending(tx, BATCH)
    for attempt in overdue:
        if attempt.session_id:
            ask_about_session(parts, attempt.claim_id)
        else:
            _find_lost(parts, attempt)
    for claim in pending:
        if claim.state is State.PENDING:
            ask_about_session(parts, claim.id)
    return len(overdue)


def _find_lost(parts: Parts, attempt: checkouts.Attempt) -> None:
    """A session whose id never reached us: the same frozen request names it."""
    gateway = parts.gateways.of(attempt.brand_id)
    if gateway is None or spend_call(parts, attempt.brand_id) > 0:
        return
    made = gateway.create(attempt.request)
    parts.ledger.run(lambda tx: note_created(parts, tx, attempt, made))
    if made.news is not None:
        settle_news(parts, attempt.brand_id, made.news)


def ask_for_events(parts: Parts) -> int:
    """Hear every event since the last look, also those whose webhook was lost; returns how many were new."""
    now = parts.clock()
    with parts.ledger.reading() as tx:
        all_brands = brands.list_brands(tx)
    return sum(_hear_since(parts, brand.id, now) for brand in all_brands)


def _hear_since(parts: Parts, brand_id: str, now: datetime) -> int:
    gateway = parts.gateways.of(brand_id)
    if gateway is None or spend_call(parts, brand_id) > 0:
        return 0
    name = f"events:{brand_id}"
    with parts.ledger.reading() as tx:
        last = marks.find_mark(tx, name)
    since = (last.at if last else now) - LOOK_BACK
    try:
        told = list(gateway.events_since(since))
    except PaymentsUnavailable as trouble:
        # The other brands have keys of their own; the mark stays, so nothing is missed.
        log.warning("events_not_listed brand=%s %s", brand_id, type(trouble).__name__)
        return 0
    found = [hear(parts, brand_id, event, "") for event in _unheard(parts, told)]
    parts.ledger.run(lambda tx: marks.set_mark(tx, name, now))
    return sum(settled.reason != "duplicate" for settled in found)


def _unheard(parts: Parts, told: Sequence[PaymentEvent]) -> list[PaymentEvent]:
    """Most came by webhook: one question for all of them spares a transaction for each."""
    known: set[str] = set()
    with parts.ledger.reading() as tx:
        for start in range(0, len(told), ASKED_AT_ONCE):
            asked = [event.event_id for event in told[start : start + ASKED_AT_ONCE]]
            known |= payments.find_known_ids(tx, asked)
    return [event for event in told if event.event_id not in known]
