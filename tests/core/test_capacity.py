"""Does the forecast of a launch say what a person would work out by hand?"""

from dataclasses import replace
from typing import Any

import pytest

from claimbot.core.capacity import (
    BUDGETS,
    Database,
    LaunchPlan,
    SendBudget,
    Speeds,
    forecast,
    needs_of,
)

SPEEDS = Speeds({Database.SQLITE: 1_000, Database.POSTGRESQL: 1_000}, 200, 30_000)
INSTAGRAM = SendBudget(100, 1)


def plan(**changes: Any) -> LaunchPlan:
    """Five thousand followers in a minute for five hundred units."""
    usual = LaunchPlan(followers=5_000, units=500, minutes=1, budget=INSTAGRAM, pay_percent=100)
    return replace(usual, **changes)


def test_everybody_is_answered_when_the_budget_has_let_all_of_them_through() -> None:
    found = forecast(plan(minutes=0.1), SPEEDS)

    assert found.everybody_answered_seconds == 50
    assert found.sends == 5_000


def test_winners_are_told_before_those_who_hear_a_place() -> None:
    assert forecast(plan(minutes=0.1), SPEEDS).winners_told_seconds == 5


def test_a_second_account_halves_the_wait() -> None:
    assert forecast(plan(minutes=0.1, accounts=2), SPEEDS).everybody_answered_seconds == 25


def test_sessions_are_made_at_stripes_pace() -> None:
    found = forecast(plan(minutes=0.1), SPEEDS)

    # Twenty a second, the first of them in the second after their winner was told.
    assert found.sessions_made_seconds == 500 / 20 + 1


def test_an_unpaid_unit_goes_to_the_next_in_line() -> None:
    found = forecast(plan(pay_percent=50, units=2, followers=10), SPEEDS)

    assert found.sold == 2
    assert found.sends == 10 + 2
    assert found.sold_out_seconds is not None
    assert found.sold_out_seconds > 16 * 60


def test_nothing_is_sold_twice_when_fewer_write_than_there_are_units() -> None:
    found = forecast(plan(followers=50), SPEEDS)

    assert (found.sold, found.sends) == (50, 50)


def test_who_cannot_be_answered_within_the_window_is_counted() -> None:
    slow = SendBudget(1, 3_600)

    found = forecast(plan(budget=slow, followers=100, units=1), SPEEDS)

    assert found.everybody_answered_seconds is None
    assert found.unanswered == 100 - found.sends
    assert found.sends == pytest.approx(24, abs=1)


def test_a_limit_of_the_day_holds_over_any_number_of_windows() -> None:
    found = forecast(plan(budget=BUDGETS["x"], followers=3_000, units=10), SPEEDS)

    assert found.everybody_answered_seconds is not None
    assert found.everybody_answered_seconds >= 2 * 24 * 3_600


@pytest.mark.parametrize(
    ("followers", "database", "web_processes"),
    [(600, Database.SQLITE, 1), (42_000, Database.SQLITE, 1), (60_000, Database.POSTGRESQL, 2)],
)
def test_one_process_on_sqlite_is_enough_until_it_is_no_longer(
    followers: int, database: Database, web_processes: int
) -> None:
    needs = needs_of(plan(followers=followers), SPEEDS)

    assert (needs.database, needs.web_processes) == (database, web_processes)


def test_a_drop_that_asks_more_of_one_redis_than_it_gives_is_named() -> None:
    needs = needs_of(plan(followers=4_000_000), SPEEDS)

    assert needs.is_gate_full
    assert needs.taken_in_per_second == SPEEDS.gate_claims_per_second


def test_workers_keep_up_with_the_budget() -> None:
    assert needs_of(plan(accounts=8, followers=100_000), SPEEDS).worker_processes == 4


def test_what_arrives_faster_than_it_is_taken_in_waits() -> None:
    tired = replace(SPEEDS, gate_claims_per_second=10)

    assert forecast(plan(followers=600), tired).taken_in_seconds == pytest.approx(60, abs=1)
    assert forecast(plan(followers=1_200), tired).taken_in_seconds == pytest.approx(120, abs=1)
