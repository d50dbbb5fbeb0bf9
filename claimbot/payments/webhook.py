"""Is this webhook from Stripe, and what does it say?

`verify` works on the raw bytes and knows nothing of events; `parse` knows nothing of signatures.
Our own check and not the SDK's: that one lets TypeError and UnicodeDecodeError out to whoever sends rubbish,
and takes a signature from the far future. https://docs.stripe.com/webhooks#verify-manually
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NoReturn

from claimbot.core.errors import BadPayload, BadSignature
from claimbot.core.payments import NewsKind, PaymentEvent, SessionState
from claimbot.payments import read

# Stripe signs each retry anew, so five minutes cover clocks that differ and nothing else.
TOLERANCE_SECONDS = 300
# A header holds one time and one signature per active secret; more is not from Stripe.
HEADER_CHARS = 4_096
SIGNATURES_MOST = 16

# What an old API version, which left a session's status out, meant by the event's name.
IMPLIED_STATUS = {
    "checkout.session.completed": "complete",
    "checkout.session.async_payment_succeeded": "complete",
    "checkout.session.async_payment_failed": "complete",
    "checkout.session.expired": "expired",
}


def verify(
    body: bytes, header: str | None, secrets: Sequence[str], now: datetime | None = None
) -> dict[str, Any]:
    """The event of a signed body; several secrets count while one is being replaced.

    Raises BadSignature, or BadPayload when a verified body cannot be read. `now` is this machine's time
    unless given.
    """
    stamp, signatures = _split(header or "")
    if not _is_signed(stamp.encode() + b"." + body, signatures, secrets):
        raise BadSignature("no signature fits")
    now_seconds = (now or datetime.now(UTC)).timestamp()
    if abs(now_seconds - int(stamp)) > TOLERANCE_SECONDS:
        raise BadSignature("the signature's time is too far from ours")
    return _load(body)


def _split(header: str) -> tuple[str, list[bytes]]:
    """The time as written, and the v1 signatures."""
    if len(header) > HEADER_CHARS or not header.isascii():
        raise BadSignature("the signature header is malformed")
    pairs = [part.strip().partition("=") for part in header.split(",")]
    stamps = [value for name, _, value in pairs if name == "t"]
    signatures = [value.encode() for name, _, value in pairs if name == "v1"]
    if len(stamps) != 1 or not stamps[0].isdigit() or len(stamps[0]) > 12:
        raise BadSignature("the signature header has no time")
    if not 0 < len(signatures) <= SIGNATURES_MOST:
        raise BadSignature("the signature header has no signature")
    return stamps[0], signatures


def _is_signed(signed: bytes, signatures: Sequence[bytes], secrets: Sequence[str]) -> bool:
    keys = [secret.strip().encode() for secret in secrets if secret.strip()]
    wanted = [hmac.new(key, signed, hashlib.sha256).hexdigest().encode() for key in keys]
    return any(hmac.compare_digest(one, other) for one in wanted for other in signatures)


def _load(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        event = None
    # Raised out here: the decoder's own error carries the body.
    if not isinstance(event, dict):
        raise BadPayload("not_a_json_object")
    return event


def _refuse(constant: str) -> NoReturn:
    """NaN and Infinity are not JSON."""
    raise ValueError(constant)


def parse(event: Mapping[str, Any]) -> PaymentEvent:
    """What one event says. A type we do not know is OTHER; an unreadable one of ours is BadPayload.

    `object_id` together with the type names one fact: two events that say the same have the same, and a type
    that comes again for one object (a second partial refund) has the object's state behind its id.
    """
    event_id, event_type = read.text(event.get("id")), read.text(event.get("type"))
    if not event_id or not event_type:
        raise BadPayload("event_without_id_or_type")
    base = PaymentEvent(
        event_id=event_id,
        type=event_type,
        object_id=read.text(read.branch(event, "data", "object", "id")) or event_id,
        kind=NewsKind.OTHER,
        livemode=event.get("livemode") is True,
        account=read.text(event.get("account")),
    )
    reader = _reader(event_type)
    if reader is None:
        return base
    found = read.branch(event, "data", "object")
    if not isinstance(found, Mapping):
        raise BadPayload("event_without_object")
    return reader(base, found)


Reader = Callable[[PaymentEvent, Mapping[str, Any]], PaymentEvent]


def _reader(event_type: str) -> Reader | None:
    if event_type.startswith("checkout.session."):
        return _session
    if event_type == "charge.refunded":
        return _charge
    if event_type.startswith(("refund.", "charge.refund.")):
        return _refund
    return _dispute if event_type.startswith("charge.dispute.") else None


def _session(event: PaymentEvent, found: Mapping[str, Any]) -> PaymentEvent:
    """The object's own state counts, not the event's name: events overtake each other."""
    if read.text(found.get("mode")) in ("setup", "subscription"):
        return event
    news = read.session(found, IMPLIED_STATUS.get(event.type, ""), event.account)
    failed = event.type == "checkout.session.async_payment_failed"
    is_failure = failed and news.state is SessionState.COMPLETE_UNPAID
    return replace(event, kind=NewsKind.ASYNC_FAILED if is_failure else NewsKind.SESSION, session=news)


def _charge(event: PaymentEvent, found: Mapping[str, Any]) -> PaymentEvent:
    """Comes once for each refund of a charge: the sum so far tells them apart."""
    news = read.charge_refund(found)
    fact = f"{event.object_id}:{news.refunded.minor}"
    return replace(event, kind=NewsKind.REFUND, object_id=fact, refund=news)


def _refund(event: PaymentEvent, found: Mapping[str, Any]) -> PaymentEvent:
    news = read.refund(found)
    return replace(event, kind=NewsKind.REFUND, object_id=f"{event.object_id}:{news.status}", refund=news)


def _dispute(event: PaymentEvent, found: Mapping[str, Any]) -> PaymentEvent:
    """By the dispute's status: it can be created already lost, and an inquiry is not a dispute yet."""
    kind, fact = read.dispute_kind(found), f"{event.object_id}:{read.text(found.get('status'))}"
    if kind is NewsKind.OTHER:
        return replace(event, object_id=fact)
    return replace(event, kind=kind, object_id=fact, refund=read.dispute(found))
