"""What do we do on news of money? Believe Stripe, check the offer, then sell or send it back."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from claimbot.core.claims import ENDED, WITH_UNIT, Claim, Event, State, advance, may
from claimbot.core.drops import Drop
from claimbot.core.outbox import NewRow, Priority, Work
from claimbot.core.payments import NewsKind, PaymentEvent, RefundNews, SessionNews, SessionState, mismatch
from claimbot.core.texts import TextKey
from claimbot.db import alerts, checkouts, claims, drops, leads, marks, outbox, payments, units
from claimbot.db.engine import Tx
from claimbot.failpoints import fp
from claimbot.flows.announce import announce
from claimbot.flows.hints import Hints, gate_key
from claimbot.flows.release import end_claim, finish_end, hand_on, release
from claimbot.flows.round import reply_row
from claimbot.flows.tell import tell
from claimbot.parts import Parts

log = logging.getLogger("claimbot.settle")


@dataclass(frozen=True, slots=True)
class Settled:
    """What news led to: applied, ignored, or review (kept for a person, nothing sold)."""

    outcome: str
    reason: str = ""
    claim_id: str | None = None


def hear(parts: Parts, brand_id: str, event: PaymentEvent, payload: str) -> Settled:
    """A signed event: write it down and act on it in one transaction; the same fact twice is one."""
    now = parts.clock()
    is_other_mode = event.livemode != parts.catalog().brands[brand_id].brand.livemode
    heard = Heard(brand_id, event, payload, is_other_mode)
    settled, hints = parts.ledger.run(lambda tx: _hear(tx, now, heard))
    tell(parts, hints)
    log.info("payment event=%s type=%s %s %s", event.event_id, event.type, settled.outcome, settled.reason)
    return settled


@dataclass(frozen=True, slots=True)
class Heard:
    brand_id: str
    event: PaymentEvent
    payload: str
    is_other_mode: bool


def _hear(tx: Tx, now: datetime, heard: Heard) -> tuple[Settled, Hints]:
    event, hints = heard.event, Hints()
    row = payments.Heard(event.event_id, heard.brand_id, event.type, _fact(event), heard.payload)
    if not payments.insert_new(tx, row, now):
        return Settled("ignored", "duplicate"), hints
    settled = _settle(tx, now, heard, hints)
    payments.mark_ended(tx, event.event_id, settled.outcome, settled.reason, settled.claim_id)
    if not _may_keep(tx, settled):
        payments.forget_payload(tx, event.event_id)
    fp("settle.settled")
    return settled, hints


def _may_keep(tx: Tx, settled: Settled) -> bool:
    """An event names the buyer: it is kept only where it is about a claim of somebody who was not erased."""
    claim = claims.find_claim(tx, settled.claim_id or "")
    return claim is not None and not leads.is_erased(tx, claim.lead_id)


def _fact(event: PaymentEvent) -> str:
    """One fact has one name: a refund of a further part, or in a further state, is another fact."""
    if event.refund is None:
        return event.object_id
    return f"{event.object_id}:{event.refund.refunded.minor}:{event.refund.status}"


def raise_review(tx: Tx, brand_id: str, subject: str, reason: str, now: datetime) -> None:
    text = f"Money came that does not fit its offer ({reason}); nothing was sold, look at it in Stripe"
    alerts.raise_alert(tx, alerts.Alert("review", subject, text, brand_id), now)


def _settle(tx: Tx, now: datetime, heard: Heard, hints: Hints) -> Settled:
    event = heard.event
    if heard.is_other_mode:
        return Settled("ignored", "other_mode")
    if event.session is not None and event.kind is NewsKind.SESSION:
        return settle_session(tx, now, heard.brand_id, event.session, hints)
    if event.session is not None and event.kind is NewsKind.ASYNC_FAILED:
        return _async_failed(tx, now, heard.brand_id, event.session, hints)
    if event.refund is not None and event.kind is NewsKind.REFUND:
        return _refunded(tx, now, heard.brand_id, event.refund, hints)
    if event.refund is not None and event.kind in DISPUTES:
        return _disputed(tx, now, heard.brand_id, event.refund, DISPUTES[event.kind])
    return Settled("ignored", "not_ours")


def _find(tx: Tx, brand_id: str, claim_id: str, session_id: str = "") -> Claim | None:
    """The claim that this news is about, locked; None when it is not ours, or another brand's."""
    claim = claims.lock_claim(tx, claim_id) if claim_id else None
    if claim is None and session_id:
        attempt = checkouts.find_by_session(tx, session_id)
        claim = claims.lock_claim(tx, attempt.claim_id) if attempt else None
    return claim if claim is not None and claim.brand_id == brand_id else None


