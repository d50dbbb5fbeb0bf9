"""What becomes of a webhook's body? Verified and received; while SQL is down it waits in the spool."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from claimbot.channels.body import read_json
from claimbot.channels.signing import verify_meta
from claimbot.core.errors import BadPayload, LedgerUnavailable
from claimbot.core.messages import Delivery, Quarantined
from claimbot.core.payments import PaymentEvent, PaymentKeys
from claimbot.db import brands
from claimbot.flows.receive import Receipt, Signed, receive
from claimbot.flows.settle import Settled, hear
from claimbot.flows.spool import META, read_delivery, readable_text
from claimbot.parts import Parts
from claimbot.payments import webhook

log = logging.getLogger("claimbot.webhooks")

# "When did this account last hear something?" is asked in minutes; more often would only cost commits.
HEARD_SECONDS = 5.0


# How to read the delivery, who signed it, and when it came.
Receiver = Callable[[Callable[[], Delivery], Signed, datetime], Receipt]


@dataclass(frozen=True, slots=True)
class Taken:
    """`word` is stored or spooled; `account_ids` are those that were spoken to."""

    word: str
    account_ids: frozenset[str] = frozenset()


def who_signed(parts: Parts, body: bytes, header: str | None) -> Signed:
    """Raises BadSignature. While no account is known (SQL is down) only the deployment's secrets count."""
    own = _own_secrets(parts)
    secrets = [*own, *parts.settings.app_secrets]
    return Signed(own.get(secrets[verify_meta(body, header, secrets)]))


def _own_secrets(parts: Parts) -> Mapping[str, str]:
    try:
        return parts.catalog().own_secrets
    except LedgerUnavailable:
        return {}


def take_in(parts: Parts, body: bytes, signed: Signed, by: Receiver | None = None) -> Taken:
    """Store what a verified body says. Raises Outside when neither SQL nor the spool could take it.

    `by` reads and receives it together with others; None: alone.
    """
    received_at = parts.clock()
    try:
        if by is None:
            receipt = receive(parts, read_delivery(META, body, received_at), signed, received_at)
        else:
            receipt = by(partial(read_delivery, META, body, received_at), signed, received_at)
        return Taken("stored", receipt.account_ids)
    except LedgerUnavailable as trouble:
        log.warning("ledger_down %s", type(trouble).__name__)
    parts.spool.append(f"{META}|{signed.account_id or ''}", body, received_at)
    return Taken("spooled")


class LastHeard:
    """Notes that the platform spoke to an account, now and then. One for each process."""

    def __init__(self, parts: Parts, seconds: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._seconds = seconds
        self._lock = threading.Lock()
        self._noted: dict[str, float] = {}

    def note(self, account_ids: Iterable[str]) -> None:
        """A transaction of its own, after the one that counts; its failure costs nothing."""
        due = self._due(account_ids)
        if not due:
            return
        now = self._parts.clock()
        try:
            self._parts.ledger.run(lambda tx: brands.mark_heard(tx, due, now))
        except LedgerUnavailable:
            log.info("heard_not_noted accounts=%d", len(due))

    def _due(self, account_ids: Iterable[str]) -> list[str]:
        at = self._seconds()
        with self._lock:
            due = [one for one in account_ids if at - self._noted.get(one, -HEARD_SECONDS) >= HEARD_SECONDS]
            self._noted.update(dict.fromkeys(due, at))
        return due


def find_keys(parts: Parts, slug: str) -> PaymentKeys | None:
    """The payment keys of a brand; without secrets while it has none. None: there is no such brand."""
    book = parts.catalog().book_by_slug(slug)
    if book is None:
        return None
    with parts.ledger.reading() as tx:
        found = brands.find_payment_keys(tx, parts.sealer, book.brand.id)
    return found or PaymentKeys(book.brand.id, "", (), book.brand.livemode)


def hear_stripe(parts: Parts, keys: PaymentKeys, body: bytes, header: str | None) -> Settled:
    """Verify, read and settle one event. Raises BadSignature, and Outside when it could not be stored."""
    try:
        webhook.verify(body, header, keys.webhook_secrets, parts.clock())
        event = webhook.parse(_document(body))
    except BadPayload as wrong:
        return _keep_aside(parts, keys, wrong.reason, body)
    not_ours = _why_not_ours(keys, event)
    if not_ours:
        log.info("payment event=%s type=%s ignored %s", event.event_id, event.type, not_ours)
        return Settled("ignored", not_ours)
    return hear(parts, keys.brand_id, event, readable_text(body))


def _document(body: bytes) -> dict[str, object]:
    """Read again by the careful reader: nothing in it is unfit to be stored."""
    document = read_json(body)
    if not isinstance(document, dict):
        raise BadPayload("not_a_json_object")
    return document


def _why_not_ours(keys: PaymentKeys, event: PaymentEvent) -> str:
    if event.livemode != keys.livemode:
        return "other_mode"
    is_other = bool(event.account and keys.account) and event.account != keys.account
    return "other_account" if is_other else ""


def _keep_aside(parts: Parts, keys: PaymentKeys, reason: str, body: bytes) -> Settled:
    lost = Quarantined(reason, readable_text(body), keys.brand_id)
    receive(parts, Delivery("stripe", quarantined=(lost,)), Signed(), parts.clock())
    return Settled("quarantined", reason)
