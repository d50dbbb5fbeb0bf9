"""Does the breaker open after failures in a row, and try again now and then?"""

import threading

import pytest

from claimbot.core.errors import StockUnavailable
from claimbot.stock.breaker import Breaker
from claimbot.stock.connect import connect
from claimbot.stock.gate import Gate
from tests.stock.builders import DROP, ask


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def opened(clock):
    breaker = Breaker(failures=3, probe_seconds=2.0, clock=clock)
    [breaker.failed() for _ in range(3)]
    return breaker


def test_it_stays_closed_until_the_failures_are_in_a_row(clock):
    breaker = Breaker(failures=3, clock=clock)
    [act() for act in (breaker.failed, breaker.failed, breaker.worked, breaker.failed, breaker.failed)]
    breaker.check()
    assert not breaker.is_open


def test_open_it_refuses_at_once_and_says_when_to_come_back(opened, clock):
    clock.seconds += 0.5
    with pytest.raises(StockUnavailable) as refusal:
        opened.check()
    assert refusal.value.retry_after_seconds == 1.5


def test_open_it_lets_one_probe_through_each_two_seconds(opened, clock):
    clock.seconds += 2
    opened.check()
    with pytest.raises(StockUnavailable):
        opened.check()
    clock.seconds += 2
    opened.check()


def test_a_failed_probe_keeps_it_open_and_a_good_one_closes_it(opened, clock):
    clock.seconds += 2
    opened.check()
    opened.failed()
    assert opened.is_open
    opened.worked()
    opened.check()
    assert not opened.is_open


@pytest.mark.parametrize(("probe", "is_open"), [(lambda: True, False), (lambda: 1 // 0, True)])
def test_with_a_probe_of_its_own_no_call_has_to_try(clock, probe, is_open):
    tried = threading.Event()
    breaker = Breaker(failures=1, clock=clock, probe=lambda: (tried.set(), probe()))
    breaker.failed()
    clock.seconds += 2
    with pytest.raises(StockUnavailable):
        breaker.check()
    assert tried.wait(5)
    [thread.join(5) for thread in threading.enumerate() if thread.name == "probe"]
    assert breaker.is_open == is_open


def why_refused(gate: Gate) -> str:
    with pytest.raises(StockUnavailable) as refusal:
        gate.reserve(DROP, [ask("ann")])
    return str(refusal.value)


def test_a_gate_without_redis_stops_asking(tmp_path, clock):
    gate = Gate(connect(f"unix://{tmp_path}/nobody.sock"), Breaker(failures=2, clock=clock))
    reasons = [why_refused(gate) for _ in range(3)]
    assert reasons[:2] == ["Redis did not answer: ConnectionError"] * 2
    assert reasons[2] == "Redis has failed several times and is left alone"
