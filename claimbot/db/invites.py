"""Who is invited to become an operator? A link for one person, once, until it ends."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from claimbot.core.operators import Role
from claimbot.db.admin_tables import invites, operators
from claimbot.db.engine import changed

COLUMNS = ("id", "brand_id", "email", "role", "made_by", "created_at", "expires_at")


@dataclass(frozen=True, slots=True)
class Invite:
    """Without a brand it is for the first person of a deployment (no e-mail), or a new password."""

    id: str
    brand_id: str | None
    email: str
    role: Role
    made_by: str
    created_at: datetime
    expires_at: datetime


def _read(row: Row[Any]) -> Invite:
    values = {name: getattr(row, name) for name in COLUMNS}
    return Invite(**{**values, "role": Role(row.role)})


def insert_invite(tx: Connection, invite: Invite, token_hash: str) -> None:
    values = {name: getattr(invite, name) for name in COLUMNS}
    tx.execute(insert(invites).values(**values, token_hash=token_hash))


def find_invite(tx: Connection, token_hash: str, now: datetime) -> Invite | None:
    """None: it never was, was used, or has ended."""
    row = tx.execute(
        select(invites).where(
            invites.c.token_hash == token_hash, invites.c.used_at.is_(None), invites.c.expires_at > now
        )
    ).first()
    return _read(row) if row else None


def list_invites(tx: Connection, brand_id: str, now: datetime) -> list[Invite]:
    """Those of a brand that may still be used, the latest first."""
    is_open = (invites.c.brand_id == brand_id, invites.c.used_at.is_(None), invites.c.expires_at > now)
    return [_read(row) for row in tx.execute(select(invites).where(*is_open).order_by(invites.c.id.desc()))]


def mark_used(tx: Connection, invite_id: str, now: datetime) -> bool:
    """False: somebody else was quicker with the same link."""
    unused = update(invites).where(invites.c.id == invite_id, invites.c.used_at.is_(None))
    return changed(tx.execute(unused.values(used_at=now))) == 1


def delete_invite(tx: Connection, invite_id: str, brand_id: str) -> bool:
    is_open = (invites.c.id == invite_id, invites.c.brand_id == brand_id, invites.c.used_at.is_(None))
    return changed(tx.execute(delete(invites).where(*is_open))) == 1


def delete_open(tx: Connection, brand_id: str | None, email: str) -> None:
    """A new link for the same person takes the place of the old one."""
    where = invites.c.brand_id.is_(None) if brand_id is None else invites.c.brand_id == brand_id
    tx.execute(
        delete(invites).where(
            where, func.lower(invites.c.email) == email.lower(), invites.c.used_at.is_(None)
        )
    )


def has_operators(tx: Connection) -> bool:
    return tx.execute(select(operators.c.id).limit(1)).first() is not None
