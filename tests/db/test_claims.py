"""One live claim for each follower and drop, the order of the line, and states that move on once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from claimbot.core.claims import LIVE, Claim, State
from claimbot.core.drops import Drop, DropState
from claimbot.db import claims
from claimbot.db.claims import Holding
from claimbot.db.engine import Ledger
from tests.builders import NOW, World, make_claim, make_lead, make_world, told
from tests.crowd import at_once

ENDED = [state for state in State if state not in LIVE]


@pytest.fixture
def drop(world: World) -> Drop:
    return world.drop()


def find(ledger: Ledger, claim: Claim) -> Claim:
    with ledger.reading() as tx:
        found = claims.find_claim(tx, claim.id)
    assert found is not None
    return found


def test_a_claim_is_read_as_it_was_written(ledger: Ledger, world: World, drop: Drop) -> None:
    claim = make_claim(ledger, drop, world.first, stripe_session_id="cs_1", **told(minutes_left=4))
    assert find(ledger, claim) == claim


@pytest.mark.parametrize("state", LIVE)
@pytest.mark.parametrize("rival", LIVE)
def test_a_follower_has_one_live_claim_in_a_drop(
    ledger: Ledger, world: World, drop: Drop, state: State, rival: State
) -> None:
    make_claim(ledger, drop, world.first, state)
    with pytest.raises(IntegrityError):
        make_claim(ledger, drop, world.first, rival)


@pytest.mark.parametrize("state", ENDED)
def test_a_follower_whose_claim_ended_may_claim_again(
    ledger: Ledger, world: World, drop: Drop, state: State
) -> None:
    make_claim(ledger, drop, world.first, state)
    again = make_claim(ledger, drop, world.first)
    assert find(ledger, again).state is State.HELD


def test_two_followers_claim_in_the_same_drop(ledger: Ledger, world: World, drop: Drop) -> None:
    make_claim(ledger, drop, world.first)
    make_claim(ledger, drop, world.second)
    with ledger.reading() as tx:
        assert claims.count_by_state(tx, drop.id) == {State.HELD: 2}


def test_a_state_moves_on_once(ledger: Ledger, world: World, drop: Drop) -> None:
    claim = make_claim(ledger, drop, world.first)
    with ledger.begin() as tx:
        assert claims.mark_state(tx, claim, State.SOLD, paid_minor=12_900, paid_at=NOW)
        assert not claims.mark_state(tx, claim, State.EXPIRING)
    assert (find(ledger, claim).state, find(ledger, claim).paid_minor) == (State.SOLD, 12_900)


def test_a_claim_is_found_by_token_session_and_payment(ledger: Ledger, world: World, drop: Drop) -> None:
    claim = make_claim(ledger, drop, world.first, stripe_session_id="cs_1", payment_intent="pi_1")
    with ledger.begin() as tx:
        assert claims.find_by_token(tx, claim.token) == claim
        assert claims.find_by_session(tx, "cs_1") == claim
        assert claims.find_by_payment_intent(tx, "pi_1") == claim
        assert claims.lock_claim(tx, claim.id) == claim


def test_what_does_not_exist_is_not_found(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        assert claims.find_claim(tx, "clm_none") is None
        assert claims.find_by_token(tx, "none") is None
        assert claims.find_by_session(tx, "cs_none") is None
        assert claims.find_by_payment_intent(tx, "pi_none") is None
        assert claims.lock_claim(tx, "clm_none") is None


def test_standing_claims_are_listed_for_each_person(ledger: Ledger, world: World, drop: Drop) -> None:
    sold = make_claim(ledger, drop, world.first, State.SOLD)
    held = make_claim(ledger, drop, world.first, created_at=NOW + timedelta(seconds=1))
    make_claim(ledger, drop, world.second, State.PASSED)
    pairs = [(drop.id, world.first.id), (drop.id, world.second.id)]
    with ledger.reading() as tx:
        found = claims.list_standing(tx, pairs)
        assert claims.list_standing(tx, []) == {}
    assert [one.id for one in found[drop.id, world.first.id]] == [sold.id, held.id]
    assert list(found) == [(drop.id, world.first.id)]


def test_only_claims_that_hold_or_own_count_against_the_limit(
    ledger: Ledger, world: World, drop: Drop
) -> None:
    standing = [
        make_claim(ledger, drop, world.first, State.SOLD, quantity=2),
        make_claim(ledger, drop, world.first, State.WAITLISTED, quantity=7),
    ]
    assert claims.counted_quantity(standing) == 2


def test_the_first_in_line_is_promoted_first(ledger: Ledger, world: World, drop: Drop) -> None:
    make_claim(ledger, drop, world.second, State.WAITLISTED, line=20)
    first = make_claim(ledger, drop, world.first, State.WAITLISTED, line=10)
    with ledger.begin() as tx:
        assert claims.find_first_waiting(tx, drop.variants[0].id, NOW) == first
        assert claims.count_waiting(tx, drop.variants[0].id) == 2
        assert claims.count_waiting(tx, drop.variants[0].id, before_line=20) == 1


def promote_first(ledger: Ledger, drop: Drop) -> str:
    with ledger.begin() as tx:
        found = claims.find_first_waiting(tx, drop.variants[0].id, NOW)
        assert found is not None
        claims.mark_state(tx, found, State.HELD)
        return found.id


def test_two_promotions_at_once_take_different_people(on_postgresql: Ledger) -> None:
    world = make_world(on_postgresql)
    drop = world.drop()
    first = make_claim(on_postgresql, drop, world.first, State.WAITLISTED)
    second = make_claim(on_postgresql, drop, world.second, State.WAITLISTED)
    assert set(at_once(2, lambda _: promote_first(on_postgresql, drop))) == {first.id, second.id}


def test_somebody_whose_row_is_busy_is_not_passed_over(on_postgresql: Ledger) -> None:
    world = make_world(on_postgresql)
    drop = world.drop()
    first = make_claim(on_postgresql, drop, world.first, State.WAITLISTED)
    make_claim(on_postgresql, drop, world.second, State.WAITLISTED)
    with ThreadPoolExecutor(1) as pool:
        with on_postgresql.begin() as tx:
            claims.lock_claim(tx, first.id)
            promoted = pool.submit(promote_first, on_postgresql, drop)
            with pytest.raises(TimeoutError):
                promoted.result(timeout=0.2)
        assert promoted.result(timeout=5) == first.id


def test_a_claim_may_be_taken_back_before_it_is_committed(ledger: Ledger, world: World, drop: Drop) -> None:
    claim = make_claim(ledger, drop, world.first, State.WAITLISTED)
    with ledger.begin() as tx:
        claims.delete_unmade(tx, claim.id)
        assert claims.find_claim(tx, claim.id) is None


@pytest.mark.parametrize(
    "unreachable",
    [
        pytest.param({"opted_out_at": NOW}, id="said stop"),
        pytest.param({"window_expires_at": NOW}, id="window closed"),
        pytest.param({"window_expires_at": None}, id="never had a window"),
    ],
)
def test_who_may_not_be_written_to_is_passed_over(
    ledger: Ledger, world: World, drop: Drop, unreachable: dict[str, object]
) -> None:
    silent = make_lead(ledger, world.account, "7009", **unreachable)
    make_claim(ledger, drop, silent, State.WAITLISTED, line=1)
    reachable = make_claim(ledger, drop, world.first, State.WAITLISTED, line=2)
    with ledger.begin() as tx:
        assert claims.find_first_waiting(tx, drop.variants[0].id, NOW) == reachable


def test_holds_are_due_when_their_time_is_over(ledger: Ledger, world: World, drop: Drop) -> None:
    over = make_claim(ledger, drop, world.first, **told(minutes_left=0))
    make_claim(ledger, drop, world.second, **told(minutes_left=0.1))
    make_claim(ledger, drop, make_lead(ledger, world.account, "7003"))
    with ledger.begin() as tx:
        assert [one.id for one in claims.list_due(tx, NOW, 10)] == [over.id]


def test_two_sweeps_do_not_wait_for_each_other(on_postgresql: Ledger) -> None:
    world = make_world(on_postgresql)
    drop = world.drop()
    make_claim(on_postgresql, drop, world.first, **told(minutes_left=-1))
    with on_postgresql.begin() as one, on_postgresql.begin() as other:
        assert len(claims.list_due(one, NOW, 10)) == 1
        assert claims.list_due(other, NOW, 10) == []


def test_claims_are_listed_in_line_order(ledger: Ledger, world: World, drop: Drop) -> None:
    later = make_claim(ledger, drop, world.first, line=9)
    sooner = make_claim(ledger, drop, world.second, State.WAITLISTED, line=3)
    with ledger.reading() as tx:
        found = claims.list_by_state(tx, drop.id, [State.HELD, State.WAITLISTED])
        assert claims.highest_line(tx, drop.id) == 9
    assert [one.id for one in found] == [sooner.id, later.id]


def test_a_persons_claims_are_listed(ledger: Ledger, world: World, drop: Drop) -> None:
    passed = make_claim(ledger, drop, world.first, State.PASSED)
    held = make_claim(ledger, drop, world.first, created_at=NOW + timedelta(seconds=1))
    with ledger.reading() as tx:
        assert [one.id for one in claims.list_claims_of_lead(tx, world.first.id)] == [passed.id, held.id]
        assert [one.id for one in claims.list_live_of_lead(tx, world.first.id)] == [held.id]


def test_delayed_payments_are_listed_oldest_first(ledger: Ledger, world: World, drop: Drop) -> None:
    newer = make_claim(ledger, drop, world.first, State.PENDING, created_at=NOW + timedelta(hours=1))
    older = make_claim(ledger, drop, world.second, State.PENDING)
    with ledger.reading() as tx:
        assert [one.id for one in claims.list_pending(tx, 10)] == [older.id, newer.id]


def test_the_gate_hears_of_every_unit_that_is_not_sold_yet(ledger: Ledger, world: World, drop: Drop) -> None:
    make_claim(ledger, drop, world.first, State.SOLD)
    make_claim(ledger, drop, world.second, State.EXPIRING, quantity=2, line=7)
    variant_id = drop.variants[0].id
    with ledger.reading() as tx:
        found = claims.list_holdings(tx, drop.id)
    assert found == [Holding(world.account.id, world.second.external_id, variant_id, 7, (2, 3))]


def test_a_line_with_free_units_is_found(ledger: Ledger, world: World, drop: Drop) -> None:
    make_claim(ledger, drop, world.first)
    make_claim(ledger, drop, world.second, State.WAITLISTED)
    world.drop(words=("NOBODY WAITS",))
    with ledger.reading() as tx:
        assert claims.list_lines_with_free_units(tx) == [(drop.id, drop.variants[0].id, 2)]


def test_nobody_is_promoted_in_a_drop_that_is_not_open(ledger: Ledger, world: World) -> None:
    closed = world.drop(state=DropState.CLOSED)
    make_claim(ledger, closed, world.first, State.WAITLISTED)
    with ledger.reading() as tx:
        assert claims.list_lines_with_free_units(tx) == []


def test_holds_whose_follower_was_not_told_are_listed(ledger: Ledger, world: World, drop: Drop) -> None:
    untold = make_claim(ledger, drop, world.first)
    make_claim(ledger, drop, world.second, **told(minutes_left=5))
    with ledger.begin() as tx:
        later = NOW + timedelta(minutes=1)
        assert claims.list_untold(tx, later, 10) == [(untold, world.first.window_expires_at)]
        claims.mark_values(tx, untold.id, promoted_at=later)
        assert claims.list_untold(tx, later, 10) == []
