"""Which Checkout Sessions did we ask for? Each attempt is written down before the call."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from claimbot.core.money import Money
from claimbot.core.payments import CheckoutOptions, CheckoutRequest
from claimbot.db.engine import changed
from claimbot.db.tables import checkouts


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a claim's session; `session_id` is empty while the answer is not known."""

    claim_id: str
    brand_id: str
    epoch: int
    request: CheckoutRequest
    session_id: str
    url: str
    expires_at: datetime
    created_at: datetime
    state: str
    """asked, open, or how it ended: complete, expired, abandoned."""


def _read(row: Row[Any]) -> Attempt:
    stored = row.request
    request = CheckoutRequest(
        claim_id=row.claim_id,
        epoch=row.epoch,
        item_name=stored["item_name"],
        unit_price=Money(**stored["unit_price"]),
        quantity=stored["quantity"],
        expires_at=row.expires_at,
        return_url=stored["return_url"],
        image_url=stored["image_url"],
        deadline_note=stored["deadline_note"],
        options=read_options(stored["options"]),
    )
    return Attempt(
        claim_id=row.claim_id,
        brand_id=row.brand_id,
        epoch=row.epoch,
        request=request,
        session_id=row.session_id or "",
        url=row.url,
        expires_at=row.expires_at,
        created_at=row.created_at,
        state=row.state,
    )


def read_options(stored: Any) -> CheckoutOptions:
    known = {**stored, "shipping_countries": tuple(stored.get("shipping_countries", ()))}
    return CheckoutOptions(**known)


def insert_attempt(tx: Connection, brand_id: str, request: CheckoutRequest, now: datetime) -> None:
    stored = asdict(request)
    stored.pop("expires_at")
    tx.execute(
        insert(checkouts).values(
            claim_id=request.claim_id,
            epoch=request.epoch,
            brand_id=brand_id,
            request=stored,
            expires_at=request.expires_at,
            created_at=now,
        )
    )


def find_latest(tx: Connection, claim_id: str) -> Attempt | None:
    query = select(checkouts).where(checkouts.c.claim_id == claim_id).order_by(checkouts.c.epoch.desc())
    row = tx.execute(query.limit(1)).first()
    return _read(row) if row else None


def list_attempts(tx: Connection, claim_id: str) -> list[Attempt]:
    query = select(checkouts).where(checkouts.c.claim_id == claim_id).order_by(checkouts.c.epoch)
    return [_read(row) for row in tx.execute(query)]


def list_overdue(tx: Connection, before: datetime, limit: int) -> list[Attempt]:
    """Attempts that should have ended by now and of whose end we have not heard."""
    query = select(checkouts).where(checkouts.c.state.in_(["asked", "open"]), checkouts.c.expires_at < before)
    return [_read(row) for row in tx.execute(query.order_by(checkouts.c.expires_at).limit(limit))]


def mark_open(tx: Connection, attempt: Attempt, session_id: str, url: str) -> None:
    mine = (checkouts.c.claim_id == attempt.claim_id, checkouts.c.epoch == attempt.epoch)
    opened = update(checkouts).where(*mine, checkouts.c.state == "asked")
    tx.execute(opened.values(session_id=session_id, url=url, state="open"))


def mark_ended(tx: Connection, claim_id: str, epoch: int, state: str) -> None:
    mine = (checkouts.c.claim_id == claim_id, checkouts.c.epoch == epoch)
    tx.execute(update(checkouts).where(*mine).values(state=state))


def mark_session_ended(tx: Connection, session_id: str, state: str) -> bool:
    ended = update(checkouts).where(checkouts.c.session_id == session_id)
    return changed(tx.execute(ended.values(state=state))) == 1


def find_by_session(tx: Connection, session_id: str) -> Attempt | None:
    row = tx.execute(select(checkouts).where(checkouts.c.session_id == session_id)).first()
    return _read(row) if row else None


def find_states(tx: Connection, session_ids: Sequence[str]) -> dict[str, str]:
    """session → its state here; those that we never heard of are missing."""
    known = select(checkouts.c.session_id, checkouts.c.state).where(checkouts.c.session_id.in_(session_ids))
    return {row.session_id: row.state for row in tx.execute(known)}


def find_unanswered(tx: Connection, claim_ids: Sequence[str]) -> set[str]:
    """Those of these claims for which a session was asked for whose number we never heard."""
    asked = select(checkouts.c.claim_id).where(
        checkouts.c.claim_id.in_(claim_ids), checkouts.c.session_id.is_(None)
    )
    return set(tx.execute(asked).scalars())
