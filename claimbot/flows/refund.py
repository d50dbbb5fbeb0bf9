"""How does money go back? One refund for each session, however often it is asked for."""

import logging
from datetime import timedelta

from claimbot.core.claims import State
from claimbot.core.messages import Verdict
from claimbot.core.outbox import OutboxRow, RowState, backoff_seconds
from claimbot.db import alerts, claims, outbox
from claimbot.db.engine import Tx
from claimbot.flows.checkout import raise_stripe_alert, spend_call
from claimbot.flows.expire import KEY_WAIT
from claimbot.flows.give_back import note_refund, part_of
from claimbot.flows.hints import Hints
from claimbot.flows.settle import give_money_back
from claimbot.flows.tell import tell
from claimbot.parts import Parts
from claimbot.payments.results import RefundResult

log = logging.getLogger("claimbot.refund")

# The buyer's bank did not take it back; the same refund again has the same answer.
REFUND_FAILED = "refund_failed"


def send_refund(parts: Parts, row: OutboxRow) -> None:
    """The outbox row `refund`: all the money of one session, or the part that a brand asked for."""
    if not row.payload["payment_intent"]:
        # A promotion code left nothing to pay, so Stripe made no payment.
        return _done(parts, row, RefundResult(Verdict.DONE, reason="nothing_was_paid"))
    gateway = parts.gateways.of(row.brand_id)
    if gateway is None:
        return _later(parts, row, RefundResult(Verdict.PARKED, reason="no_stripe_key"))
    wait_seconds = spend_call(parts, row.brand_id)
    if wait_seconds > 0:
        paced = RefundResult(Verdict.RETRY, reason="paced", retry_after_seconds=wait_seconds)
        return _later(parts, row, paced)
    payment_intent, session_id = row.payload["payment_intent"], row.payload["session_id"]
    result = gateway.refund(payment_intent, session_id, part_of(row.payload), row.claim_id or "")
    if result.verdict is Verdict.DONE:
        return _done(parts, row, result)
    return _later(parts, row, result)


def _done(parts: Parts, row: OutboxRow, result: RefundResult) -> None:
    now = parts.clock()

    def story(tx: Tx) -> Hints:
        hints = Hints()
        claim = claims.lock_claim(tx, row.claim_id or "")
        if claim is not None and claim.state is State.REFUNDING:
            give_money_back(tx, now, claim, claim.paid_minor, hints)
        elif claim is not None and row.payload.get("is_asked_for"):
            note_refund(tx, now, claim, row.payload, hints)
        outbox.mark_done(tx, row, now, result.refund_id, result.status or result.reason)
        return hints

    tell(parts, parts.ledger.run(story))


def _later(parts: Parts, row: OutboxRow, result: RefundResult) -> None:
    now = parts.clock()
    log.warning("refund claim=%s %s %s", row.claim_id, result.verdict, result.reason)
    wait = timedelta(seconds=result.retry_after_seconds or backoff_seconds(row.attempts, 0.5))
    with parts.ledger.begin() as tx:
        if result.verdict is Verdict.DEAD or result.reason == REFUND_FAILED:
            text = f"Stripe refused a refund ({result.reason}); send the money back in its dashboard"
            alerts.raise_alert(tx, alerts.Alert("refund", row.claim_id or row.id, text, row.brand_id), now)
            outbox.mark_stopped(tx, row, RowState.DEAD, result.reason, now)
            return
        if result.verdict is Verdict.PARKED:
            wait = KEY_WAIT
            raise_stripe_alert(tx, row.brand_id, result.reason, now)
        outbox.mark_again(tx, row, now + wait, result.reason or "stripe_unreachable", was_accepted=False)
