"""After any walk of verbs, wipes and clocks that go back: is every unit in at most one place?

The model is what a careful person would write down beside the gate.
"""

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as walk
from redis import Redis

from claimbot.stock.gate import Gate, GateNotReady, GiveBack, Move
from tests.stock.builders import DROP, NOON_MS, ask, see

FOLLOWERS = st.sampled_from(["ann", "ben", "cem", "dan", "eva"])
VARIANTS = st.sampled_from(["m", "ml"])
STOCK = {"m": set(range(1, 6)), "ml": set(range(1, 4))}


class GateWalk(RuleBasedStateMachine):
    client: Redis

    @initialize()
    def open(self) -> None:
        self.client.flushall()
        self.gate = Gate(self.client)
        self.free: dict[str, set[int]] = {name: set(units) for name, units in STOCK.items()}
        self.given: dict[str, tuple[str, set[int]]] = {}
        self.epoch, self.last_line, self.is_loaded = 0, 0, False
        self.rebuild()

    @rule()
    def rebuild(self) -> None:
        self.epoch += 1
        grants = self._grants()
        aside = [(what, units) for who, (what, units) in self.given.items() if who[0] == "~"]
        [self.free[what].update(units) for what, units in aside]
        self.given = {who: entry for who, entry in self.given.items() if who[0] != "~"}
        assert self.gate.rebuild(DROP, self.epoch, self.free, grants, self.last_line) == "swapped"
        self.is_loaded = True

    @rule()
    def rebuild_with_an_old_epoch(self) -> None:
        word = "stale" if self.is_loaded else "swapped"
        epoch = self.epoch - 1 if self.is_loaded else self.epoch
        assert self.gate.rebuild(DROP, epoch, self.free, self._grants(), self.last_line) == word
        self.is_loaded = True

    def _grants(self) -> list[tuple[str, str, list[int], int]]:
        return [(who, what, sorted(units), 1) for who, (what, units) in self.given.items() if who[0] != "~"]

    @rule()
    def wipe(self) -> None:
        self.client.flushall()
        self.is_loaded = False
        [self.free[what].update(units) for who, (what, units) in self.given.items() if who[0] == "~"]
        self.given = {who: entry for who, entry in self.given.items() if who[0] != "~"}

    @rule(
        who=FOLLOWERS,
        what=VARIANTS,
        quantity=st.integers(1, 4),
        partial=st.booleans(),
        back=st.integers(0, 9),
    )
    def reserve(self, who: str, what: str, quantity: int, partial: bool, back: int) -> None:
        if not self.is_loaded:
            with pytest.raises(GateNotReady):
                self.gate.reserve(DROP, [ask(who, quantity, what, partial)])
            return
        answer = self.gate.reserve(DROP, [ask(who, quantity, what, partial)], NOON_MS - back).proposals[0]
        if who in self.given:
            assert (answer.word, answer.variant_id, set(answer.units)) == ("already", *self.given[who])
            return
        expected = sorted(self.free[what])[:quantity]
        expected = expected if partial or len(expected) == quantity else []
        assert (answer.word, list(answer.units)) == ("held" if expected else "full", expected)
        assert answer.line > self.last_line
        self.last_line = answer.line
        self._give(who, what, set(expected))

    def _give(self, who: str, what: str, units: set[int]) -> None:
        self.free[what] -= units
        self.given = {**self.given, who: (what, units)} if units else self.given

    @precondition(lambda self: self.given)
    @rule(data=st.data(), is_late=st.booleans())
    def release(self, data: st.DataObject, is_late: bool) -> None:
        who = data.draw(st.sampled_from(sorted(self.given)))
        what, held = self.given[who]
        units = data.draw(st.sets(st.sampled_from(sorted(held)), min_size=1))
        epoch = self.epoch - 1 if is_late else self.epoch
        word = "stale" if is_late or not self.is_loaded else "released"
        assert self.gate.release(DROP, epoch, [GiveBack(who, what, tuple(units))]) == (word,)
        if word == "stale":
            return
        self.free[what] |= units
        self._keep(who, what, held - units)

    def _keep(self, who: str, what: str, units: set[int]) -> None:
        del self.given[who]
        self.given = {**self.given, who: (what, units)} if units else self.given

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def sell(self, data: st.DataObject) -> None:
        who = data.draw(st.sampled_from(sorted(self.given)))
        assert self.gate.forget(DROP, [who]) == int(self.is_loaded)
        del self.given[who]

    @precondition(lambda self: self.is_loaded)
    @rule(what=VARIANTS, most=st.integers(1, 3), back=st.integers(0, 9))
    def take(self, what: str, most: int, back: int) -> None:
        taken = self.gate.take(DROP, what, most, NOON_MS - back)
        assert list(taken.units) == sorted(self.free[what])[:most]
        self._give(taken.held_by, what, set(taken.units))
        self.last_line = max(self.last_line, int(taken.held_by.rpartition(":")[2] or 0))

    @precondition(lambda self: self.is_loaded and self.given)
    @rule(data=st.data(), who=FOLLOWERS)
    def assign(self, data: st.DataObject, who: str) -> None:
        source = data.draw(st.sampled_from(sorted(self.given)))
        what, held = self.given[source]
        units = data.draw(st.sets(st.sampled_from(sorted(held)), min_size=1))
        word = self.gate.assign(DROP, self.epoch, Move(who, what, tuple(units), 1, source))
        if who in self.given:
            assert word == ("assigned" if self.given[who] == (what, units) else "already")
            return
        assert word == "assigned"
        self._keep(source, what, held - units)
        self._give(who, what, units)

    @precondition(lambda self: self.is_loaded)
    @rule(what=VARIANTS)
    def restock_everything(self, what: str) -> None:
        assert self.gate.restock(DROP, self.epoch, what, sorted(STOCK[what])) == "restocked"
        held = set(itertools.chain(*(units for owned, units in self.given.values() if owned == what)))
        self.free[what] = STOCK[what] - held

    @invariant()
    def the_gate_is_as_written_down(self) -> None:
        if not self.is_loaded:
            assert self.gate.snapshot(DROP) is None
            return
        seen = see(self.gate)
        assert seen.free == {what: units for what, units in self.free.items() if units}
        assert {who: (entry[0], set(entry[3])) for who, entry in seen.given.items()} == self.given
        assert (seen.epoch, seen.line) == (self.epoch, self.last_line)

    @invariant()
    def a_unit_is_in_one_place(self) -> None:
        seen = self.gate.snapshot(DROP)
        places = list(_places(seen.free, seen.given)) if seen else []
        assert len(places) == len(set(places))


def _places(free: dict[str, frozenset[int]], given: dict[str, tuple]) -> Iterator[tuple[str, int]]:
    yield from ((what, unit) for what, units in free.items() for unit in units)
    yield from ((entry[0], unit) for entry in given.values() for unit in entry[3])


def test_no_walk_puts_a_unit_in_two_places(redis_client: Redis) -> None:
    machine = type("Walk", (GateWalk,), {"client": redis_client})
    few = settings(max_examples=80, stateful_step_count=40, deadline=None, suppress_health_check=HealthCheck)
    walk(machine, settings=few)
