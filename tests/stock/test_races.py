"""Do many threads at once ever get the same unit? A naive gate shows that this test can fail."""

import threading
from collections import Counter
from collections.abc import Callable

from redis import Redis

from claimbot.stock.gate import Gate, GiveBack
from tests.stock.builders import DROP, ask, free_units, load, see

FOLLOWERS = 64
STOCK_UNITS = 50


def at_once(act: Callable[[int], None]) -> None:
    """Runs `act` in 64 threads that start together."""
    barrier = threading.Barrier(FOLLOWERS)

    def wait_and_act(number: int) -> None:
        barrier.wait(20)
        act(number)

    threads = [threading.Thread(target=wait_and_act, args=(number,)) for number in range(FOLLOWERS)]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]


def test_sixty_four_threads_on_fifty_units_never_get_one_twice(gate):
    load(gate, STOCK_UNITS)
    answers = []
    at_once(lambda number: answers.append(gate.reserve(DROP, [ask(f"f{number}")]).proposals[0]))
    units = Counter(unit for answer in answers for unit in answer.units)
    assert (set(units), set(units.values())) == (set(range(1, STOCK_UNITS + 1)), {1})
    assert Counter(answer.word for answer in answers) == {
        "held": STOCK_UNITS,
        "full": FOLLOWERS - STOCK_UNITS,
    }
    assert len({answer.line for answer in answers}) == FOLLOWERS


def test_one_follower_in_sixty_four_threads_gets_one_unit(gate):
    load(gate, STOCK_UNITS)
    answers = []
    at_once(lambda _: answers.append(gate.reserve(DROP, [ask("ann")]).proposals[0]))
    assert {(answer.units, answer.line) for answer in answers} == {((1,), answers[0].line)}
    assert len(free_units(gate)) == STOCK_UNITS - 1


def _ask_and_give_back(gate: Gate, number: int) -> None:
    units = gate.reserve(DROP, [ask(f"f{number}")]).proposals[0].units
    gate.release(DROP, 1, [GiveBack(f"f{number}", "var_m", units)])


def test_what_everybody_gives_back_is_all_there(gate):
    load(gate, FOLLOWERS)
    at_once(lambda number: _ask_and_give_back(gate, number))
    assert free_units(gate) == set(range(1, FOLLOWERS + 1))
    assert see(gate).given == {}


def test_two_who_read_before_they_write_would_get_the_same_unit(plain: Redis):
    load(Gate(plain), STOCK_UNITS)
    between = threading.Barrier(FOLLOWERS)
    units = []

    def naive(_: int) -> None:
        member = plain.zrange("cb1:{d:drp_1}:free", 0, 0)[0]
        between.wait(20)
        plain.zrem("cb1:{d:drp_1}:free", member)
        units.append(member)

    at_once(naive)
    assert len(units) > len(set(units))
