"""What is outside in a test of the rules of time and money? A Stripe and a platform in a few lines each."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

import httpx

from claimbot.core.messages import Verdict
from claimbot.core.payments import (
    CheckoutRequest,
    NewsKind,
    PaymentEvent,
    SessionNews,
    SessionState,
)
from claimbot.payments.results import CallResult, RefundResult


@dataclass
class Sessions:
    """Stripe, by its rules: a key makes one session; open becomes complete or expired, and stays that.

    `before_expire` runs just before a session is ended, which is where a buyer may be faster.
    """

    by_id: dict[str, SessionNews] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)
    refunds: dict[str, str] = field(default_factory=dict)
    """session → the id of the one refund of all its money."""
    is_down: bool = False
    before_expire: Callable[[str], object] = lambda _: None

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()

    def of(self, _brand_id: str) -> "Sessions":
        return self

    def create(self, request: CheckoutRequest, is_hasty: bool = False) -> CallResult:
        if self.is_down:
            return CallResult(Verdict.UNKNOWN, reason="timeout")
        with self._lock:
            session_id = self.by_key.get(request.idempotency_key)
            if session_id is None:
                session_id = f"cs_test_{next(self._numbers)}"
                self.by_key[request.idempotency_key] = session_id
                self.by_id[session_id] = _opened(session_id, request)
            return CallResult(Verdict.DONE, self.by_id[session_id])

    def retrieve(self, session_id: str) -> CallResult:
        if self.is_down:
            return CallResult(Verdict.RETRY, reason="not_connected")
        return CallResult(Verdict.DONE, self.by_id[session_id])

    def expire(self, session_id: str) -> CallResult:
        """An open session ends; of another one we hear what became of it."""
        if self.is_down:
            return CallResult(Verdict.RETRY, reason="not_connected")
        self.before_expire(session_id)
        with self._lock:
            if self.by_id[session_id].state is SessionState.OPEN:
                self._turn(session_id, SessionState.EXPIRED)
        return CallResult(Verdict.DONE, self.by_id[session_id])

    def refund(self, _payment_intent: str, session_id: str, _amount: object, _claim_id: str) -> RefundResult:
        if self.is_down:
            return RefundResult(Verdict.RETRY, reason="not_connected")
        with self._lock:
            refund_id = self.refunds.setdefault(session_id, f"re_{session_id}")
        return RefundResult(Verdict.DONE, refund_id, "succeeded")

    def events_since(self, _created_after: datetime, _after_event_id: str = "") -> Iterator[PaymentEvent]:
        return (event_of(news) for news in list(self.by_id.values()) if news.state is not SessionState.OPEN)

    def pay(self, session_id: str, is_forced: bool = False) -> bool:
        """The buyer pays. `is_forced`: although the session has expired, which Stripe says cannot happen."""
        with self._lock:
            allowed = {SessionState.OPEN, SessionState.EXPIRED} if is_forced else {SessionState.OPEN}
            if self.by_id[session_id].state not in allowed:
                return False
            self._turn(session_id, SessionState.COMPLETE_PAID, payment_intent=f"pi_{session_id}")
            return True

    def list_ids(self, state: SessionState) -> list[str]:
        return [news.session_id for news in self.by_id.values() if news.state is state]

    def _turn(self, session_id: str, state: SessionState, **changes: str) -> None:
        self.by_id[session_id] = replace(self.by_id[session_id], state=state, url="", **changes)


def _opened(session_id: str, request: CheckoutRequest) -> SessionNews:
    total = request.unit_price.times(request.quantity)
    return SessionNews(
        session_id=session_id,
        state=SessionState.OPEN,
        claim_id=request.claim_id,
        livemode=False,
        amount_subtotal=total,
        amount_total=total,
        url=f"https://checkout.stripe.com/c/pay/{session_id}",
        expires_at=request.expires_at,
    )


def event_of(news: SessionNews, event_id: str = "") -> PaymentEvent:
    """The event that tells of a session's present state; the same fact may come with several ids."""
    word = "expired" if news.state is SessionState.EXPIRED else "completed"
    name = f"checkout.session.{word}"
    return PaymentEvent(
        event_id or f"evt_{word}_{news.session_id}",
        name,
        news.session_id,
        NewsKind.SESSION,
        False,
        session=news,
    )


REFUSALS = {
    "blocked": (400, {"error": {"code": 551, "message": "This person isn't available right now."}}),
    "busy": (400, {"error": {"code": 613, "message": "Calls to this api have exceeded the rate limit."}}),
}


@dataclass
class Platform:
    """Answers sends without a network; `next_answer` is used once: sent, blocked, busy or lost."""

    next_answer: str = "sent"
    sent: list[tuple[str, str]] = field(default_factory=list)
    """(who, body) of every message that arrived."""

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        answer, self.next_answer = self.next_answer, "sent"
        if answer in REFUSALS:
            status, document = REFUSALS[answer]
            return httpx.Response(status, json=document)
        body = request.content.decode()
        who = str(json.loads(body)["recipient"].get("id", ""))
        self.sent.append((who, body))
        if answer == "lost":
            raise httpx.ReadTimeout("the answer was lost")
        return httpx.Response(200, json={"recipient_id": who, "message_id": f"mid.{len(self.sent)}"})