def settle_session(tx: Tx, now: datetime, brand_id: str, news: SessionNews, hints: Hints) -> Settled:
    """A session's state, from a signed event or from asking Stripe; the same news twice changes nothing."""
    claim = _find(tx, brand_id, news.claim_id, news.session_id)
    if claim is None:
        return Settled("ignored", "not_ours")
    if news.state is SessionState.OPEN:
        return Settled("ignored", "open", claim.id)
    if news.state is SessionState.EXPIRED:
        return _session_expired(tx, now, claim, news, hints)
    wrong = mismatch(claim.offer, news)
    if wrong == "other_mode":
        return Settled("ignored", wrong, claim.id)
    checkouts.mark_session_ended(tx, news.session_id, "complete")
    if wrong:
        raise_review(tx, brand_id, news.session_id, wrong, now)
        return Settled("review", wrong, claim.id)
    if news.state is SessionState.COMPLETE_UNPAID:
        return _pending(tx, now, claim, news)
    return _paid(tx, now, claim, news, hints)


def _session_expired(tx: Tx, now: datetime, claim: Claim, news: SessionNews, hints: Hints) -> Settled:
    checkouts.mark_session_ended(tx, news.session_id, "expired")
    latest = checkouts.find_latest(tx, claim.id)
    is_latest = latest is not None and latest.session_id == news.session_id
    if not is_latest:
        return Settled("ignored", "older_session", claim.id)
    if claim.state is State.EXPIRING and finish_end(tx, now, claim, hints):
        return Settled("applied", "expired", claim.id)
    is_over = claim.hold_expires_at is not None and claim.hold_expires_at <= now
    if claim.state is State.HELD and is_over and end_claim(tx, now, claim, Event.HOLD_ENDED, hints):
        ending = claims.lock_claim(tx, claim.id)
        assert ending is not None  # it was just changed
        if ending.state is State.EXPIRING:
            finish_end(tx, now, ending, hints)
        return Settled("applied", "expired", claim.id)
    return Settled("ignored", claim.state.value, claim.id)


def _pending(tx: Tx, now: datetime, claim: Claim, news: SessionNews) -> Settled:
    """A delayed method: the unit stays taken until the money is here or has failed."""
    if not may(claim.state, Event.SESSION_UNPAID):
        return Settled("ignored", claim.state.value, claim.id)
    state = advance(claim.state, Event.SESSION_UNPAID)
    claims.mark_state(tx, claim, state, stripe_session_id=news.session_id, payment_intent=news.payment_intent)
    _note_buyer(tx, now, claim, news)
    _say(tx, now, claim, TextKey.PAYMENT_PENDING)
    return Settled("applied", "pending", claim.id)


# Whoever pays again in these states, on another session, gets that money back.
HAS_PAID = (State.SOLD, State.DISPUTED, State.REFUNDING, State.REFUNDED)


def _paid(tx: Tx, now: datetime, claim: Claim, news: SessionNews, hints: Hints) -> Settled:
    if claim.state in ENDED:
        return _paid_late(tx, now, claim, news, hints)
    if may(claim.state, Event.SESSION_PAID):
        _sell(tx, now, claim, news, Event.SESSION_PAID)
        hints.forget(claim.drop_id, gate_key(tx, claim.lead_id))
        hints.rings = True
        _catch_up(tx, now, claim.id, hints)
        return Settled("applied", "sold", claim.id)
    is_other_session = claim.stripe_session_id not in ("", news.session_id)
    if claim.state in HAS_PAID and is_other_session:
        refund_later(tx, now, claim, news)
        hints.rings = True
        return Settled("applied", "second_payment_refunded", claim.id)
    return Settled("ignored", claim.state.value, claim.id)


def _sell(tx: Tx, now: datetime, claim: Claim, news: SessionNews, event: Event) -> None:
    claims.mark_state(
        tx,
        claim,
        advance(claim.state, event),
        stripe_session_id=news.session_id,
        payment_intent=news.payment_intent,
        paid_at=now,
        paid_minor=news.amount_total.minor,
        shipping="" if leads.is_erased(tx, claim.lead_id) else news.shipping,
    )
    announce(tx, now, claim.brand_id, [claim.id])
    _note_buyer(tx, now, claim, news)
    _say(tx, now, claim, TextKey.PAID)


