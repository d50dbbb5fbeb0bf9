"""What does a worker do? Lease due rows, the most urgent first, and have each one done once."""

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType

from claimbot.core.outbox import OutboxRow, Work
from claimbot.db import outbox
from claimbot.flows.expire import expire_session
from claimbot.flows.profile import look_up
from claimbot.flows.refund import send_refund
from claimbot.flows.reply import send_row
from claimbot.parts import Parts

log = logging.getLogger("claimbot.deliver")

STORIES: Mapping[Work, Callable[[Parts, OutboxRow], None]] = MappingProxyType(
    {
        Work.OFFER: send_row,
        Work.REPLY: send_row,
        Work.EXPIRE: expire_session,
        Work.REFUND: send_refund,
        Work.PROFILE: look_up,
    }
)


def take(parts: Parts, most: int) -> list[OutboxRow]:
    """Lease up to `most` rows for this worker."""
    now = parts.clock()
    return parts.ledger.run(lambda tx: outbox.take_due(tx, now, most))


def deliver(parts: Parts, row: OutboxRow) -> None:
    """Do the work of one row."""
    STORIES[row.kind](parts, row)


def drain(parts: Parts, most: int = 1000) -> int:
    """Do everything that is due, one after the other; returns how many rows. For tests and small tools."""
    done = 0
    while done < most and (rows := take(parts, 50)):
        for row in rows:
            deliver(parts, row)
        done += len(rows)
    return done
