"""What if the network delays, loses or cuts what Redis, Stripe and the platform say?"""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from claimbot.core.errors import StockUnavailable
from claimbot.flows.checkout import ensure_session
from claimbot.stock.gate import Ask
from tests.faults.lines import Ack, Lines, Platform, p99_seconds, people, press
from tests.invariants import assert_invariants
from tests.proxy import BLACK_HOLE, HEALTHY, LOST_ANSWER, Toxic

WHILE_OPENING_SECONDS = 0.6
AFTERWARDS_SECONDS = 0.25
# The two are for a machine that answers this fast while all is well; one that is busy with others gets more.
QUIET_SECONDS = 0.1
# Enough to say something about the slowest of a hundred.
CALLS = 200
CALLS_PER_SECOND = 50.0
# Other work of the machine may fall into one of them; a wait for Redis would fall into each.
ATTEMPTS_MOST = 3


@pytest.mark.matrix(7)
def test_who_lost_the_gates_answer_is_proposed_the_same_unit(lines: Lines) -> None:
    drop, gate = lines.engine.drop(stock_units=5), lines.engine.parts.gate
    lines.engine.dm("first")
    ask, other_ask = (Ask(f"acc_1.{who}", drop.variants[0].id, 1, True) for who in ("ann", "ben"))

    lines.redis.down = BLACK_HOLE
    with pytest.raises(StockUnavailable):
        gate.reserve(drop.id, [ask])
    lines.redis.heal()

    again, other = gate.reserve(drop.id, [ask, other_ask]).proposals
    assert (again.word, again.units) == ("already", (2,))
    assert (other.word, other.units) == ("held", (3,))


@pytest.mark.matrix(7)
def test_a_claim_whose_gate_did_not_answer_is_made_once(lines: Lines) -> None:
    lines.engine.drop(stock_units=2)
    lines.engine.dm("first")

    lines.redis.down = BLACK_HOLE
    statuses = [lines.engine.dm("ann", mid="mid.ann"), lines.engine.dm("ann", mid="mid.ann")]
    lines.redis.heal()
    statuses += [lines.engine.dm("ann", mid="mid.ann"), lines.engine.dm("ann"), lines.engine.dm("ben")]

    assert statuses == [200] * 5
    assert lines.engine.states() == {"held": 2, "waitlisted": 1}
    lines.engine.work()
    assert_invariants(lines.engine.parts, is_at_rest=True)


@dataclass(frozen=True)
class Attempt:
    """`opening`, `afterwards`: p99 of acknowledgements. `busy`: how slow the machine is when all is well."""

    acks: Sequence[Ack]
    opening: float
    afterwards: float
    busy: float

    @property
    def is_quick(self) -> bool:
        is_quick_while_opening = self.opening <= WHILE_OPENING_SECONDS * self.busy
        return is_quick_while_opening and self.afterwards <= AFTERWARDS_SECONDS * self.busy


def try_out(lines: Lines, platform: Platform, toxic: Toxic, name: str) -> Attempt:
    """Redis is well, then slow, then well again, while people write."""
    well = platform.post_all(people(60, f"before{name}"), per_second=CALLS_PER_SECOND)
    lines.redis.down = toxic
    opening = platform.post_all(people(60, f"opening{name}"), per_second=CALLS_PER_SECOND)
    afterwards = platform.post_all(people(CALLS, f"after{name}"), per_second=CALLS_PER_SECOND)
    lines.redis.heal()
    well += platform.post_all(people(60, f"healed{name}"), per_second=CALLS_PER_SECOND)
    busy = max(1.0, p99_seconds(well) / QUIET_SECONDS)
    return Attempt([*well, *opening, *afterwards], p99_seconds(opening), p99_seconds(afterwards), busy)


@pytest.mark.matrix(15)
@pytest.mark.parametrize("toxic", [Toxic(latency_seconds=2.0), BLACK_HOLE], ids=["slow", "black hole"])
def test_acknowledgements_stay_quick_while_redis_is_slow(
    lines: Lines, platform: Platform, toxic: Toxic
) -> None:
    lines.engine.drop(stock_units=100)
    heard = len(platform.post_all(people(20, "first")))

    for number in range(ATTEMPTS_MOST):
        attempt = try_out(lines, platform, toxic, str(number))
        heard += len(attempt.acks)
        assert {ack.status for ack in attempt.acks} == {200}
        if attempt.is_quick:
            break

    assert attempt.is_quick, (
        f"p99 {attempt.opening:.3f} s while opening, {attempt.afterwards:.3f} s afterwards"
    )
    assert lines.engine.states() == {"held": 100, "waitlisted": heard - 100}
    assert_invariants(lines.engine.parts)


