"""What do we ask of Stripe, and how did it end?

One gateway per brand, built when it is first needed. It never retries: our outbox does (design §8).
Every answer is a frozen value; no error of the SDK leaves this file, and no text of Stripe's.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Protocol

import requests
import stripe
from requests.adapters import HTTPAdapter
from stripe.params import EventListParams, RefundCreateParams
from stripe.params.checkout import SessionListParams

from claimbot.core.errors import BadPayload, PaymentsUnavailable
from claimbot.core.messages import Verdict
from claimbot.core.payments import (
    CheckoutRequest,
    NewsKind,
    PaymentEvent,
    PaymentKeys,
    RefundPart,
    SessionNews,
    SessionState,
)
from claimbot.payments import params, read, webhook
from claimbot.payments.keys import is_live_key, secret_key_faults
from claimbot.payments.results import AccountResult, CallResult, RefundResult, SessionsFound
from claimbot.payments.verdicts import UNREADABLE, Failure, failure, is_replayed

API_VERSION = "2026-10-28.endive"
# Connect, then read: a worker must not hang on Stripe (the SDK's own default is 80 s).
TIMEOUTS_SECONDS = (3.0, 10.0)
# The same for a call that holds up a message: beyond this our own link goes out instead of Stripe's.
HASTY_SECONDS = (1.0, 2.0)
# When so many calls in a row were not answered, nobody in a hurry asks again for so long.
SILENT_AFTER = 2
SILENCE_SECONDS = 5.0
# Connections kept open to one Stripe: as many as worker threads of one process.
CONNECTIONS_KEPT = 16
PAGE_ROWS = 100  # Stripe's maximum
# 5,000 rows: more sessions or events than a day of a big drop leaves between two looks.
PAGES_MOST = 50

# What settles money; the poll asks for these and the webhook endpoint is subscribed to the same.
EVENT_TYPES = (
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
)


Page = list[Mapping[str, Any]]


class Answer(Protocol):
    """What every call of the SDK returns."""

    def to_dict(self) -> dict[str, Any]: ...


class Gateway:
    """A brand's way to Stripe. Safe to share between threads."""

    def __init__(
        self,
        keys: PaymentKeys,
        api_url: str = "",
        api_version: str = API_VERSION,
        timeouts_seconds: tuple[float, float] = TIMEOUTS_SECONDS,
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        # Both are process-wide in the SDK: no figures about this machine, and no bodies in the log.
        stripe.enable_telemetry = False
        logging.getLogger("stripe").setLevel(logging.WARNING)
        self._keys = keys
        self._is_key_malformed = bool(secret_key_faults(keys))
        self._now_seconds = now_seconds
        self._unanswered = 0
        self._silent_until = 0.0

        def client(timeouts: tuple[float, float]) -> stripe.StripeClient:
            return stripe.StripeClient(
                keys.secret_key,
                stripe_account=keys.account or None,
                stripe_version=api_version,
                base_addresses={"api": api_url.rstrip("/")} if api_url else None,
                max_network_retries=0,
                http_client=stripe.RequestsClient(timeout=timeouts, session=_pooled_session()),
            )

        connect, read_ = (min(pair) for pair in zip(timeouts_seconds, HASTY_SECONDS, strict=True))
        self._client, self._hasty = client(timeouts_seconds), client((connect, read_))

    def __repr__(self) -> str:
        return f"Gateway({self._keys.brand_id})"

    def create(self, request: CheckoutRequest, is_hasty: bool = False) -> CallResult:
        """Make the session. The same request again is the same session (one idempotency key).

        Who is hasty does not wait long for the answer, and is not even asked for while Stripe is silent.
        """
        if is_hasty and self._now_seconds() < self._silent_until:
            return CallResult(Verdict.RETRY, None, "stripe_silent")
        sessions = (self._hasty if is_hasty else self._client).v1.checkout.sessions
        wanted = params.checkout(request)
        options: stripe.RequestOptions = {"idempotency_key": request.idempotency_key}
        was_replayed = False

        def call() -> Answer:
            nonlocal was_replayed
            made = sessions.create(wanted, options)
            was_replayed = made.last_response is not None and is_replayed(made.last_response.headers)
            return made

        made = self._session_result(self._ask(call))
        if not was_replayed or made.news is None:
            return made
        # A stored answer is as old as the first call: the session may have been paid or expired since.
        current = self.retrieve(made.news.session_id)
        return current if current.verdict is Verdict.DONE else made

    def retrieve(self, session_id: str) -> CallResult:
        """The session as it is now."""
        return self._session_result(self._ask(lambda: self._client.v1.checkout.sessions.retrieve(session_id)))

    def expire(self, session_id: str) -> CallResult:
        """End the session. DONE means it can no longer change: expired, or completed before we came.

        A 400 only says "not open", in words: so the session itself is asked (facts: expire of a paid one).
        """
        answer = self._ask(lambda: self._client.v1.checkout.sessions.expire(session_id))
        is_refused = isinstance(answer, Failure) and answer.http_status == 400
        result = self.retrieve(session_id) if is_refused else self._session_result(answer)
        if result.news is not None and result.news.state is SessionState.OPEN:
            return CallResult(Verdict.RETRY, result.news, "still_open")
        return result

    def find_by_claim(self, claim_id: str, created_after: datetime) -> SessionsFound:
        """The sessions made for a claim, for an answer that was lost. Stripe has no filter for it."""
        return self._list_sessions(created_after, lambda found: read.claim_id(found) == claim_id)

    def list_sessions(self, created_after: datetime) -> SessionsFound:
        """Every session made since then that names a claim, whoever's it is."""
        return self._list_sessions(created_after, lambda found: bool(read.claim_id(found)))

    def _list_sessions(
        self, created_after: datetime, is_wanted: Callable[[Mapping[str, Any]], bool]
    ) -> SessionsFound:
        since = int(created_after.timestamp())
        sessions: list[SessionNews] = []

        def fetch(cursor: str) -> Answer:
            wanted: SessionListParams = {"limit": PAGE_ROWS, "created": {"gte": since}}
            if cursor:
                wanted["starting_after"] = cursor
            return self._client.v1.checkout.sessions.list(wanted)

        for page in self._pages(fetch, last=-1):
            if isinstance(page, Failure):
                return SessionsFound(page.verdict, tuple(sessions), page.reason, page.retry_after_seconds)
            news = [_session_or_none(found, self._keys.account) for found in page if is_wanted(found)]
            sessions.extend(one for one in news if one is not None)
        return SessionsFound(Verdict.DONE, tuple(sessions))

    def refund(
        self, payment_intent: str, session_id: str, part: RefundPart | None, claim_id: str
    ) -> RefundResult:
        """Send money back: all that is left, or a part. Asking twice is one refund."""
        of_part = f":{part.already_minor}:{part.amount.minor}" if part else ""
        key = f"refund:{session_id}{of_part}"
        amount = part.amount if part else None
        wanted = params.refund(payment_intent, session_id, amount, claim_id)
        answer = self._refund(wanted, key)
        if isinstance(answer, Failure) and answer.is_new_epoch_needed and part is None:
            # The key gives back a stored 500 for a day. A second key is safe: Stripe never refunds all twice.
            answer = self._refund(wanted, f"{key}:again")
        if isinstance(answer, Failure):
            return RefundResult(answer.verdict, "", "", answer.reason, answer.retry_after_seconds)
        refund_id, status = read.text(answer.get("id")), read.text(answer.get("status"))
        if not refund_id:
            return RefundResult(UNREADABLE.verdict, reason=UNREADABLE.reason)
        if status in ("failed", "canceled"):
            return RefundResult(Verdict.PARKED, refund_id, status, "refund_failed")
        return RefundResult(Verdict.DONE, refund_id, status)

    def _refund(self, wanted: RefundCreateParams, key: str) -> Mapping[str, Any] | Failure:
        return self._ask(lambda: self._client.v1.refunds.create(wanted, {"idempotency_key": key}))

    def events_since(self, created_after: datetime, after_event_id: str = "") -> Iterator[PaymentEvent]:
        """What the webhook may have missed; Stripe keeps 30 days.

        After a known event: oldest first. By time alone: newest first. Either way some may be known already.
        An unreadable event comes as OTHER. Raises PaymentsUnavailable when Stripe does not answer.
        """
        since = int(created_after.timestamp())

        def fetch(cursor: str) -> Answer:
            wanted: EventListParams = {"limit": PAGE_ROWS, "types": list(EVENT_TYPES)}
            if after_event_id:
                wanted["ending_before"] = cursor or after_event_id
                return self._client.v1.events.list(wanted)
            wanted["created"] = {"gte": since}
            if cursor:
                wanted["starting_after"] = cursor
            return self._client.v1.events.list(wanted)

        for page in self._pages(fetch, last=0 if after_event_id else -1):
            if isinstance(page, Failure):
                raise PaymentsUnavailable("Stripe did not list its events", page.retry_after_seconds or 2.0)
            rows = reversed(page) if after_event_id else iter(page)
            yield from (event for row in rows if (event := _event_or_none(row)) is not None)

    def account(self) -> AccountResult:
        """Whose key it is. The mode is the key's own: Stripe's account object does not tell it."""
        answer = self._ask(lambda: self._client.v1.accounts.retrieve_current())
        if isinstance(answer, Failure):
            return AccountResult(answer.verdict, reason=answer.reason)
        account_id = read.text(answer.get("id"))
        if not account_id:
            return AccountResult(UNREADABLE.verdict, reason=UNREADABLE.reason)
        is_enabled = answer.get("charges_enabled") is True
        return AccountResult(Verdict.DONE, account_id, is_live_key(self._keys.secret_key), is_enabled)

    def _ask(self, call: Callable[[], Answer]) -> Mapping[str, Any] | Failure:
        """Make one call; everything that can go wrong outside comes back as a Failure."""
        if self._is_key_malformed:
            return Failure(Verdict.PARKED, "key_malformed")
        try:
            answer = call().to_dict()
        except stripe.APIConnectionError as error:
            self._unanswered += 1
            if self._unanswered >= SILENT_AFTER:
                self._silent_until = self._now_seconds() + SILENCE_SECONDS
            return failure(error)
        except stripe.StripeError as error:
            return failure(error)
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
            # What the SDK lets out when a 2xx answer is JSON, but not what it expects.
            return UNREADABLE
        self._unanswered = 0
        self._silent_until = 0.0
        return answer

    def _session_result(self, answer: Mapping[str, Any] | Failure) -> CallResult:
        if isinstance(answer, Failure):
            return CallResult(
                answer.verdict, None, answer.reason, answer.retry_after_seconds, answer.is_new_epoch_needed
            )
        news = _session_or_none(answer, self._keys.account)
        if news is None:
            return CallResult(UNREADABLE.verdict, None, UNREADABLE.reason)
        return CallResult(Verdict.DONE, news)

    def _pages(self, fetch: Callable[[str], Answer], last: int) -> Iterator[Page | Failure]:
        """Page after page, a Failure at most once and last; `last` is the row that the next page follows."""
        cursor = ""
        for _ in range(PAGES_MOST):
            answer = self._ask(partial(fetch, cursor))
            if isinstance(answer, Failure):
                yield answer
                return
            rows = _rows(answer)
            yield rows
            if not rows or answer.get("has_more") is not True:
                return
            cursor = read.text(rows[last].get("id"))
        yield Failure(Verdict.RETRY, "too_many_pages")


def _pooled_session() -> requests.Session:
    """Keeps connections open, follows no redirect (it would turn a POST into a GET), retries nothing."""
    session = requests.Session()
    session.max_redirects = 0
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS_KEPT, max_retries=0))
    return session


def _rows(answer: Mapping[str, Any]) -> Page:
    data = answer.get("data")
    return [row for row in data if isinstance(row, Mapping)] if isinstance(data, list) else []


def _session_or_none(found: Mapping[str, Any], account: str) -> SessionNews | None:
    try:
        return read.session(found, account=account)
    except BadPayload:
        return None


def _event_or_none(row: Mapping[str, Any]) -> PaymentEvent | None:
    """None when it has not even an id: nobody could remember it."""
    try:
        return webhook.parse(row)
    except BadPayload:
        event_id, event_type = read.text(row.get("id")), read.text(row.get("type"))
    if not event_id or not event_type:
        return None
    is_live = row.get("livemode") is True
    account = read.text(row.get("account"))
    return PaymentEvent(event_id, event_type, event_id, NewsKind.OTHER, is_live, account)
