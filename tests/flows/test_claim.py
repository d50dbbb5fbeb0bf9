"""Who gets a unit, who waits, and what is each of them told?"""

from datetime import timedelta

import pytest

from claimbot.core.drops import DropKind, DropState
from claimbot.core.followers import follower_key
from claimbot.core.money import Money
from claimbot.db import drops
from claimbot.db.engine import Ledger
from claimbot.flows.launch import restock
from claimbot.flows.reconcile import rebuild_gate
from claimbot.sandbox.followers import igsid_of
from claimbot.stock.gate import Ask
from tests.engine import Engine, running_engine
from tests.flows.deliveries import message, post_events, seconds_ago, write_batch
from tests.flows.looks import claim_of, outcome_of, outcomes, rows_of, state_of, taken_units

FREE = Money(0, "EUR")
# Nobody listens there.
NOBODY = "redis://127.0.0.1:1/0"


def test_the_first_get_units_and_the_next_join_the_line(engine: Engine) -> None:
    engine.drop(stock_units=2)
    assert [engine.dm(who) for who in ("ana", "ben", "cleo")] == [200, 200, 200]
    assert engine.states() == {"held": 2, "waitlisted": 1}
    assert outcomes(engine) == {"held": 2, "waitlisted": 1}


def test_everybody_hears_their_place(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=1)
    sqlite_engine.dm("ana")
    sqlite_engine.dm("ben")
    sqlite_engine.work()
    assert "You are 1 of 1" in sqlite_engine.heard("ana")[0]
    assert "You are number 1 on the waitlist" in sqlite_engine.heard("ben")[0]


def test_without_a_waitlist_the_next_hears_sold_out(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=1, is_waitlist_on=False)
    sqlite_engine.dm("ana")
    sqlite_engine.dm("ben")
    sqlite_engine.work()
    assert outcomes(sqlite_engine) == {"held": 1, "sold_out": 1}
    assert sqlite_engine.states() == {"held": 1}
    assert "are taken" in sqlite_engine.heard("ben")[0]


def test_the_word_again_is_the_same_claim(engine: Engine) -> None:
    engine.drop(stock_units=3)
    write_batch(engine, [{"follower": "ana", "text": "LAUNCH"} for _ in range(11)])
    assert outcomes(engine) == {"held": 1, "already_held": 10}
    assert taken_units(engine) == [1]