def _catch_up(tx: Tx, now: datetime, claim_id: str, hints: Hints) -> None:
    """Events overtake each other: money may have gone back before we heard that it had come."""
    claim = claims.lock_claim(tx, claim_id)
    assert claim is not None  # it was just sold
    early = marks.find_mark(tx, _early(claim_id))
    if early is not None and not early.facts["is_won"]:
        claims.mark_state(tx, claim, advance(claim.state, Event.DISPUTED))
        claim = replace(claim, state=State.DISPUTED)
    if claim.refunded_minor >= claim.paid_minor > 0:
        give_money_back(tx, now, claim, claim.refunded_minor, hints)


def _paid_late(tx: Tx, now: datetime, claim: Claim, news: SessionNews, hints: Hints) -> Settled:
    """Money for a claim that ended: a free unit, or all of it back. A new claim of theirs comes first."""
    is_within_limit = _used(tx, claim) + claim.quantity <= _drop_of(tx, claim).per_follower_limit
    most = claim.quantity if is_within_limit else 0
    numbers = units.take_any(tx, claim.id, claim.variant_id, most) if most else ()
    hints.rings = True
    if len(numbers) == claim.quantity:
        _sell(tx, now, claim, news, Event.LATE_PAID_UNIT)
        hints.stale_drops.add(claim.drop_id)
        _catch_up(tx, now, claim.id, hints)
        return Settled("applied", "sold_late", claim.id)
    units.free_units(tx, [claim.id])
    state = advance(claim.state, Event.LATE_PAID_NO_UNIT)
    values = {"stripe_session_id": news.session_id, "payment_intent": news.payment_intent, "paid_at": now}
    claims.mark_state(tx, claim, state, paid_minor=news.amount_total.minor, **values)
    refund_later(tx, now, claim, news)
    _say(tx, now, claim, TextKey.LATE_REFUNDED)
    return Settled("applied", "refunding", claim.id)


def _used(tx: Tx, claim: Claim) -> int:
    """Units of this claim's drop that its follower has, or is in line for, by other claims."""
    pair = (claim.drop_id, claim.lead_id)
    return sum(one.quantity for one in claims.list_standing(tx, [pair]).get(pair, []))


def _drop_of(tx: Tx, claim: Claim) -> Drop:
    drop = drops.find_drop(tx, claim.drop_id)
    assert drop is not None  # a claim's drop is never deleted
    return drop


def refund_later(tx: Tx, now: datetime, claim: Claim, news: SessionNews) -> None:
    """Send all the money of this session back; once, whoever asks."""
    payload = {"session_id": news.session_id, "payment_intent": news.payment_intent}
    row = NewRow(
        kind=Work.REFUND,
        priority=Priority.MONEY,
        dedupe_key=f"refund:{news.session_id}",
        brand_id=claim.brand_id,
        payload=payload,
        claim_id=claim.id,
    )
    outbox.insert_rows(tx, [row], now)


def _note_buyer(tx: Tx, now: datetime, claim: Claim, news: SessionNews) -> None:
    """What the buyer gave at the checkout becomes part of the lead."""
    given = {"email": news.buyer_email, "phone": news.buyer_phone, "name": news.buyer_name}
    values: dict[str, object] = {name: value for name, value in given.items() if value}
    if news.marketing_consent is not None:
        wording = "Stripe Checkout, promotions"
        values |= {"consent_marketing": news.marketing_consent, "consent_at": now, "consent_wording": wording}
    if values and not leads.is_erased(tx, claim.lead_id):
        leads.mark_lead(tx, claim.lead_id, values)


def _say(tx: Tx, now: datetime, claim: Claim, text: TextKey) -> None:
    lead = leads.find_lead(tx, claim.lead_id)
    if lead is not None:
        outbox.insert_rows(tx, [reply_row(claim, lead, text, Priority.PAYMENT)], now)


