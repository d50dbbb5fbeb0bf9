"""What was taken in while SQL was down? Read in order, received as usual, then removed."""

import logging
from datetime import datetime

from claimbot.channels import by_document, by_name
from claimbot.channels.body import read_json
from claimbot.core.errors import BadPayload, Outside
from claimbot.core.messages import Delivery, Quarantined
from claimbot.flows.receive import Signed, receive
from claimbot.parts import Parts
from claimbot.stock.spool import SpoolEntry

log = logging.getLogger("claimbot.spool")

# The door that all of Meta's channels share.
META = "meta"

BATCH = 50


def read_delivery(door: str, body: bytes, received_at: datetime) -> Delivery:
    """What a verified body says; what cannot be read is quarantined as a whole.

    `door` is a channel, or `META`: there the body's own "object" word names the channel.
    """
    try:
        document = read_json(body)
    except BadPayload as error:
        return _unreadable(door, error.reason, body)
    channel = by_name(door) or by_document(document)
    return channel.parse(document, received_at) if channel else _unreadable(door, "unknown_object", body)


def _unreadable(door: str, reason: str, body: bytes) -> Delivery:
    return Delivery(door, quarantined=(Quarantined(reason, readable_text(body)),))


def readable_text(body: bytes) -> str:
    """The body as text that can be stored, to be kept as it came."""
    return body.decode("utf-8", errors="replace").replace("\x00", "\ufffd")


def drain_spool(parts: Parts) -> int:
    """Deliver what waits; an entry leaves the spool only after its commit. Returns how many."""
    drained = 0
    while entries := parts.spool.read(BATCH):
        for entry in entries:
            _take_out(parts, entry)
            parts.spool.remove([entry.id])
            drained += 1
    if drained:
        log.info("spool_drained entries=%d", drained)
    return drained


def _take_out(parts: Parts, entry: SpoolEntry) -> None:
    """Receive one body. One that breaks us is kept aside, so that it does not hold up those behind it."""
    door, _, account_id = entry.channel.partition("|")
    try:
        delivery = read_delivery(door, entry.body, entry.received_at)
        receive(parts, delivery, Signed(account_id or None), entry.received_at)
    except Outside:
        raise
    except Exception as fault:  # a door: the platform was told that we have it, so it must not be lost
        log.error("spool_entry_broke %s", type(fault).__name__)
        aside = Quarantined(f"fault:{type(fault).__name__}", readable_text(entry.body))
        receive(parts, Delivery(door, quarantined=(aside,)), Signed(), entry.received_at)