@pytest.mark.matrix(24)
def test_a_session_whose_answer_was_lost_is_found_again_and_not_made_twice(lines: Lines) -> None:
    engine = lines.engine
    engine.drop()
    engine.dm("ann")

    lines.stripe.down = LOST_ANSWER
    engine.work()
    assert lines.stripe.cuts == 1
    assert engine.link("ann").startswith(f"{engine.parts.settings.public_url}/c/")
    lines.stripe.heal()
    assert ensure_session(engine.parts, claim_id(lines)).url

    assert engine.rows("SELECT count(*) FROM checkouts") == [(1,)]
    assert engine.world.get("/state")["sessions"]["open"] == 1
    engine.world.api(f"/stripe/sessions/{session_id(lines)}/pay")
    engine.settle()
    engine.work()
    assert engine.states() == {"sold": 1}
    assert_invariants(engine.parts, is_at_rest=True)


def claim_id(lines: Lines) -> str:
    return str(lines.engine.rows("SELECT id FROM claims")[0][0])


def session_id(lines: Lines) -> str:
    return str(lines.engine.rows("SELECT session_id FROM checkouts WHERE session_id <> ''")[0][0])


@pytest.mark.matrix(27)
def test_while_stripe_is_away_the_message_goes_out_and_the_link_works_later(lines: Lines) -> None:
    engine = lines.engine
    engine.drop()
    lines.stripe.close_door()

    engine.dm("ann")
    engine.work()
    assert len(engine.heard("ann")) == 1
    engine.pass_time(minutes=10)
    engine.work()
    lines.stripe.open_door()
    assert press(engine.link("ann")).status_code == 303

    engine.world.api(f"/stripe/sessions/{session_id(lines)}/pay")
    engine.settle()
    engine.work()
    assert engine.states() == {"sold": 1}
    assert_invariants(engine.parts, is_at_rest=True)


@pytest.mark.matrix(27)
def test_no_unit_is_released_before_stripe_says_that_nobody_paid(lines: Lines) -> None:
    engine = lines.engine
    engine.drop(stock_units=1)
    engine.dm("ann")
    engine.work()
    engine.dm("ben")
    lines.stripe.close_door()

    engine.pass_time(minutes=20)
    engine.chore("holds")
    engine.work()
    assert engine.states() == {"expiring": 1, "waitlisted": 1}
    engine.world.api(f"/stripe/sessions/{session_id(lines)}/pay")
    lines.stripe.open_door()
    engine.pass_time(minutes=5)
    engine.work()

    engine.settle()
    engine.work()
    assert engine.states() == {"sold": 1, "waitlisted": 1}
    assert_invariants(engine.parts, is_at_rest=True)


@pytest.mark.matrix(28)
def test_while_the_platform_refuses_connections_no_hold_runs_out(lines: Lines) -> None:
    engine = lines.engine
    engine.drop()
    lines.graph.close_door()

    engine.dm("ann")
    engine.work()
    engine.pass_time(minutes=9)
    engine.work()
    assert engine.rows("SELECT told_at, hold_expires_at FROM claims") == [(None, None)]
    lines.graph.open_door()
    engine.pass_time(minutes=6)
    engine.work()

    assert len(engine.heard("ann")) == 1
    engine.chore("holds")
    assert engine.states() == {"held": 1}
    assert_invariants(engine.parts, is_at_rest=True)


@pytest.mark.matrix(30)
def test_a_message_whose_answer_was_lost_is_recognised_by_its_echo(lines: Lines) -> None:
    engine = lines.engine
    engine.drop()
    engine.dm("ann")

    lines.graph.down = LOST_ANSWER
    engine.work()
    lines.graph.heal()
    engine.settle()
    engine.pass_time(seconds=70)
    engine.work()

    assert len(engine.heard("ann")) == 1
    assert engine.rows("SELECT state, sends FROM outbox WHERE kind = 'offer'") == [("done", 1)]
    assert_invariants(engine.parts, is_at_rest=True)


@pytest.mark.matrix(30)
@pytest.mark.parametrize(
    ("up", "down", "arrived"),
    [(HEALTHY, LOST_ANSWER, 2), (BLACK_HOLE, HEALTHY, 1)],
    ids=["lost answer", "swallowed"],
)
def test_without_answer_and_echo_a_message_is_sent_once_more(
    lines: Lines, up: Toxic, down: Toxic, arrived: int
) -> None:
    engine = lines.engine
    engine.drop()
    engine.world.fault("graph", "echo_none", times=2)
    engine.dm("ann")

    lines.graph.up, lines.graph.down = up, down
    engine.work()
    lines.graph.heal()
    engine.pass_time(seconds=30)
    engine.work()
    assert len(engine.heard("ann")) == arrived - 1
    engine.pass_time(seconds=40)
    engine.work()

    assert len(engine.heard("ann")) == arrived
    assert engine.rows("SELECT state, sends FROM outbox WHERE kind = 'offer'") == [("done", 2)]
    assert_invariants(engine.parts, is_at_rest=True)