def test_the_word_again_brings_the_same_link_and_deadline(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    link, before = sqlite_engine.link("ana"), claim_of(sqlite_engine, "ana")
    sqlite_engine.pass_time(minutes=5)
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    assert sqlite_engine.link("ana") == link
    assert "with the same link as before" in sqlite_engine.heard("ana")[1]
    assert claim_of(sqlite_engine, "ana") == before


def test_the_word_again_in_line_keeps_the_place(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=0)
    sqlite_engine.dm("ana")
    sqlite_engine.dm("ben")
    sqlite_engine.dm("ben")
    sqlite_engine.work()
    assert sqlite_engine.states() == {"waitlisted": 2}
    assert outcome_of(sqlite_engine, "ben") == "already_waitlisted"
    assert "You are number 2" in sqlite_engine.heard("ben")[1]


def test_the_word_after_paying_claims_nothing_more(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    sqlite_engine.pay("ana")
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    assert outcome_of(sqlite_engine, "ana") == "already_sold"
    assert taken_units(sqlite_engine) == [1]
    assert "You already have yours" in sqlite_engine.heard("ana")[-1]


def test_the_limit_counts_what_was_bought_and_what_is_held(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=5, per_follower_limit=2)
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    sqlite_engine.pay("ana")
    sqlite_engine.dm("ana")
    assert outcome_of(sqlite_engine, "ana") == "held"
    sqlite_engine.work()
    sqlite_engine.pay("ana")
    sqlite_engine.dm("ana")
    assert outcome_of(sqlite_engine, "ana") == "limit_reached"
    assert taken_units(sqlite_engine) == [1, 2]


def test_who_wants_more_than_the_limit_gets_the_limit(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=5, per_follower_limit=2)
    sqlite_engine.dm("ana", "LAUNCH x4")
    sqlite_engine.work()
    assert taken_units(sqlite_engine) == [1, 2]
    assert "one follower may have 2" in sqlite_engine.heard("ana")[0]


def test_who_wants_more_than_is_left_gets_what_is_left(engine: Engine) -> None:
    engine.drop(stock_units=2, per_follower_limit=3)
    engine.dm("ana", "LAUNCH x3")
    engine.work()
    assert taken_units(engine) == [1, 2]
    assert claim_of(engine, "ana").quantity == 2
    assert "only 2 left" in engine.heard("ana")[0]


def test_without_parts_the_whole_wish_waits(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=2, per_follower_limit=3, is_partial_allowed=False)
    sqlite_engine.dm("ana", "LAUNCH x3")
    assert sqlite_engine.states() == {"waitlisted": 1}
    assert taken_units(sqlite_engine) == []


def test_a_whole_wish_that_waits_keeps_its_place_before_a_smaller_one(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=2, per_follower_limit=3, is_partial_allowed=False)
    sqlite_engine.dm("ana", "LAUNCH x3")
    sqlite_engine.dm("ben", "LAUNCH")
    assert (state_of(sqlite_engine, "ana"), state_of(sqlite_engine, "ben")) == ("waitlisted", "waitlisted")


def test_a_missing_variant_is_asked_for_and_the_tap_claims(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(variants=("S", "M"), per_follower_limit=2)
    sqlite_engine.dm("ana", "LAUNCH x2")
    sqlite_engine.work()
    assert outcome_of(sqlite_engine, "ana") == "which_variant"
    choices = sqlite_engine.world.phone("ana")[-1]["choices"]
    assert [one["title"] for one in choices] == ["S", "M"]
    sqlite_engine.dm("ana", "M", payload=choices[1]["payload"])
    sqlite_engine.work()
    assert claim_of(sqlite_engine, "ana").quantity == 2
    assert "(M)" in sqlite_engine.heard("ana")[-1]


def test_an_unknown_variant_is_answered_with_those_there_are(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(variants=("S", "M"))
    sqlite_engine.dm("ana", "LAUNCH XXL")
    sqlite_engine.work()
    assert outcome_of(sqlite_engine, "ana") == "unknown_variant"
    assert "S, M" in sqlite_engine.heard("ana")[0]


def test_each_variant_has_its_own_units(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=1, variants=("S", "M"))
    sqlite_engine.dm("ana", "LAUNCH S")
    sqlite_engine.dm("ben", "launch m!!")
    sqlite_engine.dm("cleo", "s launch")
    assert [state_of(sqlite_engine, who) for who in ("ana", "ben", "cleo")] == ["held", "held", "waitlisted"]


def test_a_free_unit_is_given_at_once(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=1, kind=DropKind.FREE, price=FREE)
    sqlite_engine.dm("ana")
    sqlite_engine.dm("ben")
    sqlite_engine.work()
    assert sqlite_engine.states() == {"sold": 1, "waitlisted": 1}
    assert "nothing to pay" in sqlite_engine.heard("ana")[0]


def test_a_list_takes_everybody_once(engine: Engine) -> None:
    engine.drop(stock_units=0, kind=DropKind.LIST, price=FREE)
    write_batch(engine, [{"follower": who, "text": "LAUNCH"} for who in ("ana", "ben", "ana")])
    engine.dm("cleo")
    engine.work()
    assert engine.states() == {"granted": 3}
    assert "number 3" in engine.heard("cleo")[0]


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"state": DropState.DRAFT}, "not_open_yet"),
        ({"state": DropState.PAUSED}, "paused"),
        ({"state": DropState.CLOSED}, "closed"),
    ],
)
def test_a_drop_that_takes_no_claims_says_why(
    sqlite_engine: Engine, changes: dict[str, DropState], outcome: str
) -> None:
    sqlite_engine.drop(**changes)
    sqlite_engine.dm("ana")
    assert sqlite_engine.work() == 1
    assert outcomes(sqlite_engine) == {outcome: 1}
    assert sqlite_engine.states() == {}


def test_a_drop_opens_and_closes_by_its_times(sqlite_engine: Engine) -> None:
    now = sqlite_engine.clock()
    sqlite_engine.drop(opens_at=now + timedelta(minutes=10), closes_at=now + timedelta(minutes=20))
    sqlite_engine.dm("ana")
    sqlite_engine.pass_time(minutes=11)
    sqlite_engine.dm("ben")
    sqlite_engine.pass_time(minutes=11)
    sqlite_engine.dm("cleo")
    assert outcomes(sqlite_engine) == {"not_open_yet": 1, "held": 1, "closed": 1}


