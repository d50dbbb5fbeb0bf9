"""What does a worker do? Lease due rows, the most urgent first, and have each one done once."""

import logging
import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

from claimbot.core.outbox import OutboxRow, Work, backoff_seconds
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
        Work.PERSONAL: send_row,
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


def note_fault(parts: Parts, row: OutboxRow, kind: str) -> None:
    """The story of this row broke, which is a bug of ours: try it again later, and keep the kind of fault.

    A call that was begun stays begun: whether it was accepted is settled before the next one.
    """
    seconds = backoff_seconds(row.attempts, random.random())  # noqa: S311 - jitter, no secret
    next_at = parts.clock() + timedelta(seconds=seconds)
    parts.ledger.run(lambda tx: outbox.mark_again(tx, row, next_at, f"fault:{kind}", was_accepted=True))


def drain(parts: Parts, most: int = 1000) -> int:
    """Do everything that is due, one after the other; returns how many rows. For tests and small tools."""
    done = 0
    while done < most and (rows := take(parts, 50)):
        for row in rows:
            deliver(parts, row)
        done += len(rows)
    return done
