"""Who is it that asks for the admin pages? Sign in, stay signed in, sign out."""

import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from claimbot.core.operators import Visitor, is_over, wait_seconds
from claimbot.db import audit, operators
from claimbot.db.engine import Tx
from claimbot.db.operators import Keys, Operator, Session
from claimbot.parts import Parts

log = logging.getLogger("claimbot.sign_in")

TOKEN_BYTES = 32
# When somebody was last seen is written at most this often: a page is no reason to write each time.
SEEN_EVERY = timedelta(minutes=1)

Check = Callable[[str, str], bool]
"""(stored hash, password) → does it fit? An empty hash costs as much as a real one, and never fits."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody typed, and from where."""

    email: str
    password: str = field(repr=False)
    address: str


@dataclass(frozen=True, slots=True)
class Entry:
    """`token` is the cookie's value; empty when they were not let in."""

    token: str = field(default="", repr=False)
    wait_seconds: float = 0.0
    """More than 0: too many tries; nothing was looked at."""


def sign_in(parts: Parts, attempt: Attempt, fits: Check) -> Entry:
    """A try counts before the password is looked at, so that many at once gain nothing."""
    now = parts.clock()
    keys = _keys(parts, attempt)
    wait = parts.ledger.run(lambda tx: _take_try(tx, keys, now))
    if wait:
        log.warning("sign_in_slowed seconds=%.0f", wait)
        return Entry(wait_seconds=wait)
    with parts.ledger.reading() as tx:
        found = operators.find_by_email(tx, attempt.email.strip())
    known = found if found and not found.is_disabled else None
    if not fits(known.password_hash if known else "", attempt.password) or known is None:
        log.warning("sign_in_failed operator=%s", found.id if found else "-")
        return Entry()
    token = secrets.token_urlsafe(TOKEN_BYTES)
    parts.ledger.run(lambda tx: _let_in(tx, known, keys.account, token, now))
    return Entry(token)


def _take_try(tx: Tx, keys: Keys, now: datetime) -> float:
    wait = wait_seconds(operators.count_tries(tx, keys, now), now)
    if not wait:
        operators.purge(tx, now)
        operators.insert_try(tx, keys, now)
    return wait


def _let_in(tx: Tx, known: Operator, account_key: str, token: str, now: datetime) -> None:
    operators.delete_tries(tx, account_key)
    session_id = operators.insert_session(tx, known.id, _hash(token), now)
    audit.insert_line(tx, f"operator:{known.id}", "signed_in", session_id, now=now)


def _keys(parts: Parts, attempt: Attempt) -> Keys:
    secret = parts.settings.sealing_keys[0]
    account, address = attempt.email.strip().lower(), attempt.address
    return Keys(_keyed(secret, f"account\n{account}"), _keyed(secret, f"address\n{address}"))


def _keyed(secret: bytes, what: str) -> str:
    return hmac.new(secret, what.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]


def _hash(token: str) -> str:
    """The token has 256 random bits: one round of a fast hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def find_visitor(parts: Parts, token: str, is_asked_by_person: bool = True) -> Visitor | None:
    """None: sign in again. A page that looks again by itself keeps nobody signed in."""
    now = parts.clock()
    with parts.ledger.reading() as tx:
        session = operators.find_session(tx, _hash(token))
        if session is None or is_over(session.created_at, session.seen_at, now):
            return None
        operator = operators.find_operator(tx, session.operator_id)
        if operator is None or operator.is_disabled:
            return None
        memberships = operators.list_memberships(tx, operator.id)
    if is_asked_by_person and now - session.seen_at >= SEEN_EVERY:
        with parts.ledger.begin() as tx:
            operators.mark_seen(tx, session.id, now)
    return Visitor(session.id, operator.id, operator.email, memberships)


def sign_out(parts: Parts, visitor: Visitor) -> None:
    now = parts.clock()

    def story(tx: Tx) -> None:
        if operators.delete_session(tx, visitor.session_id):
            audit.insert_line(tx, visitor.actor, "signed_out", visitor.session_id, now=now)

    parts.ledger.run(story)


def sign_out_everywhere(parts: Parts, visitor: Visitor) -> int:
    """End every session of this operator, this one too; returns how many."""
    now = parts.clock()

    def story(tx: Tx) -> int:
        ended = operators.delete_sessions_of(tx, visitor.operator_id)
        audit.insert_line(
            tx, visitor.actor, "signed_out_everywhere", visitor.operator_id, now=now, ended=ended
        )
        return ended

    return parts.ledger.run(story)


def list_sessions(parts: Parts, visitor: Visitor) -> list[Session]:
    """Where this operator is signed in, the latest first."""
    now = parts.clock()
    with parts.ledger.reading() as tx:
        found = operators.list_sessions(tx, visitor.operator_id)
    return [one for one in found if not is_over(one.created_at, one.seen_at, now)]
