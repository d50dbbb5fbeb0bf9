"""What was taken in while SQL was down? Read in order, received as usual, then removed."""

import logging
from datetime import datetime

from claimbot.channels import by_name
from claimbot.channels.body import read_json
from claimbot.core.errors import BadPayload
from claimbot.core.messages import Delivery, Quarantined
from claimbot.flows.receive import Signed, receive
from claimbot.parts import Parts

log = logging.getLogger("claimbot.spool")

BATCH = 50


def read_delivery(channel_name: str, body: bytes, received_at: datetime) -> Delivery:
    """What a verified body says; what cannot be read is quarantined as a whole."""
    channel = by_name(channel_name)
    if channel is None:
        return _unreadable(channel_name, "unknown_object", body)
    try:
        return channel.parse(read_json(body), received_at)
    except BadPayload as error:
        return _unreadable(channel_name, error.reason, body)


def _unreadable(channel_name: str, reason: str, body: bytes) -> Delivery:
    raw = body.decode("utf-8", errors="replace").replace("\x00", "\ufffd")
    return Delivery(channel_name, quarantined=(Quarantined(reason, raw),))


def drain_spool(parts: Parts) -> int:
    """Deliver what waits; an entry leaves the spool only after its commit. Returns how many."""
    drained = 0
    while entries := parts.spool.read(BATCH):
        for entry in entries:
            channel_name, _, account_id = entry.channel.partition("|")
            delivery = read_delivery(channel_name, entry.body, entry.received_at)
            receive(parts, delivery, Signed(account_id or None), entry.received_at)
            parts.spool.remove([entry.id])
            drained += 1
    if drained:
        log.info("spool_drained entries=%d", drained)
    return drained
