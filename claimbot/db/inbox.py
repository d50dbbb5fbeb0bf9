"""What came in, and how did each event end? Its unique key makes every event happen once."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from claimbot.core.messages import Inbound
from claimbot.db.engine import changed
from claimbot.db.tables import inbox

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
    return set(tx.execute(select(inbox.c.event_key).where(inbox.c.event_key.in_(keys))).scalars())


def insert_new(tx: Connection, arrivals: Iterable[Arrival]) -> set[str]:
    """Write the events down; returns the keys that were new."""
    # Always in the same order, so that two transactions never wait for each other.
    by_key = {arrival.event_key: arrival for arrival in arrivals}
    rows = [_row(by_key[key]) for key in sorted(by_key)]
    if not rows:
        return set()
    dialect: Any = postgresql if tx.dialect.name == "postgresql" else sqlite
    made = dialect.insert(inbox).on_conflict_do_nothing(index_elements=["event_key"])
    return set(tx.execute(made.returning(inbox.c.event_key), rows).scalars())


def _row(arrival: Arrival) -> dict[str, Any]:
    return {
        "event_key": arrival.event_key,
        "event_id": arrival.event_id,
        "account_id": arrival.account_id,
        "brand_id": arrival.brand_id,
        "kind": arrival.kind,
        "text": arrival.text[:TEXT_CHARS_MAX],
        "source": arrival.source,
        "sent_at": arrival.sent_at,
        "received_at": arrival.received_at,
        "raw": arrival.raw[: QUARANTINED_CHARS_MAX if arrival.kind == QUARANTINED else RAW_CHARS_MAX],
    }


END = (
    update(inbox)
    .where(inbox.c.event_key == bindparam("of_key"))
    .values(
        outcome=bindparam("new_outcome"),
        reason=bindparam("new_reason"),
        lead_id=bindparam("of_lead"),
        drop_id=bindparam("of_drop"),
        claim_id=bindparam("of_claim"),
        keyword=bindparam("by_keyword"),
    )
)


def mark_ended(tx: Connection, endings: Sequence[Ending]) -> None:
    rows = [
        {
            "of_key": ending.event_key,
            "new_outcome": ending.outcome,
            "new_reason": ending.reason,
            "of_lead": ending.lead_id,
            "of_drop": ending.drop_id,
            "of_claim": ending.claim_id,
            "by_keyword": ending.keyword,
        }
        for ending in endings
    ]
    if rows:
        tx.execute(END, rows)


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