def test_a_unit_that_came_back_goes_to_the_line_before_a_newcomer(engine: Engine) -> None:
    drop = engine.drop(stock_units=1)
    engine.dm("ana")
    engine.dm("ben")
    with engine.parts.ledger.begin() as tx:
        drops.mark_drop(tx, drop, state=DropState.PAUSED.value)
    engine.parts.catalog(is_fresh=True)
    restock(engine.parts, "mia", drop.variants[0].id, 2)
    with engine.parts.ledger.begin() as tx:
        drops.mark_drop(tx, drop, state=DropState.OPEN.value)
    engine.parts.catalog(is_fresh=True)
    engine.dm("cleo")
    assert [state_of(engine, who) for who in ("ana", "ben", "cleo")] == ["held", "held", "waitlisted"]


@pytest.mark.matrix(10)
def test_a_gate_that_offers_a_taken_unit_sells_nothing_twice(engine: Engine) -> None:
    drop = engine.drop(stock_units=1)
    variant_id = drop.variants[0].id
    engine.dm("ana")
    seen = engine.parts.gate.snapshot(drop.id)
    assert seen is not None
    engine.parts.gate.forget(drop.id, list(seen.given))
    engine.parts.gate.restock(drop.id, seen.epoch, variant_id, [1])
    engine.dm("ben")
    assert (state_of(engine, "ana"), state_of(engine, "ben")) == ("held", "waitlisted")
    assert taken_units(engine) == [1]


def test_without_redis_units_come_straight_from_the_ledger(ledger: Ledger, redis_url: str) -> None:
    with running_engine(ledger, redis_url, STOCK_REDIS_URL=NOBODY) as engine:
        engine.drop(stock_units=2)
        write_batch(engine, [{"follower": who, "text": "LAUNCH"} for who in ("ana", "ben", "cleo")])
        engine.dm("ana")
        engine.work()
        assert outcomes(engine) == {"held": 2, "waitlisted": 1, "already_held": 1}
        assert "You are number 1 on the waitlist" in engine.heard("cleo")[0]


@pytest.mark.matrix(4)
def test_inside_one_delivery_the_platforms_time_orders_the_line(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=1)
    write_batch(
        sqlite_engine,
        [
            {"follower": "late", "text": "LAUNCH", "sent_at": seconds_ago(sqlite_engine, 10)},
            {"follower": "early", "text": "LAUNCH", "sent_at": seconds_ago(sqlite_engine, 20)},
        ],
    )
    assert (state_of(sqlite_engine, "early"), state_of(sqlite_engine, "late")) == ("held", "waitlisted")


def test_at_equal_times_the_order_of_the_delivery_counts(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=1)
    at = seconds_ago(sqlite_engine, 10)
    write_batch(
        sqlite_engine, [{"follower": who, "text": "LAUNCH", "sent_at": at} for who in ("ana", "ben", "cleo")]
    )
    places = [claim_of(sqlite_engine, who).place for who in ("ana", "ben", "cleo")]
    assert (state_of(sqlite_engine, "ana"), places) == ("held", [1, 1, 2])


def test_an_event_that_comes_again_has_one_effect(engine: Engine) -> None:
    engine.drop(stock_units=30)
    twenty = [*range(17), 3, 3, 9]
    events = [message(engine, f"follower{n}", "LAUNCH", f"mid-{n}") for n in twenty]
    assert post_events(engine, *events) == 200
    assert outcomes(engine) == {"held": 17}
    assert post_events(engine, *events) == 200
    assert outcomes(engine) == {"held": 17}
    assert len(rows_of(engine, "offer")) == 17


