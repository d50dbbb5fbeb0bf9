"""Who is signed in, what may they see, and how often was a password tried?"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from claimbot.core.operators import EVERYWHERE_SPAN, IDLE, SIGNED_IN_MOST, TRIES_SPAN, Membership, Role, Tries
from claimbot.db import brands, tables
from claimbot.db.admin_tables import admin_sessions, memberships, operators, sign_in_tries
from claimbot.db.engine import changed
from claimbot.db.ids import new_id

SESSION_COLUMNS = ("id", "operator_id", "created_at", "seen_at", "proved_at", "agent")


@dataclass(frozen=True, slots=True)
class Operator:
    """A person who may sign in."""

    id: str
    email: str
    password_hash: str
    is_disabled: bool
    has_second_factor: bool = False

    def __repr__(self) -> str:
        return f"Operator({self.id})"


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that is signed in."""

    id: str
    operator_id: str
    created_at: datetime
    seen_at: datetime
    proved_at: datetime | None = None
    agent: str = ""
    """Which browser, in our words."""


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who works at a brand."""

    operator_id: str
    email: str
    role: Role
    has_second_factor: bool
    seen_at: datetime | None
    """In a session that has not ended; None when there is none."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What a try is counted under."""

    account: str
    address: str


def find_by_email(tx: Connection, email: str) -> Operator | None:
    """Capital letters do not matter; of two that differ only there, the older is meant."""
    query = select(operators).where(func.lower(operators.c.email) == email.lower())
    row = tx.execute(query.order_by(operators.c.created_at, operators.c.id).limit(1)).first()
    return _read_operator(row) if row else None


def _read_operator(row: Row[Any]) -> Operator:
    return Operator(row.id, row.email, row.password_hash, row.disabled_at is not None, bool(row.totp_sealed))


def find_operator(tx: Connection, operator_id: str) -> Operator | None:
    row = tx.execute(select(operators).where(operators.c.id == operator_id)).first()
    return _read_operator(row) if row else None


def mark_password(tx: Connection, operator_id: str, password_hash: str) -> None:
    tx.execute(update(operators).where(operators.c.id == operator_id).values(password_hash=password_hash))


def list_memberships(tx: Connection, operator_id: str) -> tuple[Membership, ...]:
    """In the order of the brands' names."""
    rows = tx.execute(select(memberships).where(memberships.c.operator_id == operator_id))
    roles = {row.brand_id: Role(row.role) for row in rows}
    found = [Membership(brand, roles[brand.id]) for brand in brands.list_brands(tx) if brand.id in roles]
    return tuple(sorted(found, key=lambda one: (one.brand.name.casefold(), one.brand.slug)))


def list_colleagues(tx: Connection, brand_id: str) -> list[Colleague]:
    """Everybody of a brand, by e-mail address."""
    seen = (
        select(admin_sessions.c.operator_id, func.max(admin_sessions.c.seen_at).label("seen_at"))
        .group_by(admin_sessions.c.operator_id)
        .subquery()
    )
    joined = memberships.join(operators, operators.c.id == memberships.c.operator_id)
    query = (
        select(operators, memberships.c.role, seen.c.seen_at)
        .select_from(joined.outerjoin(seen, seen.c.operator_id == operators.c.id))
        .where(memberships.c.brand_id == brand_id, operators.c.disabled_at.is_(None))
        .order_by(operators.c.email)
    )
    return [
        Colleague(row.id, row.email, Role(row.role), bool(row.totp_sealed), row.seen_at)
        for row in tx.execute(query)
    ]


def list_deserted(tx: Connection) -> list[str]:
    """Brands that nobody works at."""
    taken = select(memberships.c.brand_id)
    return list(tx.execute(select(tables.brands.c.id).where(tables.brands.c.id.not_in(taken))).scalars())


def find_emails(tx: Connection, operator_ids: Collection[str]) -> dict[str, str]:
    query = select(operators.c.id, operators.c.email).where(operators.c.id.in_(operator_ids))
    return {row.id: row.email for row in tx.execute(query)}


