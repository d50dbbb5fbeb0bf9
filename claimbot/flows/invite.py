"""How does somebody become an operator? By a link that one person may use once.

Three kinds: into a brand with a role; for the very first person of a deployment; for a new password.
Nobody but the person who has the link ever knows the password.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from claimbot.core.brands import Brand
from claimbot.core.errors import Refused
from claimbot.core.operators import Role, Visitor
from claimbot.db import audit, brands, invites, operators, second_factors
from claimbot.db.engine import Tx
from claimbot.db.ids import new_id, new_token
from claimbot.db.invites import Invite
from claimbot.db.operators import Operator
from claimbot.parts import Parts

# Somebody on holiday still finds it; a forgotten letter is no way in for ever.
INVITED_FOR = timedelta(days=7)
# Read from a terminal and used at once.
HANDED_OVER_FOR = timedelta(hours=24)
GONE = "This link was used already, was taken back, or has ended. Ask for a new one."


@dataclass(frozen=True, slots=True)
class NewInvite:
    """`brand_id` None and no e-mail: the first person. None and an e-mail: a new password for them."""

    brand_id: str | None = None
    email: str = ""
    role: Role = Role.OWNER
    lasts: timedelta = HANDED_OVER_FOR


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the page behind a link says. `known` is the operator who has that address already."""

    invite: Invite
    brand: Brand | None
    known: Operator | None


@dataclass(frozen=True, slots=True)
class Joining:
    """What somebody typed behind the link."""

    email: str
    password_hash: str = field(repr=False)


def invite(parts: Parts, actor: str, new: NewInvite) -> str:
    """The token of the link: told once, only its hash is kept. An older link for the same person ends."""
    token, now = new_token(), parts.clock()
    made = Invite(new_id("inv"), new.brand_id, new.email, new.role, actor, now, now + new.lasts)

    def story(tx: Tx) -> None:
        invites.delete_open(tx, new.brand_id, new.email)
        invites.insert_invite(tx, made, _hash(token))
        facts = {"role": new.role.value} if new.brand_id else {}
        audit.insert_line(tx, actor, "invited", made.id, now=now, brand_id=new.brand_id, **facts)

    parts.ledger.run(story)
    return token


def revoke(parts: Parts, actor: str, brand_id: str, invite_id: str) -> None:
    """Raises Refused when there is no such open invitation."""
    now = parts.clock()

    def story(tx: Tx) -> None:
        if not invites.delete_invite(tx, invite_id, brand_id):
            raise Refused("There is no such invitation any more")
        audit.insert_line(tx, actor, "invitation_revoked", invite_id, now=now, brand_id=brand_id)

    parts.ledger.run(story)


def list_open(parts: Parts, brand_id: str) -> list[Invite]:
    with parts.ledger.reading() as tx:
        return invites.list_invites(tx, brand_id, parts.clock())


def has_people(parts: Parts) -> bool:
    """Is anybody let in yet?"""
    with parts.ledger.reading() as tx:
        return invites.has_operators(tx)


def find_invitation(parts: Parts, token: str) -> Invitation | None:
    """None: it never was, was used, or has ended."""
    with parts.ledger.reading() as tx:
        return _find(tx, token, parts.clock())


def _find(tx: Tx, token: str, now: datetime) -> Invitation | None:
    found = invites.find_invite(tx, _hash(token), now)
    if found is None:
        return None
    is_for_the_first = found.brand_id is None and not found.email
    if is_for_the_first and invites.has_operators(tx):
        return None
    brand = next((one for one in brands.list_brands(tx) if one.id == found.brand_id), None)
    return Invitation(found, brand, operators.find_by_email(tx, found.email) if found.email else None)


def join(parts: Parts, token: str, joining: Joining) -> str:
    """The id of the new operator; empty when a known one got a new password. Raises Refused."""
    now = parts.clock()

    def story(tx: Tx) -> str:
        found = _take(tx, token, now)
        if found.known is not None and found.brand is not None:
            raise Refused("You are known already: sign in, then open this link again")
        if found.known is not None:
            _renew(tx, found.known, joining.password_hash, now)
            return ""
        email = found.invite.email or joining.email
        if operators.find_by_email(tx, email) is not None:
            raise Refused("Somebody signs in with this address already")
        operator_id = brands.insert_operator(tx, email, joining.password_hash, now)
        _enter(tx, operator_id, found, now)
        return operator_id

    return parts.ledger.run(story)


def join_as(parts: Parts, visitor: Visitor, token: str) -> None:
    """Somebody who is signed in gets one brand more. Raises Refused."""
    now = parts.clock()

    def story(tx: Tx) -> None:
        found = _take(tx, token, now)
        if found.known is None or found.known.id != visitor.operator_id:
            raise Refused("This link is for somebody else: sign in as them")
        _enter(tx, visitor.operator_id, found, now)

    parts.ledger.run(story)


def _take(tx: Tx, token: str, now: datetime) -> Invitation:
    found = _find(tx, token, now)
    if found is None or not invites.mark_used(tx, found.invite.id, now):
        raise Refused(GONE)
    return found


def _enter(tx: Tx, operator_id: str, found: Invitation, now: datetime) -> None:
    """The first person of a deployment takes the brands that a terminal made."""
    brand_id = found.brand.id if found.brand else None
    for one in [brand_id] if brand_id else operators.list_deserted(tx):
        brands.lock_brand(tx, one)
        operators.set_role(tx, operator_id, one, found.invite.role)
    facts = {"invitation": found.invite.id, "role": found.invite.role.value}
    audit.insert_line(
        tx, f"operator:{operator_id}", "joined", operator_id, now=now, brand_id=brand_id, **facts
    )


def _renew(tx: Tx, known: Operator, password_hash: str, now: datetime) -> None:
    operators.mark_password(tx, known.id, password_hash)
    ended = operators.delete_sessions_of(tx, known.id)
    actor = f"operator:{known.id}"
    audit.insert_line(tx, actor, "password_changed", known.id, now=now, sessions_ended=ended)


def forget_second_factor(parts: Parts, actor: str, operator_id: str) -> None:
    """The phone and every recovery code are lost; whoever runs the deployment knows them by sight."""
    now = parts.clock()

    def story(tx: Tx) -> None:
        second_factors.mark_seed(tx, parts.sealer, operator_id, "")
        second_factors.replace_codes(tx, operator_id, ())
        audit.insert_line(tx, actor, "second_factor_removed", operator_id, now=now)

    parts.ledger.run(story)


def _hash(token: str) -> str:
    """The token has 128 random bits: one round of a fast hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