@pytest.mark.matrix(4)
def test_a_message_of_yesterday_claims_nothing(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    old = {"follower": "ana", "text": "LAUNCH", "sent_at": seconds_ago(sqlite_engine, 24 * 3600 + 60)}
    write_batch(sqlite_engine, [old])
    assert outcome_of(sqlite_engine, "ana") == "late:older_than_24_hours"
    assert (sqlite_engine.states(), sqlite_engine.work()) == ({}, 0)


def test_one_delivery_may_ask_for_two_drops(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=1)
    sqlite_engine.drop(stock_units=1, words=("LAMP",), name="Lamp")
    words = [("ana", "LAUNCH"), ("ben", "LAMP"), ("ana", "LAMP")]
    write_batch(sqlite_engine, [{"follower": who, "text": text} for who, text in words])
    assert sqlite_engine.states() == {"held": 2, "waitlisted": 1}


def test_a_drop_edited_after_the_look_is_looked_at_again(engine: Engine) -> None:
    drop = engine.drop(stock_units=1)
    with engine.parts.ledger.begin() as tx:
        drops.mark_drop(tx, drop, hold_minutes=30)
    assert engine.dm("ana") == 200
    engine.work()
    assert "30 minutes" in engine.heard("ana")[0]


def test_what_a_stale_look_was_proposed_goes_back_to_the_gate(engine: Engine) -> None:
    drop = engine.drop(stock_units=1)
    with engine.parts.ledger.begin() as tx:
        drops.mark_drop(tx, drop, state=DropState.PAUSED.value)
    engine.dm("ana")
    seen = engine.parts.gate.snapshot(drop.id)
    assert outcome_of(engine, "ana") == "paused"
    assert seen is not None
    assert (seen.free[drop.variants[0].id], seen.given) == ({1}, {})


def test_who_let_it_run_out_may_claim_again_at_the_end_of_the_line(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=1)
    sqlite_engine.dm("ana")
    sqlite_engine.dm("ben")
    sqlite_engine.work()
    sqlite_engine.pass_time(minutes=17)
    sqlite_engine.chore("holds")
    sqlite_engine.work()
    sqlite_engine.dm("ana")
    assert sqlite_engine.states() == {"expired": 1, "held": 1, "waitlisted": 1}
    assert state_of(sqlite_engine, "ana") == "waitlisted"


def test_the_word_while_the_hold_is_ending_is_answered(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=1)
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    sqlite_engine.pass_time(minutes=17)
    sqlite_engine.chore("holds")
    sqlite_engine.dm("ana")
    assert outcome_of(sqlite_engine, "ana") == "already_held:ending"
    assert sqlite_engine.states() == {"expiring": 1}


@pytest.mark.parametrize(
    ("words", "states"),
    [
        (("START", "LAUNCH"), {"held": 1}),
        (("LAUNCH", "PASS", "LAUNCH"), {}),
        (("START", "LAUNCH", "PASS", "LAUNCH"), {"passed": 1, "held": 1}),
        (("START", "LAUNCH", "STOP"), {"passed": 1}),
    ],
)
def test_one_person_is_heard_in_their_own_order(
    sqlite_engine: Engine, words: tuple[str, ...], states: dict[str, int]
) -> None:
    sqlite_engine.drop(stock_units=1)
    sqlite_engine.dm("ana", "STOP")
    write_batch(sqlite_engine, [{"follower": "ana", "text": word} for word in words])
    assert sqlite_engine.states() == states
    sqlite_engine.work()
    assert sqlite_engine.states() == states


def test_a_word_repeated_in_one_post_is_answered_by_what_became_of_the_first(sqlite_engine: Engine) -> None:
    drop = sqlite_engine.drop(stock_units=1, is_waitlist_on=False)
    sqlite_engine.dm("ben")
    gate, variant_id = sqlite_engine.parts.gate, drop.variants[0].id
    seen = gate.snapshot(drop.id)
    assert seen is not None
    gate.rebuild(drop.id, seen.epoch, {variant_id: [1]}, [], seen.line)
    status = write_batch(sqlite_engine, [{"follower": "ana", "text": "LAUNCH"}] * 2)
    assert (status, outcomes(sqlite_engine)) == (200, {"held": 1, "sold_out": 2})


@pytest.mark.parametrize("posts", [["ben", "ana"], ["ben ana"]], ids=["two posts", "one post"])
def test_a_winner_whose_copy_asked_first_is_not_behind_a_later_loser(
    sqlite_engine: Engine, posts: list[str]
) -> None:
    """Two copies of one message at once: the second hears "already", and a loser is in the line by then."""
    drop = sqlite_engine.drop(stock_units=1)
    rebuild_gate(sqlite_engine.parts, drop.id)
    asks = [Ask(follower_key(sqlite_engine.account.id, igsid_of("ana")), drop.variants[0].id, 1, True)]
    sqlite_engine.parts.gate.reserve(drop.id, asks, int(sqlite_engine.clock().timestamp() * 1000))
    for names in posts:
        write_batch(sqlite_engine, [{"follower": who, "text": "LAUNCH"} for who in names.split()])
    assert (outcome_of(sqlite_engine, "ana"), outcome_of(sqlite_engine, "ben")) == ("held", "waitlisted")
