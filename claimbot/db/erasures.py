"""What has to go when a person is erased? Rows stay and count; what they said of the person goes blank."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select, update

from claimbot.core.claims import LIVE
from claimbot.core.outbox import RowState
from claimbot.db.columns import read_time
from claimbot.db.driver import ask
from claimbot.db.engine import changed
from claimbot.db.many import among_pairs, listed_pairs
from claimbot.db.tables import checkouts, claims, inbox, leads, outbox, payment_events


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is to be forgotten. Never in repr, and never stored anywhere else."""

    lead_id: str
    brand_id: str
    account_id: str
    external_id: str
    email: str
    phone: str
    opted_out_at: datetime | None
    erased_at: datetime | None

    def __repr__(self) -> str:
        return f"Identity({self.lead_id})"


def list_people(tx: Connection, external_id: str, account_ids: Sequence[str]) -> list[str]:
    """The leads that the platform knows by this id, at these accounts."""
    is_them = (leads.c.external_id == external_id, leads.c.account_id.in_(account_ids))
    return list(tx.execute(select(leads.c.id).where(*is_them)).scalars())


def list_outlived(tx: Connection, brand_id: str, before: datetime, most: int) -> list[str]:
    """Leads of a brand that were not heard since, without a claim that may still change."""
    live = select(claims.c.id).where(claims.c.lead_id == leads.c.id, claims.c.state.in_([*LIVE, "refunding"]))
    query = select(leads.c.id).where(
        leads.c.brand_id == brand_id,
        # Nobody was seen for the last time before the first: the index on it narrows the search.
        leads.c.first_seen_at < before,
        leads.c.last_seen_at < before,
        leads.c.erased_at.is_(None),
        ~live.exists(),
    )
    return list(tx.execute(query.order_by(leads.c.first_seen_at).limit(most)).scalars())


def lock_identity(tx: Connection, lead_id: str) -> Identity | None:
    """The person behind a lead; nobody else changes the row before this transaction ends."""
    row = tx.execute(select(leads).where(leads.c.id == lead_id).with_for_update()).first()
    if row is None:
        return None
    return Identity(
        lead_id=row.id,
        brand_id=row.brand_id,
        account_id=row.account_id,
        external_id=row.external_id,
        email=row.email,
        phone=row.phone,
        opted_out_at=row.opted_out_at,
        erased_at=row.erased_at,
    )


def blank_lead(tx: Connection, who: Identity, name: str, now: datetime) -> None:
    """`name` takes the place of the platform's id. Whether they wrote STOP is kept."""
    blank = {"username": "", "name": "", "email": "", "phone": "", "note": "", "tags": []}
    unknown = {"consent_marketing": None, "consent_at": None, "follows_account": None}
    silent = {"window_expires_at": None, "human_until": None, "helped_at": None}
    gone = update(leads).where(leads.c.id == who.lead_id)
    values = {"external_id": name, "consent_wording": "", "erased_at": now, "profile_at": now}
    tx.execute(gone.values(**blank, **unknown, **silent, **values))


def join_twin(tx: Connection, who: Identity, name: str) -> bool:
    """Were they erased before? Then the older row keeps the name, with what they want now."""
    twin = update(leads).where(leads.c.account_id == who.account_id, leads.c.external_id == name)
    return changed(tx.execute(twin.values(opted_out_at=who.opted_out_at))) == 1


def stop_outbox(tx: Connection, lead_id: str, now: datetime) -> int:
    """Nothing more is sent to them. A worker in the middle of a call finds its lease gone."""
    open_states = [RowState.READY.value, RowState.RUNNING.value, RowState.PARKED.value]
    waiting = update(outbox).where(outbox.c.lead_id == lead_id, outbox.c.state.in_(open_states))
    dead = {"state": RowState.DEAD.value, "reason": "erased", "done_at": now}
    return changed(tx.execute(waiting.values(**dead, called_at=None, lease_until=None, lease_token="")))


def blank_outbox(tx: Connection, lead_id: str) -> int:
    """What was written to them, and the platform's id of it (WhatsApp's holds their number)."""
    told = update(outbox).where(outbox.c.lead_id == lead_id)
    return changed(tx.execute(told.values(payload={}, result_id="")))


def blank_inbox(tx: Connection, who: Identity) -> int:
    """What they wrote, and what was kept aside and names them."""
    names_them = inbox.c.raw.contains(who.external_id, autoescape=True)
    stray = inbox.c.lead_id.is_(None) & names_them
    said = update(inbox).where(or_(inbox.c.lead_id == who.lead_id, stray))
    return changed(tx.execute(said.values(text="", raw="", event_id="")))


def blank_claims(tx: Connection, lead_id: str) -> int:
    """The money stays in the books; where it was sent to, and what was noted of them, does not."""
    theirs = update(claims).where(claims.c.lead_id == lead_id)
    return changed(tx.execute(theirs.values(shipping="", cancel_note="")))


def list_sessions(tx: Connection, lead_id: str) -> list[str]:
    """The payment sessions of this person at Stripe."""
    query = select(checkouts.c.session_id).join(claims, claims.c.id == checkouts.c.claim_id)
    found = query.where(claims.c.lead_id == lead_id, checkouts.c.session_id.is_not(None))
    return [str(session_id) for session_id in tx.execute(found.order_by(checkouts.c.created_at)).scalars()]


def blank_payment_events(tx: Connection, who: Identity) -> int:
    """Events about their claims, and others of the brand that name a claim, a payment or them."""
    theirs = select(claims.c.id, claims.c.payment_intent).where(claims.c.lead_id == who.lead_id)
    rows = tx.execute(theirs).all()
    claim_ids = [row.id for row in rows]
    marks = [who.email, who.phone, *claim_ids, *(row.payment_intent for row in rows)]
    named = [payment_events.c.payload.contains(mark, autoescape=True) for mark in marks if mark]
    told = update(payment_events).where(
        payment_events.c.brand_id == who.brand_id,
        payment_events.c.payload != "",
        or_(payment_events.c.claim_id.in_(claim_ids), *named),
    )
    return changed(tx.execute(told.values(payload="")))


def find_stopped(tx: Connection, names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], datetime]:
    """(account, name) → when they wrote STOP, for those erased people who had."""
    query = f"""SELECT account_id, external_id, opted_out_at FROM leads
        WHERE {among_pairs(tx, "account_id", "external_id")} AND opted_out_at IS NOT NULL"""  # noqa: S608 - our own names
    rows = ask(tx, query, listed_pairs(tx, names))
    return {(row[0], row[1]): at for row in rows if (at := read_time(row[2])) is not None}
