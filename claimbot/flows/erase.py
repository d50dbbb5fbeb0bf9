"""How is one person forgotten? Everything that names them goes in one transaction; the books stay.

What stays is the money of what was sold and, under a keyed hash, that they wrote STOP: somebody who is erased
and writes again is not written to without asking. Stripe keeps its own record; `sessions` names it.
"""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from claimbot.core.claims import Claim, Event, may
from claimbot.core.errors import Refused
from claimbot.db import audit, claims, erasures
from claimbot.db.engine import Tx
from claimbot.flows.hints import Hints, gate_key
from claimbot.flows.release import end_claim
from claimbot.flows.tell import tell
from claimbot.parts import Parts

# Enough of a hash that no two people share a name; the platform's ids are too short to be kept unkeyed.
NAME_CHARS = 40


@dataclass(frozen=True, slots=True)
class Erased:
    """What was blanked or ended. `sessions` are what Stripe still knows of this person."""

    lead_id: str
    messages: int = 0
    replies: int = 0
    claims_ended: int = 0
    payment_events: int = 0
    sessions: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (
            f"{self.messages} messages, {self.replies} replies, {self.payment_events} payment events blank; "
            f"{self.claims_ended} claims ended; Stripe still knows {len(self.sessions)} sessions"
        )


def erased_names(keys: Sequence[bytes], account_id: str, external_id: str) -> list[str]:
    """What an erased person is called instead of the platform's id, with each key of the ring."""
    who = f"erased\n{account_id}\n{external_id}".encode()
    return [f"erased:{hmac.digest(key, who, 'sha256').hex()[:NAME_CHARS]}" for key in keys]


def erase(parts: Parts, actor: str, lead_id: str) -> Erased:
    """Forget a person; a second time changes nothing. Raises Refused when there is no such lead."""
    now, keys = parts.clock(), parts.settings.sealing_keys
    erased, hints = parts.ledger.run(lambda tx: _erase(tx, now, keys, Wish(actor, lead_id)))
    tell(parts, hints)
    return erased


@dataclass(frozen=True, slots=True)
class Wish:
    actor: str
    lead_id: str


def _erase(tx: Tx, now: datetime, keys: Sequence[bytes], wish: Wish) -> tuple[Erased, Hints]:
    hints = Hints()
    who = erasures.lock_identity(tx, wish.lead_id)
    if who is None:
        raise Refused("There is no such lead; take the id from: claimbot export leads")
    if who.erased_at is not None:
        return Erased(who.lead_id), hints
    # Before the claims, as a worker does: two transactions that lock in one order do not wait in a ring.
    replies = _silence(tx, now, who.lead_id)
    ended = _leave(tx, now, who.lead_id, hints)
    # The end of a claim wrote a message to them.
    _silence(tx, now, who.lead_id)
    erased = Erased(
        lead_id=who.lead_id,
        messages=erasures.blank_inbox(tx, who),
        replies=replies,
        claims_ended=ended,
        payment_events=erasures.blank_payment_events(tx, who),
        sessions=tuple(erasures.list_sessions(tx, who.lead_id)),
    )
    erasures.blank_claims(tx, who.lead_id)
    erasures.blank_lead(tx, who, _new_name(tx, who, keys), now)
    audit.insert_line(
        tx, wish.actor, "lead_erased", who.lead_id, now=now, brand_id=who.brand_id, claims_ended=ended
    )
    return erased, hints


def _silence(tx: Tx, now: datetime, lead_id: str) -> int:
    """Nothing is sent to them any more, and what was sent is blank; returns how many messages."""
    erasures.stop_outbox(tx, lead_id, now)
    return erasures.blank_outbox(tx, lead_id)


def _leave(tx: Tx, now: datetime, lead_id: str, hints: Hints) -> int:
    """End every claim that may still end, and let the gate forget this person; returns how many ended."""
    key = gate_key(tx, lead_id)
    ended = 0
    for known in claims.list_live_of_lead(tx, lead_id):
        hints.forget(known.drop_id, key)
        claim = claims.lock_claim(tx, known.id)
        ended += claim is not None and _end(tx, now, claim, hints)
    return ended


def _end(tx: Tx, now: datetime, claim: Claim, hints: Hints) -> bool:
    """A place in line goes at once, a hold when Stripe has ended its session; money on its way is settled."""
    for event in (Event.ERASE, Event.CANCEL):
        if may(claim.state, event):
            return end_claim(tx, now, claim, event, hints)
    return False


def _new_name(tx: Tx, who: erasures.Identity, keys: Sequence[bytes]) -> str:
    names = erased_names(keys, who.account_id, who.external_id)
    was_erased_before = [erasures.join_twin(tx, who, name) for name in names]
    return f"{names[0]}:{who.lead_id}" if any(was_erased_before) else names[0]


def find_stopped(
    tx: Tx, keys: Sequence[bytes], people: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], datetime]:
    """(account, the platform's id) → when they wrote STOP, for people who were erased since."""
    named = {
        (account_id, name): (account_id, external_id)
        for account_id, external_id in people
        for name in erased_names(keys, account_id, external_id)
    }
    if not named:
        return {}
    return {named[name]: at for name, at in erasures.find_stopped(tx, list(named)).items()}
