"""Do all workers together stay inside a limit, and does a worker without Redis still go on?"""

from collections import Counter

from redis import Redis

from claimbot.stock.breaker import Breaker
from claimbot.stock.budgets import Budgets, Lane
from claimbot.stock.connect import connect


def test_what_is_inside_the_budget_goes_at_once_and_the_rest_waits(client):
    budgets = Budgets(client)
    waits = [budgets.spend("send:acc_1", "5/minute") for _ in range(7)]
    assert waits[:5] == [0.0] * 5
    assert all(0 < wait <= 60 for wait in waits[5:])


def test_two_workers_share_one_budget(client):
    first, second = Budgets(client), Budgets(client)
    words = Counter(worker.spend("stripe:brd_1", "6/hour") == 0 for worker in [first, second] * 5)
    assert words == {True: 6, False: 4}


def test_scopes_do_not_share(client):
    budgets = Budgets(client)
    assert [budgets.spend(scope, "1/hour") for scope in ("send:acc_1", "send:acc_2")] == [0.0, 0.0]
    assert budgets.spend("send:acc_1", "1/hour") > 0


def test_a_cost_counts_and_one_above_the_whole_budget_still_passes_alone(client):
    budgets = Budgets(client)
    assert (budgets.spend("send:acc_1", "4/hour", cost=3), budgets.spend("send:acc_2", "4/hour", cost=9)) == (
        0.0,
        0.0,
    )
    assert budgets.spend("send:acc_1", "4/hour", cost=2) > 0


def test_every_key_of_a_budget_ends_by_itself(plain: Redis):
    Budgets(plain).spend("send:acc_1", "4/hour")
    names = plain.keys("*")
    assert all(name.startswith(b"cb1:budget:") for name in names)
    assert all(0 < plain.ttl(name) <= 7200 for name in names)


def test_without_redis_a_worker_counts_for_itself(tmp_path):
    breaker = Breaker(failures=2)
    budgets = Budgets(connect(f"unix://{tmp_path}/nobody.sock"), breaker)
    waits = [budgets.spend("send:acc_1", "3/hour") for _ in range(5)]
    assert [wait == 0 for wait in waits] == [True, True, True, False, False]
    assert breaker.is_open


def test_turns_are_evenly_spread_and_a_long_line_is_sent_away():
    lane = Lane()
    assert [lane.join(100.0, 0.5, patience_seconds=1.0) for _ in range(3)] == [
        (0.0, True),
        (0.5, True),
        (1.0, True),
    ]
    # They come back one after the other, behind those who wait here.
    assert [lane.join(100.0, 0.5, patience_seconds=1.0) for _ in range(2)] == [(2.0, False), (2.5, False)]


def test_who_was_sent_away_finds_a_turn_when_they_come_back():
    lane = Lane()
    for _ in range(4):
        lane.join(100.0, 0.5, patience_seconds=1.0)
    assert lane.join(102.0, 0.5, patience_seconds=1.0) == (0.0, True)


def test_a_patient_worker_passes_where_another_is_sent_away(client):
    budgets = Budgets(client)
    patient = budgets.patient(5.0)
    assert [patient.wait_turn("send:acc_1", "20/second") for _ in range(25)] == [0.0] * 25
    assert [wait == 0 for wait in (budgets.wait_turn("send:acc_2", "1/hour") for _ in range(2))] == [
        True,
        False,
    ]


def test_a_patient_worker_does_not_wait_for_an_hour(client):
    patient = Budgets(client).patient(0.01)
    waits = [patient.wait_turn("send:acc_1", "1/hour") for _ in range(2)]
    assert waits[0] == 0.0
    assert waits[1] > 60