def set_role(tx: Connection, operator_id: str, brand_id: str, role: Role) -> None:
    """Whether or not they were there before."""
    mine = (memberships.c.operator_id == operator_id, memberships.c.brand_id == brand_id)
    if changed(tx.execute(update(memberships).where(*mine).values(role=role.value))) == 0:
        brands.insert_membership(tx, operator_id, brand_id, role.value)


def delete_membership(tx: Connection, operator_id: str, brand_id: str) -> None:
    mine = (memberships.c.operator_id == operator_id, memberships.c.brand_id == brand_id)
    tx.execute(delete(memberships).where(*mine))


def insert_session(tx: Connection, session: Session, token_hash: str) -> None:
    values = {name: getattr(session, name) for name in SESSION_COLUMNS}
    tx.execute(insert(admin_sessions).values(**values, token_hash=token_hash))


def _read_session(row: Row[Any]) -> Session:
    return Session(**{name: getattr(row, name) for name in SESSION_COLUMNS})


def find_session(tx: Connection, token_hash: str) -> Session | None:
    row = tx.execute(select(admin_sessions).where(admin_sessions.c.token_hash == token_hash)).first()
    return _read_session(row) if row else None


def list_sessions(tx: Connection, operator_id: str) -> list[Session]:
    query = select(admin_sessions).where(admin_sessions.c.operator_id == operator_id)
    rows = tx.execute(query.order_by(admin_sessions.c.seen_at.desc()))
    return [_read_session(row) for row in rows]


def mark_seen(tx: Connection, session_id: str, now: datetime) -> None:
    tx.execute(update(admin_sessions).where(admin_sessions.c.id == session_id).values(seen_at=now))


def mark_proved(tx: Connection, session_id: str, now: datetime) -> None:
    tx.execute(update(admin_sessions).where(admin_sessions.c.id == session_id).values(proved_at=now))


def delete_session(tx: Connection, session_id: str, operator_id: str) -> bool:
    mine = (admin_sessions.c.id == session_id, admin_sessions.c.operator_id == operator_id)
    return changed(tx.execute(delete(admin_sessions).where(*mine))) == 1


def delete_sessions_of(tx: Connection, operator_id: str, except_id: str = "") -> int:
    """All of them, but the one in which it was asked for; returns how many."""
    mine = (admin_sessions.c.operator_id == operator_id, admin_sessions.c.id != except_id)
    return changed(tx.execute(delete(admin_sessions).where(*mine)))


def purge(tx: Connection, now: datetime) -> None:
    """What can never count again."""
    tx.execute(delete(sign_in_tries).where(sign_in_tries.c.at < now - TRIES_SPAN))
    tx.execute(delete(admin_sessions).where(admin_sessions.c.created_at < now - SIGNED_IN_MOST))
    tx.execute(delete(admin_sessions).where(admin_sessions.c.seen_at < now - IDLE))


def insert_try(tx: Connection, keys: Keys, now: datetime) -> None:
    values = {"account_key": keys.account, "address_key": keys.address, "at": now}
    tx.execute(insert(sign_in_tries).values(id=new_id("try"), **values))


def delete_tries(tx: Connection, account_key: str) -> None:
    """Somebody who got in is no guesser."""
    tx.execute(delete(sign_in_tries).where(sign_in_tries.c.account_key == account_key))


def count_tries(tx: Connection, keys: Keys, now: datetime) -> Tries:
    account, account_last_at = _count(tx, "account_key", keys.account, now)
    address, address_last_at = _count(tx, "address_key", keys.address, now)
    recent = select(func.count()).select_from(sign_in_tries).where(sign_in_tries.c.at > now - EVERYWHERE_SPAN)
    everywhere = int(tx.execute(recent).scalar_one())
    return Tries(account, account_last_at, address, address_last_at, everywhere)


def _count(tx: Connection, column: str, value: str, now: datetime) -> tuple[int, datetime | None]:
    query = select(func.count(), func.max(sign_in_tries.c.at)).where(
        sign_in_tries.c[column] == value, sign_in_tries.c.at > now - TRIES_SPAN
    )
    count, last_at = tx.execute(query).one()
    return int(count), last_at
