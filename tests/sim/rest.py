"""Does everything come to its end once nothing fails any more? And is it the right end?"""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from sqlalchemy import bindparam, text

from claimbot.core.claims import State
from claimbot.core.drops import Drop
from claimbot.core.payments import SessionState
from claimbot.db import units
from claimbot.db.columns import UtcDateTime
from claimbot.db.inbox import event_key
from claimbot.flows.reconcile import check_gate
from claimbot.flows.verify import verify
from tests.sim.checks import Look, look_at
from tests.sim.errands import drain, reconnect
from tests.sim.letters import deliver_one
from tests.sim.points import Breach
from tests.sim.program import Step
from tests.sim.stage import Stage

# Each round does all that is due and jumps to the next moment at which something is.
ROUNDS_MOST = 80
ROWS_MOST = 500
# Chores for which once is enough while nothing fails any more.
RARE = ("gates", "events", "close", "redis")
# After this the gate believes no proposal that nobody used.
PROPOSAL_SECONDS = 61
# Who paid and has the unit; while a bank decides it is theirs.
HAS_IT = (State.SOLD, State.DISPUTED)
DISPUTED = {"open": State.DISPUTED, "lost": State.DISPUTED, "won": State.SOLD}
# Moments further away than this are about another day.
SOON = timedelta(hours=3)

NEXT = text(
    "SELECT min(at) AS at FROM ("
    " SELECT min(next_at) AS at FROM outbox WHERE state = 'ready'"
    " UNION ALL SELECT min(lease_until) FROM outbox WHERE state = 'running'"
    " UNION ALL SELECT min(hold_expires_at) FROM claims WHERE state = 'held') AS moments"
).columns(at=UtcDateTime())
SENDS = text("SELECT id, sends, dedupe_key FROM outbox")
ENDED_OF = text("SELECT outcome FROM inbox WHERE event_key = :key").bindparams(bindparam("key"))


def come_to_rest(stage: Stage) -> None:
    """Everything works again, and time goes on until nothing is left to do."""
    stage.steps_left.clear()
    stage.count_down()
    stage.restart_all()
    for house in stage.houses:
        stage.house = house
        reconnect(stage, Step("reconnect"))
    for _ in range(len(stage.waiting)):
        deliver_one(stage, Step("deliver"))
    _work_off(stage)
    # What a lost proposal kept comes back now, and the line is served with it.
    stage.clock.move(PROPOSAL_SECONDS)
    _do_all(stage, ())
    stage.clock.move(1)
    _work_off(stage)


def _work_off(stage: Stage) -> None:
    for number in range(ROUNDS_MOST):
        _end_delayed(stage)
        _do_all(stage, RARE if number else ())
        next_at = _next_moment(stage)
        if next_at is None:
            # What came back with the last of the work goes to the line with the next chores, a second later.
            stage.clock.move(1)
            _do_all(stage, RARE)
            next_at = _next_moment(stage)
        if next_at is None:
            return
        stage.clock.now = max(stage.clock(), next_at)
        stage.clock.move(1)
    raise Breach("I10 work does not come to an end")


def _do_all(stage: Stage, left_out: Collection[str]) -> None:
    for chore in stage.chores:
        if chore.name not in left_out:
            chore.run(stage.parts)
    if drain(stage, ROWS_MOST) >= ROWS_MOST:
        raise Breach("I10 a worker never gets to the end of its rows")


def _end_delayed(stage: Stage) -> None:
    for session_id in stage.stripe.list_delayed():
        stage.stripe.end_delayed(session_id, is_paid=int(session_id.rpartition("_")[2]) % 2 > 0)


def _next_moment(stage: Stage) -> datetime | None:
    """When something is due next; holds that run for long are left alone."""
    grace = timedelta(seconds=stage.parts.settings.hold_grace_seconds)
    with stage.ledger.reading() as tx:
        at: datetime | None = tx.execute(NEXT).scalar_one()
        is_ending = tx.execute(text("SELECT count(*) FROM outbox WHERE state IN ('ready', 'running')"))
        count = is_ending.scalar_one()
    if at is None or at > stage.clock() + SOON:
        return None
    return at if count else at + grace


