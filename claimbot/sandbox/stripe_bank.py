"""Which sessions, payments and refunds does one Stripe account have, and how does each change?

A session is open, then complete or expired; both ends are final. Every change happens under one lock, and
every object is replaced, never changed in place.
"""

import threading
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field, replace

from claimbot.sandbox.ground import Ground
from claimbot.sandbox.shelf import Json
from claimbot.sandbox.stripe_check import complete_session_params
from claimbot.sandbox.stripe_errors import missing, not_open
from claimbot.sandbox.stripe_events import EventLog
from claimbot.sandbox.stripe_ids import make_session_id
from claimbot.sandbox.stripe_objects import (
    Buyer,
    details_of,
    make_charge,
    make_intent,
    make_lines,
    make_session,
)

MAX_SESSIONS = 200_000


class NotNow(Exception):
    """The session is not in a state where a buyer can do this; `status` is what it is in."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Record:
    """A session with what the API does not show."""

    session: Json
    lines: list[Json]
    intent_data: Json = field(default_factory=dict)
    image: str = ""
    """The first picture that was given; a price object does not carry it."""


class Bank:
    """`lock` may be held by a caller who must look and change in one step."""

    def __init__(self, secret_key: str, events: EventLog, ground: Ground) -> None:
        self.lock = threading.RLock()
        self.events = events
        self.account_id = events.account_id
        self.ground = ground
        self._sessions: dict[str, Record] = {}
        self._open: dict[str, int] = {}
        self.intents: dict[str, Json] = {}
        self.charges: dict[str, Json] = {}
        self.refunds: dict[str, Json] = {}
        self.disputes: dict[str, Json] = {}
        self._load()

    def _load(self) -> None:
        for session_id, told in self.ground.shelf.records(f"session:{self.account_id}"):
            self._sessions[session_id] = Record(**told)
            if told["session"]["status"] == "open":
                self._open[session_id] = told["session"]["expires_at"]
        for kind in ("intents", "charges", "refunds", "disputes"):
            getattr(self, kind).update(self.ground.shelf.records(f"{kind}:{self.account_id}"))

    def clear(self) -> None:
        with self.lock:
            self.events.clear()
            self._sessions.clear()
            self._open.clear()
            self.intents.clear()
            self.charges.clear()
            self.refunds.clear()
            self.disputes.clear()

    def now(self) -> int:
        return int(self.ground.clock.seconds())

    def create(self, params: Json, pay_url: str) -> Record:
        """`pay_url` is where the pages of this world are; the session's id is added."""
        params = complete_session_params(params, self.ground.clock.seconds())
        session_id = make_session_id()
        now = self.now()
        session = make_session(params, session_id, pay_url + session_id, now)
        images = params["line_items"][0]["price_data"]["product_data"].get("images", [""])
        intent_data = params.get("payment_intent_data", {})
        record = Record(session, make_lines(params, now), intent_data, next(iter(images), ""))
        with self.lock:
            if len(self._sessions) >= MAX_SESSIONS:
                self._forget(next(iter(self._sessions)))
            self._keep(record)
        return record

    def find(self, session_id: str) -> Record | None:
        """Its time is looked at first, so nobody sees an open session that is over."""
        with self.lock:
            record = self._sessions.get(session_id)
            if record is not None and self._is_due(record):
                record = self._end(record)
            return record

    def get(self, session_id: str) -> Record:
        record = self.find(session_id)
        if record is None:
            raise missing("checkout.session", session_id, "session")
        return record

    def newest(self) -> list[Record]:
        self.expire_due()
        with self.lock:
            return list(reversed(self._sessions.values()))

    def expire_due(self) -> None:
        now = self.ground.clock.seconds()
        with self.lock:
            for session_id in [name for name, ends in self._open.items() if ends <= now]:
                self._end(self._sessions[session_id])

    def expire(self, session_id: str) -> Record:
        """Raises StripeRefusal without a code when the session is no longer open."""
        with self.lock:
            record = self.get(session_id)
            status = record.session["status"]
            if self.ground.faults.take("stripe", "expire_says_complete"):
                raise not_open("complete")
            if status == "open" and self.ground.faults.take("stripe", "paid_at_expire"):
                self.pay(session_id, Buyer())
                status = "complete"
            if status != "open":
                raise not_open(status)
            return self._end(record)

    def pay(self, session_id: str, buyer: Buyer, delayed: bool = False) -> Future[None]:
        """The buyer pays, at once or by a delayed method. Ends after the first try to tell the engine."""
        with self.lock:
            record = self._payable(session_id)
            session = self._discounted(record.session, buyer.discount_minor)
            is_free = session["amount_total"] == 0
            changed = {**session, **details_of(session, buyer), "status": "complete", "url": None}
            if is_free:
                changed["payment_status"] = "no_payment_required"
            else:
                intent = self._intent(record, session)
                changed["payment_intent"] = intent["id"]
                changed["payment_status"] = "unpaid" if delayed else "paid"
                self._charge(intent, buyer, delayed)
            self._keep(replace(record, session=changed))
            return self.events.tell("checkout.session.completed", changed)

    def decline(self, session_id: str) -> Future[None]:
        """The card is refused; the session stays open and payable."""
        with self.lock:
            record = self._payable(session_id)
            intent = self._intent(record, record.session)
            error = {
                "code": "card_declined",
                "decline_code": "generic_decline",
                "message": "Your card was declined.",
                "type": "card_error",
            }
            intent = self.keep_intent({**intent, "last_payment_error": error})
            session = {**record.session, "payment_intent": intent["id"]}
            self._keep(replace(record, session=session))
            return self.events.tell("payment_intent.payment_failed", intent)

    def settle_delayed(self, session_id: str, success: bool) -> Future[None]:
        """The delayed payment arrived, or it failed."""
        with self.lock:
            record = self.get(session_id)
            session = record.session
            if session["status"] != "complete" or session["payment_status"] != "unpaid":
                raise NotNow(f"{session['status']}/{session['payment_status']}")
            intent = self.intents[session["payment_intent"]]
            if success:
                buyer = Buyer(email=session["customer_details"]["email"])
                self._charge(intent, buyer, delayed=False)
                session = {**session, "payment_status": "paid"}
                self._keep(replace(record, session=session))
                return self.events.tell("checkout.session.async_payment_succeeded", session)
            self.keep_intent({**intent, "status": "requires_payment_method"})
            return self.events.tell("checkout.session.async_payment_failed", session)

    def keep_intent(self, intent: Json) -> Json:
        self.intents[intent["id"]] = intent
        self.ground.shelf.put(f"intents:{self.account_id}", intent["id"], intent)
        return intent

    def keep_charge(self, charge: Json) -> Json:
        self.charges[charge["id"]] = charge
        self.ground.shelf.put(f"charges:{self.account_id}", charge["id"], charge)
        return charge

    def _payable(self, session_id: str) -> Record:
        record = self.get(session_id)
        if record.session["status"] != "open":
            raise NotNow(record.session["status"])
        return record

    def _discounted(self, session: Json, discount_minor: int) -> Json:
        """A promotion code, where the session allows them."""
        taken = min(discount_minor, session["amount_subtotal"]) if session["allow_promotion_codes"] else 0
        if taken <= 0:
            return session
        total_details = {**session["total_details"], "amount_discount": taken}
        total = session["amount_subtotal"] - taken
        return {**session, "amount_total": total, "total_details": total_details}

    def _intent(self, record: Record, session: Json) -> Json:
        known = self.intents.get(str(session["payment_intent"]))
        if known is not None:
            return self.keep_intent({**known, "amount": session["amount_total"]})
        return self.keep_intent(make_intent(session, record.intent_data, self.now()))

    def _charge(self, intent: Json, buyer: Buyer, delayed: bool) -> None:
        if delayed:
            self.keep_intent({**intent, "status": "processing", "last_payment_error": None})
            return
        charge = self.keep_charge(make_charge(intent, buyer, self.now()))
        self.keep_intent(
            {
                **intent,
                "status": "succeeded",
                "amount_received": intent["amount"],
                "latest_charge": charge["id"],
                "payment_method": charge["payment_method"],
                "last_payment_error": None,
            }
        )

    def _is_due(self, record: Record) -> bool:
        session = record.session
        return bool(session["status"] == "open" and session["expires_at"] <= self.ground.clock.seconds())

    def _end(self, record: Record) -> Record:
        ended = replace(record, session={**record.session, "status": "expired", "url": None})
        self._keep(ended)
        self.events.tell("checkout.session.expired", ended.session)
        return ended

    def _keep(self, record: Record) -> None:
        session_id = record.session["id"]
        self._sessions[session_id] = record
        if record.session["status"] == "open":
            self._open[session_id] = record.session["expires_at"]
        else:
            self._open.pop(session_id, None)
        self.ground.shelf.put(f"session:{self.account_id}", session_id, asdict(record))

    def _forget(self, session_id: str) -> None:
        del self._sessions[session_id]
        self._open.pop(session_id, None)
        self.ground.shelf.put(f"session:{self.account_id}", session_id, None)
