"""Does the gate propose each unit once, in order, and answer the same when asked twice?"""

import pytest

from claimbot.core.errors import Ours, StockUnavailable
from claimbot.stock.connect import connect
from claimbot.stock.gate import Gate, GateNotReady, GiveBack, Move
from tests.stock.builders import DROP, NOON_MS, ask, free_units, load, reserve_one, see


@pytest.mark.parametrize(
    ("free", "wish", "answer"),
    [
        (3, (1, True), ("held", (1,))),
        (3, (2, True), ("held", (1, 2))),
        (3, (5, True), ("held", (1, 2, 3))),
        (3, (5, False), ("full", ())),
        (3, (3, False), ("held", (1, 2, 3))),
        (0, (1, True), ("full", ())),
        (0, (1, False), ("full", ())),
    ],
)
def test_a_situation_has_one_word(gate, free, wish, answer):
    load(gate, free)
    quantity, partial = wish
    got = reserve_one(gate, "ann", quantity, partial)
    assert (got.word, got.units) == answer
    assert got.variant_id == "var_m"


def test_asking_again_gives_the_same_answer_whatever_is_asked(gate):
    load(gate)
    first = reserve_one(gate, "ann", 2)
    again = gate.reserve(DROP, [ask("ann", 1, "var_other", partial=False)], NOON_MS + 9).proposals[0]
    assert (again.word, again.line, again.units, again.variant_id) == ("already", first.line, (1, 2), "var_m")


def test_asking_again_after_a_timeout_costs_no_second_unit(plain):
    patient = load(Gate(plain))
    impatient = Gate(connect(f"unix://{plain.get_connection_kwargs()['path']}", 0.05))
    plain.client_pause(200)
    with pytest.raises(StockUnavailable):
        reserve_one(impatient, "ann")
    assert reserve_one(patient, "ann").units == (1,)
    assert free_units(patient) == {2, 3}


def test_one_call_answers_a_whole_batch_in_order(gate):
    load(gate, 2)
    batch = gate.reserve(DROP, [ask("ann"), ask("ben"), ask("ann"), ask("cem")], NOON_MS)
    assert [one.word for one in batch.proposals] == ["held", "held", "already", "full"]
    assert [one.line - NOON_MS * 1000 for one in batch.proposals] == [0, 1, 0, 2]
    assert batch.epoch == 1


def test_variants_share_keys_but_not_units(gate):
    gate.rebuild(DROP, 1, {"var_m": [1], "var_ml": [1], "var": [7]}, (), 0)
    answers = gate.reserve(DROP, [ask("ann"), ask("ben"), ask("cem", variant_id="var")], NOON_MS).proposals
    assert [(one.word, one.units) for one in answers] == [("held", (1,)), ("full", ()), ("held", (7,))]
    assert see(gate).free == {"var_ml": {1}}


def test_unit_numbers_are_given_out_in_order_of_number(gate):
    load(gate, 120)
    assert reserve_one(gate, "ann", 110).units == tuple(range(1, 111))


def test_a_clock_that_goes_back_never_makes_a_line_number_smaller(gate):
    load(gate)
    lines = [
        gate.reserve(DROP, [ask(who)], now).proposals[0].line for who, now in (("ann", 2000), ("ben", 1))
    ]
    assert lines == [2_000_000, 2_000_001]