def breaches_at_rest(stage: Stage) -> list[str]:
    look = look_at(stage)
    found = [f"{one.invariant} {breach}" for one in verify(stage.parts, True) for breach in one.breaches]
    return [*found, *_money(stage, look), *_promised(stage), *_sends(stage), *_gate(stage)]


def _money(stage: Stage, look: Look) -> Iterator[str]:
    """I4, asked of Stripe: every paid session is sold, or its money is back; never both, never neither."""
    for session_id in stage.stripe.list_ids(SessionState.COMPLETE_PAID):
        claim = look.claims.get(stage.stripe.sessions[session_id].claim_id)
        is_sold = claim is not None and claim.state in HAS_IT and claim.session_id == session_id
        is_back = session_id in stage.stripe.refunds
        if is_sold == is_back:
            state = claim.state if claim else "no claim"
            yield f"I4 session {session_id} is paid, its claim is {state}, money back: {is_back}"
    for claim in look.claims.values():
        news = stage.stripe.sessions.get(claim.session_id)
        is_paid = news is not None and news.state is SessionState.COMPLETE_PAID
        if claim.state in HAS_IT and not is_paid and not stage.is_free(claim.drop_id):
            yield f"I6 claim {claim.id} is {claim.state} and was never paid"
        wanted = DISPUTED.get(stage.stripe.disputes.get(claim.session_id, ""))
        if wanted is not None and claim.state is not wanted:
            yield f"I12 claim {claim.id} is {claim.state} after its dispute, and not {wanted}"


def _promised(stage: Stage) -> Iterator[str]:
    """I5: what was answered with a 200 is in the ledger, with an outcome."""
    with stage.ledger.reading() as tx:
        for letter in stage.letters:
            key = event_key("instagram", letter.account_external_id, letter.mid)
            outcome = tx.execute(ENDED_OF, {"key": key}).scalar_one_or_none()
            if letter.is_acked and not outcome:
                yield f"I5 message {letter.mid} was answered with 200 and is lost"


def _sends(stage: Stage) -> Iterator[str]:
    """I8: at most one message for each row, and one more where nobody could know; each one was counted."""
    with stage.ledger.reading() as tx:
        rows = tx.execute(SENDS).all()
    for name, count in Counter(":".join(row.dedupe_key.split(":")[:2]) for row in rows).items():
        if count > 1:
            yield f"I3 {name} was written down {count} times"
    sends = {row.id: row.sends for row in rows}
    for row_id, count in stage.platform.accepted.items():
        if count > 1 + min(1, stage.platform.unclear[row_id]):
            yield f"I8 outbox {row_id} reached its follower {count} times"
        if count > sends[row_id]:
            yield f"I8 outbox {row_id} reached its follower {count} times and counts {sends[row_id]}"


def _gate(stage: Stage) -> Iterator[str]:
    """After a look, the gate is the ledger: the same free units, and nothing more to mend."""
    for house in stage.houses:
        yield from _gate_of(stage, house.drop)


def _gate_of(stage: Stage, drop: Drop) -> Iterator[str]:
    if not stage.is_open(drop.id):
        return
    check_gate(stage.parts, drop.id, stage.clock())
    word = check_gate(stage.parts, drop.id, stage.clock())
    if word != "same":
        yield f"I9 the gate is {word} a second time"
    seen = stage.parts.gate.snapshot(drop.id)
    for variant in drop.variants:
        with stage.ledger.reading() as tx:
            free = set(units.list_free(tx, variant.id))
        offered = set(seen.free.get(variant.id, ())) if seen else set()
        if free != offered:
            yield f"I9 the gate offers {sorted(offered)} and the ledger has {sorted(free)}"
