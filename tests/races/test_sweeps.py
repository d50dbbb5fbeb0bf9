"""Can several clocks that end the same holds serve a unit twice? With and without our rule."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from claimbot.db.engine import Ledger
from claimbot.flows.expire import sweep_due
from claimbot.flows.sweep import serve_lines
from claimbot.parts import Parts
from tests.crowd import at_once
from tests.flows.play import Play, make_play, names
from tests.invariants import assert_invariants, breaches
from tests.ledgers import open_ledger
from tests.races.naive_sweep import sweep_naively

SWEEPERS = 4
STOCKS = [1, 7, 30]


@pytest.fixture
def play(ledger: Ledger, redis_url: str) -> Play:
    return make_play(ledger, redis_url)


@pytest.fixture
def clocks(play: Play) -> Iterator[list[Parts]]:
    """Each with connections of its own, as on hosts of their own."""
    url = play.ledger.engine.url.render_as_string(hide_password=False)
    with ExitStack() as stack:
        ledgers = [stack.enter_context(open_ledger(url)) for _ in range(SWEEPERS)]
        yield [replace(play.parts, ledger=one) for one in ledgers]


def holds_that_are_over(play: Play, stock_units: int) -> list[str]:
    """No session was shown, so each ends at once. The claims of the line, twice as many, in its order."""
    play.drop(stock_units=stock_units)
    play.write(*((who, "LAUNCH") for who in names(3 * stock_units)))
    over = play.clock() - timedelta(minutes=5)
    with play.ledger.begin() as tx:
        statement = "UPDATE claims SET told_at = :at, hold_expires_at = :at WHERE state = 'held'"
        tx.execute(text(statement), {"at": over})
    return [row[0] for row in play.rows("SELECT id FROM claims WHERE state = 'waitlisted' ORDER BY line")]


@pytest.mark.matrix(40)
@pytest.mark.parametrize("stock_units", STOCKS)
def test_sweepers_that_race_end_each_hold_once_and_serve_the_line_in_order(
    play: Play, clocks: list[Parts], stock_units: int
) -> None:
    line = holds_that_are_over(play, stock_units)

    ended = at_once(SWEEPERS, lambda number: sweep_due(clocks[number]) + sweep_due(clocks[number]))
    served = at_once(SWEEPERS, lambda number: serve_lines(clocks[number]))

    assert (sum(ended), sum(served)) == (stock_units, 0)
    held = play.rows("SELECT id FROM claims WHERE state = 'held' ORDER BY line")
    assert [row[0] for row in held] == line[:stock_units]
    promoted = "SELECT count(*) FROM outbox WHERE dedupe_key LIKE 'promoted:%'"
    assert play.rows(promoted) == [(stock_units,)]
    assert_invariants(play.parts)


@pytest.mark.parametrize("stock_units", STOCKS)
def test_sweepers_that_do_not_ask_who_ended_a_hold_serve_too_many_so_these_tests_can_fail(
    play: Play, clocks: list[Parts], stock_units: int
) -> None:
    holds_that_are_over(play, stock_units)
    all_have_looked = threading.Barrier(SWEEPERS)

    def sweep(number: int) -> int:
        return sweep_naively(clocks[number].ledger, play.clock(), lambda: all_have_looked.wait(30))

    ended = at_once(SWEEPERS, sweep)

    assert sum(ended) == SWEEPERS * stock_units
    assert play.states()["held"] > stock_units
    assert any(one.startswith("I1") for one in breaches(play.ledger))
