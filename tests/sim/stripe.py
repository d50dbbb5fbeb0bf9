"""What is Stripe in a simulation? Its rules in memory: keys, sessions, events, refunds, and bad days.

A session is open, then complete or expired, for ever. The same key is the same session. Events are written
down at once and delivered whenever the program says so, in any order, twice, or never.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from claimbot.core.errors import PaymentsUnavailable
from claimbot.core.messages import Verdict
from claimbot.core.payments import (
    CheckoutRequest,
    NewsKind,
    PaymentEvent,
    RefundNews,
    SessionNews,
    SessionState,
)
from claimbot.payments.results import CallResult, RefundResult
from tests.sim.grounds import VirtualClock
from tests.sim.points import Breach, Points

SOONEST_END = timedelta(minutes=30)
KEY_LIFE = timedelta(hours=24)

# fault → what the caller hears; None of them was carried out, but `lost` was.
FAILURES = {
    "refused": CallResult(Verdict.RETRY, reason="rate_limited"),
    "timeout": CallResult(Verdict.UNKNOWN, reason="timeout"),
    "lost": CallResult(Verdict.UNKNOWN, reason="timeout"),
    "broken": CallResult(Verdict.UNKNOWN, reason="server_error"),
    "parked": CallResult(Verdict.PARKED, reason="key_refused"),
}
STORED_500 = CallResult(Verdict.UNKNOWN, reason="server_error", is_new_epoch_needed=True)
TOO_SOON = CallResult(Verdict.RETRY, reason="expires_at_refused", is_new_epoch_needed=True)


@dataclass
class Key:
    """An idempotency key; without a session its stored answer is a 500."""

    request: CheckoutRequest
    made_at: datetime
    session_id: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """An event, whose it is and when it was written down."""

    at: datetime
    brand_id: str
    event: PaymentEvent


@dataclass
class Stripe:
    clock: VirtualClock
    points: Points
    take_fault: Callable[[], str]
    sessions: dict[str, SessionNews] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)
    """Sessions whose address reached us: only these can be paid by anybody."""
    failed: set[str] = field(default_factory=set)
    """Sessions whose delayed payment failed."""
    refunds: dict[str, str] = field(default_factory=dict)
    disputes: dict[str, str] = field(default_factory=dict)
    """session → open, won or lost."""
    log: list[Told] = field(default_factory=list)
    undelivered: list[Told] = field(default_factory=list)
    brand_of: dict[str, str] = field(default_factory=dict)
    """session → the brand that is paid by it."""
    brand_id: str = ""
    """Whose keys are used now."""

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)

    def of(self, brand_id: str) -> "Stripe":
        self.brand_id = brand_id
        return self

    # What the engine calls.

    def create(self, request: CheckoutRequest, is_hasty: bool = False) -> CallResult:
        brand_id = self.brand_id
        return self._call("create", lambda: self._create(request, brand_id), request)

    def retrieve(self, session_id: str) -> CallResult:
        return self._call("retrieve", lambda: CallResult(Verdict.DONE, self.sessions[session_id]))

    def expire(self, session_id: str) -> CallResult:
        return self._call("expire", lambda: self._expire(session_id))

    def refund(self, payment_intent: str, session_id: str, _amount: object, _claim_id: str) -> RefundResult:
        def act() -> CallResult:
            if not self.sessions[session_id].payment_intent == payment_intent:
                raise Breach(f"a refund of {session_id} names another payment")
            self.give_back(session_id)
            return CallResult(Verdict.DONE)

        result = self._call("refund", act)
        if result.verdict is not Verdict.DONE:
            return RefundResult(result.verdict, reason=result.reason)
        return RefundResult(Verdict.DONE, self.refunds[session_id], "succeeded")

    def events_since(self, created_after: datetime, _after_event_id: str = "") -> Iterator[PaymentEvent]:
        brand_id = self.brand_id
        result = self._call("events", lambda: CallResult(Verdict.DONE))
        if result.verdict is not Verdict.DONE:
            raise PaymentsUnavailable("no events today")
        theirs = (told for told in reversed(self.log) if told.brand_id == brand_id)
        return iter([told.event for told in theirs if told.at >= created_after])

    def _call(
        self, verb: str, act: Callable[[], CallResult], request: CheckoutRequest | None = None
    ) -> CallResult:
        self.points.call_outside(f"stripe.{verb}")
        self.tick()
        fault = self.take_fault()
        if fault == "broken" and request is not None:
            self.keys.setdefault(request.idempotency_key, Key(request, self.clock()))
        result = act() if fault not in FAILURES or fault == "lost" else FAILURES[fault]
        self.tick()
        self.points.reach(f"stripe.{verb}.done")
        if fault == "lost":
            return FAILURES[fault]
        if result.news is not None and result.news.url:
            self.shown.add(result.news.session_id)
        return result

    def _create(self, request: CheckoutRequest, brand_id: str) -> CallResult:
        key = self.keys.get(request.idempotency_key)
        if key is not None and self.clock() - key.made_at < KEY_LIFE:
            if key.request != request:
                raise Breach(f"{request.idempotency_key} was used with other parameters")
            return CallResult(Verdict.DONE, self.sessions[key.session_id]) if key.session_id else STORED_500
        if request.expires_at < self.clock() + SOONEST_END:
            return TOO_SOON
        session_id = f"cs_test_{next(self._numbers)}"
        self.keys[request.idempotency_key] = Key(request, self.clock(), session_id)
        self.brand_of[session_id] = brand_id
        total = request.unit_price.times(request.quantity)
        self.sessions[session_id] = SessionNews(
            session_id=session_id,
            state=SessionState.OPEN,
            claim_id=request.claim_id,
            livemode=False,
            amount_subtotal=total,
            amount_total=total,
            url=f"https://checkout.stripe.com/c/pay/{session_id}",
            expires_at=request.expires_at,
        )
        return CallResult(Verdict.DONE, self.sessions[session_id])

    def _expire(self, session_id: str) -> CallResult:
        if self.sessions[session_id].state is SessionState.OPEN:
            self._turn(session_id, SessionState.EXPIRED, "checkout.session.expired")
        return CallResult(Verdict.DONE, self.sessions[session_id])

    # What happens at Stripe without us.

    def tick(self) -> None:
        """Stripe ends sessions by its own clock."""
        for session_id, news in list(self.sessions.items()):
            if news.state is SessionState.OPEN and news.expires_at and news.expires_at <= self.clock():
                self._turn(session_id, SessionState.EXPIRED, "checkout.session.expired")

    def list_ids(self, *states: SessionState) -> list[str]:
        """Sessions that somebody can see, in one of these states."""
        self.tick()
        return [one for one, news in self.sessions.items() if news.state in states and one in self.shown]

    def pay(self, session_id: str, is_delayed: bool = False) -> None:
        state = SessionState.COMPLETE_UNPAID if is_delayed else SessionState.COMPLETE_PAID
        self._turn(session_id, state, "checkout.session.completed", payment_intent=f"pi_{session_id}")

    def end_delayed(self, session_id: str, is_paid: bool) -> None:
        if is_paid:
            self._turn(session_id, SessionState.COMPLETE_PAID, "checkout.session.async_payment_succeeded")
            return
        self.failed.add(session_id)
        self._tell("checkout.session.async_payment_failed", self.sessions[session_id], NewsKind.ASYNC_FAILED)

    def list_delayed(self) -> list[str]:
        waiting = self.list_ids(SessionState.COMPLETE_UNPAID)
        return [one for one in waiting if one not in self.failed]

    def give_back(self, session_id: str) -> None:
        """All the money of a session goes back, once."""
        if session_id in self.refunds:
            return
        self.refunds[session_id] = f"re_{session_id}"
        news = self.sessions[session_id]
        refund = RefundNews(news.payment_intent, news.claim_id, news.amount_total, is_full=True)
        self._write(session_id, "charge.refunded", f"ch_{session_id}", NewsKind.REFUND, refund=refund)

    def dispute(self, session_id: str) -> None:
        """The buyer's bank takes the money back until it has decided."""
        self.disputes[session_id] = "open"
        self._tell_dispute(session_id, "created", NewsKind.DISPUTE_OPENED)

    def end_dispute(self, session_id: str, is_won: bool) -> None:
        self.disputes[session_id] = "won" if is_won else "lost"
        self._tell_dispute(session_id, "closed", NewsKind.DISPUTE_WON if is_won else NewsKind.DISPUTE_LOST)

    def _tell_dispute(self, session_id: str, word: str, kind: NewsKind) -> None:
        news = self.sessions[session_id]
        taken = RefundNews(news.payment_intent, news.claim_id, news.amount_total, is_full=True)
        self._write(session_id, f"charge.dispute.{word}", f"dp_{session_id}", kind, refund=taken)

    def _turn(self, session_id: str, state: SessionState, event_type: str, payment_intent: str = "") -> None:
        before = self.sessions[session_id]
        known = payment_intent or before.payment_intent
        self.sessions[session_id] = replace(before, state=state, url="", payment_intent=known)
        self._tell(event_type, self.sessions[session_id], NewsKind.SESSION)

    def _tell(self, event_type: str, news: SessionNews, kind: NewsKind) -> None:
        self._write(news.session_id, event_type, news.session_id, kind, session=news)

    def _write(self, session_id: str, event_type: str, about: str, kind: NewsKind, **what: Any) -> None:
        event_id = f"evt_{next(self._numbers)}"
        event = PaymentEvent(event_id, event_type, about, kind, livemode=False, **what)
        self.log.append(Told(self.clock(), self.brand_of[session_id], event))
        self.undelivered.append(self.log[-1])

    def another_id(self, event: PaymentEvent) -> PaymentEvent:
        """The same fact under a second event id, which Stripe says may happen."""
        return replace(event, event_id=f"evt_{next(self._numbers)}")
