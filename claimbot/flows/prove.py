"""Is it still they who sit there? The password again, before what moves money, data or secrets."""

import logging
from dataclasses import dataclass, replace

from claimbot.core.operators import Visitor
from claimbot.db import audit, operators
from claimbot.db.engine import Tx
from claimbot.flows.sign_in import Attempt, Check
from claimbot.flows.tries import keys_of, take_try
from claimbot.parts import Parts

log = logging.getLogger("claimbot.prove")


@dataclass(frozen=True, slots=True)
class Proof:
    """`visitor` is None when the password did not fit, or nothing was looked at."""

    visitor: Visitor | None = None
    wait_seconds: float = 0.0


def prove(parts: Parts, visitor: Visitor, attempt: Attempt, fits: Check) -> Proof:
    """Counts as a try, as at the sign-in page: a stolen session is no place to guess a password either."""
    keys = keys_of(parts, visitor.email, attempt.address)
    wait = take_try(parts, keys)
    if wait:
        return Proof(wait_seconds=wait)
    with parts.ledger.reading() as tx:
        known = operators.find_operator(tx, visitor.operator_id)
    if not fits(known.password_hash if known else "", attempt.password):
        log.warning("proof_failed operator=%s", visitor.operator_id)
        return Proof()
    now = parts.clock()

    def story(tx: Tx) -> None:
        operators.delete_tries(tx, keys.account)
        operators.mark_proved(tx, visitor.session_id, now)
        audit.insert_line(tx, visitor.actor, "password_given_again", visitor.session_id, now=now)

    parts.ledger.run(story)
    return Proof(replace(visitor, proved_at=now))
