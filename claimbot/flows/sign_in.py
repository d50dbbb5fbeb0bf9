"""Who is it that asks for the admin pages? Sign in, stay signed in, sign out."""

import hashlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from claimbot.core.errors import Refused
from claimbot.core.operators import Visitor, is_over
from claimbot.db import audit, operators
from claimbot.db.engine import Tx
from claimbot.db.ids import new_id
from claimbot.db.operators import Operator, Session
from claimbot.flows import second_factor
from claimbot.flows.tries import keys_of, take_try
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
    agent: str = ""
    """Which browser, in our words."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`token` is the cookie's value; empty when they were not let in."""

    token: str = field(default="", repr=False)
    wait_seconds: float = 0.0
    """More than 0: too many tries; nothing was looked at."""
    asks_code_of: str = ""
    """The password of this operator was right; now their second factor is asked for."""


@dataclass(frozen=True, slots=True)
class CodeAttempt:
    """The second step of somebody whose password was right."""

    operator_id: str
    code: str = field(repr=False)
    address: str
    agent: str = ""


def sign_in(parts: Parts, attempt: Attempt, fits: Check) -> Entry:
    """A try counts before the password is looked at, so that many at once gain nothing."""
    keys = keys_of(parts, attempt.email, attempt.address)
    wait = take_try(parts, keys)
    if wait:
        return Entry(wait_seconds=wait)
    with parts.ledger.reading() as tx:
        found = operators.find_by_email(tx, attempt.email.strip())
    known = found if found and not found.is_disabled else None
    if not fits(known.password_hash if known else "", attempt.password) or known is None:
        log.warning("sign_in_failed operator=%s", found.id if found else "-")
        return Entry()
    if known.has_second_factor:
        return Entry(asks_code_of=known.id)
    return Entry(parts.ledger.run(lambda tx: _let_in(parts, tx, known, attempt.agent)))


def give_code(parts: Parts, attempt: CodeAttempt) -> Entry:
    """The second step; six digits are guessed quickly, so it is slowed down as the first one is."""
    with parts.ledger.reading() as tx:
        known = operators.find_operator(tx, attempt.operator_id)
    if known is None or known.is_disabled:
        return Entry()
    wait = take_try(parts, keys_of(parts, known.email, attempt.address))
    if wait:
        return Entry(wait_seconds=wait)

    def story(tx: Tx) -> str:
        factor = second_factor.take(tx, parts, known.id, attempt.code)
        return _let_in(parts, tx, known, attempt.agent, factor) if factor else ""

    token = parts.ledger.run(story)
    if not token:
        log.warning("code_failed operator=%s", known.id)
    return Entry(token)


def welcome(parts: Parts, operator_id: str, agent: str) -> str:
    """Somebody who just chose a password behind their link; returns the cookie's value."""

    def story(tx: Tx) -> str:
        known = operators.find_operator(tx, operator_id)
        return _let_in(parts, tx, known, agent) if known else ""

    return parts.ledger.run(story)


def _let_in(parts: Parts, tx: Tx, known: Operator, agent: str, factor: str = "none") -> str:
    """A new session; returns the cookie's value."""
    token, now = secrets.token_urlsafe(TOKEN_BYTES), parts.clock()
    session = Session(new_id("ses"), known.id, now, now, proved_at=now, agent=agent)
    operators.delete_tries(tx, keys_of(parts, known.email, "").account)
    operators.insert_session(tx, session, _hash(token))
    actor = f"operator:{known.id}"
    audit.insert_line(tx, actor, "signed_in", session.id, now=now, second_factor=factor)
    return token


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
    return Visitor(
        session.id, operator.id, operator.email, memberships, session.proved_at, operator.has_second_factor
    )


def sign_out(parts: Parts, visitor: Visitor) -> None:
    now = parts.clock()

    def story(tx: Tx) -> None:
        if operators.delete_session(tx, visitor.session_id, visitor.operator_id):
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


def end_session(parts: Parts, visitor: Visitor, session_id: str) -> None:
    """Sign out another browser of this operator. Raises Refused when there is no such session."""
    now = parts.clock()

    def story(tx: Tx) -> None:
        if not operators.delete_session(tx, session_id, visitor.operator_id):
            raise Refused("This session has ended already")
        audit.insert_line(tx, visitor.actor, "session_ended", session_id, now=now)

    parts.ledger.run(story)


def list_sessions(parts: Parts, visitor: Visitor) -> list[Session]:
    """Where this operator is signed in, the latest first."""
    now = parts.clock()
    with parts.ledger.reading() as tx:
        found = operators.list_sessions(tx, visitor.operator_id)
    return [one for one in found if not is_over(one.created_at, one.seen_at, now)]