def test_without_a_clock_the_server_tells_the_time(gate):
    load(gate)
    line = gate.reserve(DROP, [ask("ann")]).proposals[0].line
    assert line > NOON_MS * 1000
    assert see(gate).given["ann"][1:3] == (line, line // 1000)


def test_a_drop_that_is_not_loaded_is_named_so(gate):
    with pytest.raises(GateNotReady):
        reserve_one(gate, "ann")
    with pytest.raises(GateNotReady):
        gate.take(DROP, "var_m", 1)
    assert gate.snapshot(DROP) is None


def test_after_a_wipe_the_drop_must_be_rebuilt(gate, client):
    load(gate)
    client.flushall()
    with pytest.raises(GateNotReady):
        reserve_one(gate, "ann")


def test_a_server_that_forgot_the_scripts_learns_them_again(gate, client):
    load(gate)
    client.script_flush()
    assert reserve_one(gate, "ann").word == "held"


def test_dropped_keys_are_gone(gate, client):
    load(gate)
    reserve_one(gate, "ann")
    gate.drop_keys(DROP)
    assert gate.snapshot(DROP) is None
    assert client.keys("*") == []


@pytest.mark.parametrize(
    ("back", "epoch", "word", "free"),
    [
        (GiveBack("ann", "var_m", (1, 2)), 1, "released", {1, 2, 3}),
        (GiveBack("ann", "var_m", (2,)), 1, "released", {2, 3}),
        (GiveBack("ann", "var_m", (1, 3)), 1, "unknown", {3}),
        (GiveBack("ann", "var_m", (2, 2)), 1, "unknown", {3}),
        (GiveBack("ben", "var_m", (1,)), 1, "unknown", {3}),
        (GiveBack("ann", "var_m", (1, 2)), 2, "stale", {3}),
    ],
)
def test_only_the_one_who_holds_units_gives_them_back(gate, back, epoch, word, free):
    load(gate)
    reserve_one(gate, "ann", 2)
    assert gate.release(DROP, epoch, [back]) == (word,)
    assert free_units(gate) == free


def test_giving_back_a_part_keeps_the_rest(gate):
    load(gate)
    reserve_one(gate, "ann", 3)
    gate.release(DROP, 1, [GiveBack("ann", "var_m", (2,))])
    assert see(gate).given["ann"][3] == (1, 3)


def test_giving_back_twice_does_not_take_a_unit_from_the_next(gate):
    load(gate, 1)
    reserve_one(gate, "ann")
    back = GiveBack("ann", "var_m", (1,))
    first = gate.release(DROP, 1, [back])
    reserve_one(gate, "ben")
    assert (first, gate.release(DROP, 1, [back, back])) == (("released",), ("unknown", "unknown"))
    assert see(gate).given.keys() == {"ben"}


def test_a_forgotten_follower_frees_nothing_and_may_ask_again(gate):
    load(gate)
    reserve_one(gate, "ann")
    assert (gate.forget(DROP, ["ann", "nobody"]), gate.forget(DROP, [])) == (1, 0)
    assert reserve_one(gate, "ann").units == (2,)


@pytest.mark.parametrize(
    ("move", "epoch", "word"),
    [
        (Move("cem", "var_m", (1,), 9, "ann"), 1, "assigned"),
        (Move("cem", "var_m", (3,), 9), 1, "assigned"),
        (Move("cem", "var_m", (51,), 9), 1, "assigned"),
        (Move("cem", "var_m", (1,), 9), 1, "taken"),
        (Move("cem", "var_m", (2,), 9, "ann"), 1, "taken"),
        (Move("ben", "var_m", (3,), 9), 1, "already"),
        (Move("ben", "var_m", (2,), 9, "ann"), 1, "assigned"),
        (Move("cem", "var_m", (1,), 9, "ann"), 2, "stale"),
    ],
)
def test_a_unit_moves_to_the_next_only_when_nobody_else_has_it(gate, move, epoch, word):
    load(gate)
    gate.reserve(DROP, [ask("ann"), ask("ben")], NOON_MS)
    assert gate.assign(DROP, epoch, move) == word


def test_a_moved_unit_is_in_one_place(gate):
    load(gate)
    gate.reserve(DROP, [ask("ann", 2)], NOON_MS)
    move = Move("cem", "var_m", (2, 3), 77, "ann")
    assert (gate.assign(DROP, 1, move), gate.assign(DROP, 1, move)) == ("assigned", "assigned")
    seen = see(gate)
    assert (seen.free, seen.given["ann"][3], seen.given["cem"][3]) == ({}, (1,), (2, 3))
    assert seen.given["cem"][1] == 77


def test_units_for_the_waitlist_are_kept_under_a_name_until_assigned(gate):
    load(gate)
    taken = gate.take(DROP, "var_m", 2, NOON_MS)
    assert (taken.epoch, taken.units, taken.held_by) == (1, (1, 2), f"~promote:{NOON_MS * 1000}")
    gate.assign(DROP, 1, Move("ann", "var_m", (1,), 5, taken.held_by))
    assert see(gate).given[taken.held_by][3] == (2,)
    assert gate.release(DROP, 1, [GiveBack(taken.held_by, "var_m", (2,))]) == ("released",)
    assert (free_units(gate), see(gate).given.keys()) == ({2, 3}, {"ann"})


def test_nothing_free_gives_the_waitlist_nothing(gate):
    load(gate, 0)
    assert gate.take(DROP, "var_m", 2).units == ()


def test_restocking_adds_what_nobody_has(gate):
    load(gate, 2)
    reserve_one(gate, "ann")
    assert gate.restock(DROP, 1, "var_m", [1, 2, 3, 40]) == "restocked"
    assert gate.restock(DROP, 2, "var_m", [41]) == "stale"
    assert free_units(gate) == {2, 3, 40}


@pytest.mark.parametrize("drop_id", ["", "a}b", "a{b", "a:b", "a|b", "x" * 65])
def test_an_id_that_would_break_a_key_is_refused(gate, drop_id):
    with pytest.raises(Ours):
        gate.reserve(drop_id, [ask("ann")])


@pytest.mark.parametrize("count", [0, 2_001])
def test_a_batch_has_a_bound(gate, count):
    with pytest.raises(Ours):
        gate.reserve(DROP, [ask("ann")] * count)


@pytest.mark.parametrize("wrong", [ask("~ann"), ask(""), ask("a" * 201), ask("ann", 0), ask("ann", 1001)])
def test_a_senseless_ask_is_refused_before_redis_hears_it(gate: Gate, wrong):
    with pytest.raises(Ours):
        gate.reserve(DROP, [wrong])
