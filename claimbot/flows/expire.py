"""How does a hold end? Stripe ends its session first; only when it cannot be paid any more the unit goes."""

import logging
from datetime import datetime, timedelta

from claimbot.core.claims import Event, State
from claimbot.core.messages import Verdict
from claimbot.core.outbox import OutboxRow, backoff_seconds
from claimbot.core.payments import SessionNews
from claimbot.db import alerts, checkouts, claims, outbox
from claimbot.db.engine import Tx
from claimbot.flows.checkout import note_created, raise_stripe_alert, wait_call
from claimbot.flows.hints import Hints
from claimbot.flows.release import end_claim, finish_end
from claimbot.flows.settle import settle_session
from claimbot.flows.tell import tell
from claimbot.parts import Parts
from claimbot.payments.gateway import Gateway
from claimbot.payments.results import CallResult

log = logging.getLogger("claimbot.expire")

SWEEP_ROWS = 200
# Stripe ends a session by itself; this long after that even a silent Stripe cannot take money for it.
DEAD_AFTER = timedelta(minutes=10)
# A wrong key is mended by a person; asking more often than this does not help.
KEY_WAIT = timedelta(minutes=5)


def sweep_due(parts: Parts) -> int:
    """Begin the end of every hold whose time and grace are over; returns how many."""
    now = parts.clock()
    until = now - timedelta(seconds=parts.settings.hold_grace_seconds)

    def story(tx: Tx) -> tuple[int, Hints]:
        hints = Hints()
        due = claims.list_due(tx, until, SWEEP_ROWS)
        ended = sum(end_claim(tx, now, claim, Event.HOLD_ENDED, hints) for claim in due)
        return ended, hints

    ended, hints = parts.ledger.run(story)
    tell(parts, hints)
    return ended


def expire_session(parts: Parts, row: OutboxRow) -> None:
    """The outbox row `expire`: end the claim's session at Stripe, then the claim."""
    with parts.ledger.reading() as tx:
        claim = claims.find_claim(tx, row.claim_id or "")
        attempt = checkouts.find_latest(tx, row.claim_id or "")
    if claim is None or claim.state is not State.EXPIRING or attempt is None:
        return _done(parts, row, "nothing_to_end")
    if attempt.state in ("abandoned", "expired"):
        return _finish(parts, row, attempt.session_id, None)
    gateway = parts.gateways.of(claim.brand_id)
    if gateway is None:
        return _later(parts, row, CallResult(Verdict.PARKED, reason="no_stripe_key"), attempt)
    wait_seconds = wait_call(parts, claim.brand_id)
    if wait_seconds > 0:
        return _again(parts, row, wait_seconds, "paced")
    result = _end(parts, gateway, attempt)
    if result.verdict is Verdict.DONE and result.news is not None:
        return _finish(parts, row, result.news.session_id, result.news)
    return _later(parts, row, result, attempt)


def _end(parts: Parts, gateway: Gateway, attempt: checkouts.Attempt) -> CallResult:
    """Expire the session; one whose id never reached us is found by repeating its frozen request."""
    if attempt.session_id:
        return gateway.expire(attempt.session_id)
    made = gateway.create(attempt.request)
    parts.ledger.run(lambda tx: note_created(parts, tx, attempt, made))
    if made.verdict is not Verdict.DONE or made.news is None:
        return made
    return gateway.expire(made.news.session_id)


def _finish(parts: Parts, row: OutboxRow, session_id: str, news: SessionNews | None) -> None:
    now = parts.clock()

    def story(tx: Tx) -> Hints:
        hints = Hints()
        if news is not None:
            settle_session(tx, now, row.brand_id, news, hints)
        # Also after money that does not fit: the session cannot change any more, a person looks at it.
        claim = claims.lock_claim(tx, row.claim_id or "")
        if claim is not None and claim.state is State.EXPIRING:
            finish_end(tx, now, claim, hints)
        outbox.mark_done(tx, row, now, session_id)
        alerts.clear_alert(tx, "stripe_unreachable", row.brand_id, now)
        return hints

    tell(parts, parts.ledger.run(story))


def _later(parts: Parts, row: OutboxRow, result: CallResult, attempt: checkouts.Attempt) -> None:
    """Stripe did not say that the session is dead: the unit stays taken, and we ask again."""
    now = parts.clock()
    log.warning("expire claim=%s %s %s", row.claim_id, result.verdict, result.reason)
    never_made = not attempt.session_id and (result.is_new_epoch_needed or result.verdict is Verdict.DEAD)
    is_dead_anyway = now > attempt.expires_at + DEAD_AFTER and result.verdict is Verdict.DEAD
    if never_made or is_dead_anyway:
        _finish(parts, row, attempt.session_id, None)
        return
    wait = timedelta(seconds=result.retry_after_seconds or backoff_seconds(row.attempts, 0.5))
    with parts.ledger.begin() as tx:
        if result.verdict is Verdict.PARKED:
            wait = KEY_WAIT
            raise_stripe_alert(tx, row.brand_id, result.reason, now)
        else:
            _note_unreachable(tx, row, now)
        outbox.mark_again(tx, row, now + wait, result.reason or "stripe_unreachable", was_accepted=False)


def _note_unreachable(tx: Tx, row: OutboxRow, now: datetime) -> None:
    """A hold that outlives its end because Stripe is silent has a visible reason (invariant I9)."""
    text = "Stripe does not answer; holds that ended wait for it"
    alerts.raise_alert(tx, alerts.Alert("stripe_unreachable", row.brand_id, text, row.brand_id), now)


def _again(parts: Parts, row: OutboxRow, wait_seconds: float, reason: str) -> None:
    with parts.ledger.begin() as tx:
        next_at = parts.clock() + timedelta(seconds=wait_seconds)
        outbox.mark_again(tx, row, next_at, reason, was_accepted=False)


def _done(parts: Parts, row: OutboxRow, reason: str) -> None:
    with parts.ledger.begin() as tx:
        outbox.mark_done(tx, row, parts.clock(), reason=reason)
