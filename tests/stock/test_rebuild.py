"""Does a rebuild replace the gate at once, and never with something older?"""

import threading

import pytest

from claimbot.stock.gate import Ask, Gate, GateNotReady
from tests.stock.builders import DROP, NOON_MS, ask, free_units, load, reserve_one, see


def test_a_rebuild_shows_exactly_what_sql_said(gate):
    given = [("ann", "var_m", (2, 5), NOON_MS * 1000 + 7), ("ben", "var_s", (1,), 12_345)]
    assert gate.rebuild(DROP, 4, {"var_m": [1, 3], "var_s": []}, given, 99) == "swapped"
    seen = see(gate)
    assert (seen.epoch, seen.line, seen.free) == (4, 99, {"var_m": {1, 3}})
    assert seen.given == {
        "ann": ("var_m", NOON_MS * 1000 + 7, NOON_MS, (2, 5)),
        "ben": ("var_s", 12_345, 12, (1,)),
    }


@pytest.mark.parametrize(
    ("stored", "offered", "word", "free"),
    [(3, 4, "swapped", {9}), (3, 3, "swapped", {9}), (3, 2, "stale", {1, 2})],
)
def test_an_older_epoch_never_replaces_a_later_one(gate, stored, offered, word, free):
    load(gate, 2, epoch=stored)
    assert gate.rebuild(DROP, offered, {"var_m": [9]}, (), 0) == word
    assert free_units(gate) == free


def test_an_empty_drop_can_be_loaded_over_a_full_one(gate):
    load(gate, 2)
    reserve_one(gate, "ann")
    assert gate.rebuild(DROP, 2, {}, (), 0) == "swapped"
    assert (see(gate).free, see(gate).given) == ({}, {})


def test_a_rebuild_never_makes_line_numbers_smaller(gate):
    load(gate)
    before = reserve_one(gate, "ann").line
    gate.rebuild(DROP, 2, {"var_m": [2]}, (), 5)
    assert gate.reserve(DROP, [ask("ben")], 1).proposals[0].line == before + 1


def test_the_gate_that_was_swapped_in_does_not_end_by_itself(gate, client):
    gate.rebuild(DROP, 1, {"var_m": [1]}, [("ann", "var_m", (2,), 1)], 0)
    assert {client.ttl(name) for name in client.keys("*")} == {-1}
    assert len(client.keys("*")) == 3


def test_the_swap_of_a_load_that_was_wiped_away_changes_nothing(gate):
    load(gate)
    live = ("cb1:{d:drp_1}:free", "cb1:{d:drp_1}:given", "cb1:{d:drp_1}:meta")
    gone = ("cb1:{d:drp_1}:next:a:free", "cb1:{d:drp_1}:next:a:given")
    assert gate._calls.script("swap", (*live, *gone), (2, 0, 48, 0, "a"))[0] == "torn"
    assert gate._calls.script("swap", (*live, *gone), (2, 0, 0, 2, "a"))[0] == "torn"
    assert free_units(gate) == {1, 2, 3}


def test_ten_thousand_units_are_loaded(gate):
    """How long it takes is a row of the benchmark."""
    given = [(f"follower_{number}", "var_b", (number,), number) for number in range(2_000)]
    gate.rebuild(DROP, 1, {"var_a": range(8_000)}, given, 0)
    assert (len(see(gate).free["var_a"]), len(see(gate).given)) == (8_000, 2_000)


def _ask_many(gate: Gate, name: str, answers: list[tuple[int, int]]) -> None:
    for number in range(60):
        batch = gate.reserve(DROP, [Ask(f"{name}_{number}", "var_m", 1, True)])
        answers.append((batch.epoch, *batch.proposals[0].units))


def test_the_sale_goes_on_during_rebuilds_and_each_epoch_proposes_a_unit_once(gate):
    load(gate, 2_000)
    answers: list[tuple[int, int]] = []
    threads = [threading.Thread(target=_ask_many, args=(gate, f"t{n}", answers)) for n in range(6)]
    [thread.start() for thread in threads]
    words = [gate.rebuild(DROP, epoch, {"var_m": range(1, 2_001)}, (), 0) for epoch in (2, 4, 3, 5)]
    [thread.join(30) for thread in threads]
    assert words == ["swapped", "swapped", "stale", "swapped"]
    assert len(answers) == len(set(answers)) == 360
    assert {epoch for epoch, _ in answers} <= {1, 2, 4, 5}
    assert see(gate).epoch == 5


def test_a_stale_copy_may_propose_a_unit_again_but_never_an_old_line_number(gate, client):
    load(gate, 2)
    saved = {name: client.dump(name) for name in client.keys("*")}
    before = gate.reserve(DROP, [ask("ann")], NOON_MS).proposals[0]
    gate.drop_keys(DROP)
    [client.restore(name, 0, value) for name, value in saved.items()]
    after = gate.reserve(DROP, [ask("ben")], NOON_MS + 1).proposals[0]
    assert (before.units, after.units) == ((1,), (1,))
    assert after.line > before.line


def test_a_wipe_during_the_sale_is_noticed_and_mended(gate, client):
    load(gate, 5)
    reserve_one(gate, "ann")
    client.flushall()
    with pytest.raises(GateNotReady):
        reserve_one(gate, "ben")
    gate.rebuild(DROP, 2, {"var_m": [2, 3]}, [("ann", "var_m", (1,), NOON_MS * 1000)], NOON_MS * 1000)
    assert (reserve_one(gate, "ann").word, reserve_one(gate, "ben").units) == ("already", (2,))
