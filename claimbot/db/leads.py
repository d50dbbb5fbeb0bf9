"""Who wrote to us? One row for each person and account."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, or_, select, tuple_, update

from claimbot.core.followers import Lead
from claimbot.db.columns import read_time
from claimbot.db.ids import new_id
from claimbot.db.many import Many, insert_many, update_many
from claimbot.db.tables import leads


@dataclass(frozen=True, slots=True)
class Seen:
    """Somebody wrote, at `seen_at`; `window_expires_at` is set when that allows us to answer."""

    brand_id: str
    account_id: str
    external_id: str
    seen_at: datetime
    source: str = ""
    username: str = ""
    window_expires_at: datetime | None = None
    opted_out_at: datetime | None = None
    """Set for somebody who wrote STOP, was erased and is here again; counts only where the lead is new."""


def read_lead(row: Row[Any]) -> Lead:
    return Lead(
        id=row.id,
        brand_id=row.brand_id,
        account_id=row.account_id,
        external_id=row.external_id,
        username=row.username,
        name=row.name,
        opted_out_at=row.opted_out_at,
        human_until=row.human_until,
        helped_at=row.helped_at,
        window_expires_at=row.window_expires_at,
        profile_at=row.profile_at,
    )


# Which columns make a Lead, in its own order.
LEAD_COLUMNS = tuple(one.name for one in fields(Lead) if one.name != "is_new")
TIMES_FROM = LEAD_COLUMNS.index("opted_out_at")
UPSERT = insert_many(
    leads,
    (
        "id",
        "brand_id",
        "account_id",
        "external_id",
        "username",
        "source",
        "first_seen_at",
        "last_seen_at",
        "window_expires_at",
        "opted_out_at",
    ),
    f"""ON CONFLICT (account_id, external_id) DO UPDATE SET
        last_seen_at = CASE WHEN excluded.last_seen_at > leads.last_seen_at
            THEN excluded.last_seen_at ELSE leads.last_seen_at END,
        window_expires_at = CASE WHEN excluded.window_expires_at IS NULL
            OR leads.window_expires_at > excluded.window_expires_at
            THEN leads.window_expires_at ELSE excluded.window_expires_at END,
        username = CASE WHEN excluded.username <> '' THEN excluded.username ELSE leads.username END
        RETURNING {", ".join(f"leads.{name}" for name in LEAD_COLUMNS)}""",
)


def upsert_seen(tx: Connection, seen: Iterable[Seen]) -> dict[tuple[str, str], Lead]:
    """Make or refresh the leads; (account, their id) → lead. Each row stays locked to the end."""
    merged = _merged(seen)
    # Always in the same order, so that two transactions never wait for each other.
    rows = [_row(one) for _, one in sorted(merged.items())]
    made = {row[0] for row in rows}
    found = {}
    for row in UPSERT.returning(tx, rows):
        lead = _read_plain(row, is_new=row[0] in made)
        found[lead.account_id, lead.external_id] = lead
    return found


def _read_plain(row: Sequence[Any], is_new: bool) -> Lead:
    """A row of RETURNING, whose times are as the driver gives them."""
    values: list[Any] = [*row[:TIMES_FROM], *map(read_time, row[TIMES_FROM:]), is_new]
    return Lead(*values)


def _merged(seen: Iterable[Seen]) -> dict[tuple[str, str], Seen]:
    """One row for each person; what the later message says wins, the window only grows."""
    merged: dict[tuple[str, str], Seen] = {}
    for one in sorted(seen, key=lambda each: each.seen_at):
        before = merged.get((one.account_id, one.external_id))
        if before is None:
            merged[one.account_id, one.external_id] = one
            continue
        ends = [end for end in (before.window_expires_at, one.window_expires_at) if end is not None]
        merged[one.account_id, one.external_id] = replace(
            one,
            source=before.source or one.source,
            username=one.username or before.username,
            window_expires_at=max(ends, default=None),
        )
    return merged


def _row(seen: Seen) -> tuple[Any, ...]:
    return (
        new_id("led"),
        seen.brand_id,
        seen.account_id,
        seen.external_id,
        seen.username,
        seen.source,
        seen.seen_at,
        seen.seen_at,
        seen.window_expires_at,
        seen.opted_out_at,
    )


BY_ID = select(*(leads.c[name] for name in LEAD_COLUMNS)).where(leads.c.id == bindparam("of_id"))


def find_lead(tx: Connection, lead_id: str) -> Lead | None:
    row = tx.execute(BY_ID, {"of_id": lead_id}).first()
    return read_lead(row) if row else None


def is_erased(tx: Connection, lead_id: str) -> bool:
    """Asked before something personal is written; nobody is erased between the question and the commit."""
    query = select(leads.c.erased_at).where(leads.c.id == lead_id).with_for_update()
    return tx.execute(query).scalar_one() is not None


def find_lead_by_person(tx: Connection, brand_id: str, who: str) -> list[Lead]:
    """Leads of a brand by lead id, username or the platform's id."""
    name = who.removeprefix("@")
    is_them = or_(leads.c.id == who, leads.c.external_id == who, func.lower(leads.c.username) == name.lower())
    rows = tx.execute(select(leads).where(leads.c.brand_id == brand_id, is_them, leads.c.erased_at.is_(None)))
    return [read_lead(row) for row in rows]


def find_known(tx: Connection, people: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Lead]:
    """(account, their id) → lead, for those we know."""
    if not people:
        return {}
    query = select(leads).where(tuple_(leads.c.account_id, leads.c.external_id).in_(sorted(set(people))))
    return {(row.account_id, row.external_id): read_lead(row) for row in tx.execute(query)}


def mark_lead(tx: Connection, lead_id: str, values: Mapping[str, Any]) -> None:
    tx.execute(update(leads).where(leads.c.id == lead_id).values(**values))


def mark_leads(tx: Connection, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Those that change in the same columns are written together."""
    alike: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for lead_id, values in sorted(changes.items()):
        alike.setdefault(tuple(values), []).append((*values.values(), lead_id))
    for names, rows in alike.items():
        _mark_many(names).run(tx, rows)


@lru_cache(maxsize=16)
def _mark_many(names: tuple[str, ...]) -> Many:
    return update_many(leads, names, ("id",))


def list_without_profile(tx: Connection, now: datetime, limit: int) -> list[Lead]:
    """Who wrote to us and has never been looked up; only they have agreed to it by writing."""
    query = select(leads).where(
        leads.c.profile_at.is_(None),
        leads.c.window_expires_at > now,
        leads.c.opted_out_at.is_(None),
        leads.c.erased_at.is_(None),
    )
    found = tx.execute(query.order_by(leads.c.first_seen_at).limit(limit).with_for_update(skip_locked=True))
    return [read_lead(row) for row in found]


def join_identity(tx: Connection, lead: Lead, external_id: str) -> None:
    """A private reply tells under which id the commenter will write to us."""
    if not external_id or external_id == lead.external_id:
        return
    if not find_known(tx, [(lead.account_id, external_id)]):
        mark_lead(tx, lead.id, {"external_id": external_id})