def _async_failed(tx: Tx, now: datetime, brand_id: str, news: SessionNews, hints: Hints) -> Settled:
    claim = _find(tx, brand_id, news.claim_id, news.session_id)
    if claim is None:
        return Settled("ignored", "not_ours")
    is_pending_already = claim.state is State.PENDING
    if may(claim.state, Event.SESSION_UNPAID):
        # The failure overtook the news that the buyer had chosen a delayed method.
        claims.mark_state(tx, claim, advance(claim.state, Event.SESSION_UNPAID))
        claim = replace(claim, state=State.PENDING)
    is_other_session = claim.stripe_session_id not in ("", news.session_id)
    if claim.state is not State.PENDING or (is_pending_already and is_other_session):
        return Settled("ignored", claim.state.value, claim.id)
    checkouts.mark_session_ended(tx, news.session_id, "complete")
    release(tx, now, claim, Event.ASYNC_FAILED, hints)
    return Settled("applied", "payment_failed", claim.id)


def _refunded(tx: Tx, now: datetime, brand_id: str, news: RefundNews, hints: Hints) -> Settled:
    claim = _of_payment(tx, brand_id, news)
    if claim is None:
        return Settled("ignored", "not_ours")
    if news.status in ("failed", "canceled"):
        text = "A refund did not go through; send the money back in Stripe's dashboard"
        alerts.raise_alert(tx, alerts.Alert("refund", claim.id, text, brand_id), now)
        return Settled("review", "refund_failed", claim.id)
    refunded_minor = max(claim.refunded_minor, news.refunded.minor)
    if not news.is_full or not may(claim.state, Event.REFUNDED):
        claims.mark_values(tx, claim.id, refunded_minor=refunded_minor)
        return Settled("applied" if not news.is_full else "ignored", claim.state.value, claim.id)
    give_money_back(tx, now, claim, refunded_minor, hints)
    return Settled("applied", "refunded", claim.id)


def give_money_back(tx: Tx, now: datetime, claim: Claim, refunded_minor: int, hints: Hints) -> None:
    """All the money is back with the buyer; a unit that was sold returns as the drop says."""
    state = advance(claim.state, Event.REFUNDED)
    claims.mark_state(tx, claim, state, refunded_minor=refunded_minor, ended_at=now)
    announce(tx, now, claim.brand_id, [claim.id])
    if claim.state not in WITH_UNIT:
        return
    if _drop_of(tx, claim).is_restocked_on_refund:
        hand_on(tx, now, claim, hints)
    else:
        units.retire_units_of(tx, claim.id)


def _of_payment(tx: Tx, brand_id: str, news: RefundNews) -> Claim | None:
    found = None
    if not news.claim_id and news.payment_intent:
        found = claims.find_by_payment_intent(tx, news.payment_intent)
    claim = _find(tx, brand_id, news.claim_id or (found.id if found else ""))
    known = claim.payment_intent if claim is not None else ""
    # A second payment of the same claim goes back alone: what was sold by the first stays sold.
    is_another = bool(known and news.payment_intent) and known != news.payment_intent
    return None if is_another else claim


DISPUTES = {
    NewsKind.DISPUTE_OPENED: Event.DISPUTED,
    NewsKind.DISPUTE_WON: Event.DISPUTE_WON,
    NewsKind.DISPUTE_LOST: Event.DISPUTED,
}


def _early(claim_id: str) -> str:
    """Name of the mark that news of a dispute came before what it follows: the payment, or its opening."""
    return f"early_dispute:{claim_id}"


def _is_won(tx: Tx, claim: Claim) -> bool:
    known = marks.find_mark(tx, _early(claim.id))
    return known is not None and bool(known.facts["is_won"])


def _note_early(tx: Tx, now: datetime, claim: Claim, event: Event) -> Settled:
    is_won = event is Event.DISPUTE_WON or _is_won(tx, claim)
    marks.set_mark(tx, _early(claim.id), now, {"is_won": is_won})
    return Settled("ignored", "came_early", claim.id)


def _disputed(tx: Tx, now: datetime, brand_id: str, news: RefundNews, event: Event) -> Settled:
    claim = _of_payment(tx, brand_id, news)
    if claim is None:
        return Settled("ignored", "not_ours")
    is_early_end = claim.state is State.SOLD and event is Event.DISPUTE_WON
    if claim.paid_at is None or is_early_end:
        return _note_early(tx, now, claim, event)
    if event is Event.DISPUTED and _is_won(tx, claim):
        return Settled("ignored", "won_already", claim.id)
    if not may(claim.state, event):
        return Settled("ignored", claim.state.value, claim.id)
    claims.mark_state(tx, claim, advance(claim.state, event))
    return Settled("applied", event.value, claim.id)
