"""What came in, and how did each event end? Its unique key makes every event happen once."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, func, select, update

from claimbot.core.messages import Inbound
from claimbot.db.driver import ask
from claimbot.db.engine import RunAgain, changed
from claimbot.db.many import among, insert_many, listed
from claimbot.db.tables import inbox, leads

# One event's own JSON is kept for seven days; longer than this it is cut.
RAW_CHARS_MAX = 20_000
# What nobody could read is kept whole: the door takes no more than this.
QUARANTINED_CHARS_MAX = 4_000_000
QUARANTINED = "quarantined"
TEXT_CHARS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event to write down."""

    event_key: str
    event_id: str
    received_at: datetime
    kind: str
    account_id: str | None = None
    brand_id: str | None = None
    text: str = ""
    source: str = ""
    sent_at: datetime | None = None
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an event ended."""

    event_key: str
    outcome: str
    reason: str = ""
    lead_id: str | None = None
    drop_id: str | None = None
    claim_id: str | None = None
    keyword: str = ""


def event_key(channel: str, account_external_id: str, event_id: str) -> str:
    """The same event has the same key over any number of deliveries, processes and hosts."""
    return hashlib.sha256(f"{channel}\n{account_external_id}\n{event_id}".encode()).hexdigest()


def key_of(event: Inbound) -> str:
    return event_key(event.channel, event.account_external_id, event.event_id)


def find_known_keys(tx: Connection, keys: Sequence[str]) -> set[str]:
    """Which of these events are in the ledger already?"""
    if not keys:
        return set()
    query = f"SELECT event_key FROM inbox WHERE {among(tx, 'event_key')}"  # noqa: S608 - our own names
    return {row[0] for row in ask(tx, query, (listed(tx, keys),))}


def list_said(
    tx: Connection, account_id: str, people: Sequence[str], since: datetime
) -> list[tuple[str, str, datetime]]:
    """What these people, by the platform's ids, wrote to the account since: who, what, and when."""
    query = select(leads.c.external_id, inbox.c.text, inbox.c.sent_at).join(
        leads, leads.c.id == inbox.c.lead_id
    )
    theirs = query.where(leads.c.account_id == account_id, leads.c.external_id.in_(people))
    return [tuple(row) for row in tx.execute(theirs.where(inbox.c.sent_at >= since))]


ARRIVED = (
    "event_key",
    "event_id",
    "account_id",
    "brand_id",
    "kind",
    "text",
    "source",
    "sent_at",
    "received_at",
    "raw",
)
ENDED = ("outcome", "reason", "lead_id", "drop_id", "claim_id", "keyword")
INSERT = insert_many(inbox, (*ARRIVED, *ENDED), "ON CONFLICT (event_key) DO NOTHING")


def insert_events(tx: Connection, events: Iterable[tuple[Arrival, Ending]]) -> None:
    """Write events down with their endings. Raises RunAgain when one of them was written meanwhile."""
    # Always in the same order, so that two transactions never wait for each other.
    by_key = {arrival.event_key: (*_arrived(arrival), *_ended(ending)) for arrival, ending in events}
    rows = [by_key[key] for key in sorted(by_key)]
    if rows and INSERT.run(tx, rows) != len(rows):
        raise RunAgain("an event was stored by somebody else", 0.0)


def _arrived(arrival: Arrival) -> tuple[Any, ...]:
    return (
        arrival.event_key,
        arrival.event_id,
        arrival.account_id,
        arrival.brand_id,
        arrival.kind,
        arrival.text[:TEXT_CHARS_MAX],
        arrival.source,
        arrival.sent_at,
        arrival.received_at,
        arrival.raw[: QUARANTINED_CHARS_MAX if arrival.kind == QUARANTINED else RAW_CHARS_MAX],
    )


def _ended(ending: Ending) -> tuple[Any, ...]:
    return (
        ending.outcome,
        ending.reason,
        ending.lead_id,
        ending.drop_id,
        ending.claim_id,
        ending.keyword,
    )


def forget_text(tx: Connection, account_id: str, event_id: str) -> bool:
    """The person took the message back: what it said is deleted."""
    gone = update(inbox).where(inbox.c.account_id == account_id, inbox.c.event_id == event_id)
    return changed(tx.execute(gone.values(text="", raw=""))) > 0


def purge_raw(tx: Connection, before: datetime) -> int:
    """Raw events are kept for a few days only."""
    old = update(inbox).where(inbox.c.received_at < before, inbox.c.raw != "")
    return changed(tx.execute(old.values(raw="")))


def is_about(tx: Connection, drop_id: str) -> bool:
    """Has anybody written about this drop?"""
    return bool(tx.execute(select(exists().where(inbox.c.drop_id == drop_id))).scalar_one())


def count_outcomes(tx: Connection, drop_id: str) -> dict[str, int]:
    counted = (
        select(inbox.c.outcome, func.count()).where(inbox.c.drop_id == drop_id).group_by(inbox.c.outcome)
    )
    return {outcome: count for outcome, count in tx.execute(counted)}
