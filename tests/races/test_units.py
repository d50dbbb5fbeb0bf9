"""Can more be given away than there is? Crowds of threads and processes try, with and without our rule."""

import threading
from collections.abc import Sequence

import pytest

from claimbot.core.claims import State
from claimbot.core.drops import Drop
from claimbot.db import units
from claimbot.db.engine import Ledger, make_engine
from claimbot.db.units import StockCount, Taking
from tests.builders import World, make_claim, make_lead
from tests.crowd import at_once, in_processes
from tests.races.naive_units import take_naively

CROWD = 64
PROCESSES = 4
STOCKS = [1, 7]
# Stock → how often each thread asks: there are always more who ask than units.
ASKS = {1: 1, 7: 1, 100: 3}


def claims_of_a_crowd(world: World, drop: Drop, count: int = CROWD) -> list[str]:
    """So many followers, each with a claim that has no unit yet."""
    people = [make_lead(world.ledger, world.account, f"crowd{number}") for number in range(count)]
    return [make_claim(world.ledger, drop, one, State.WAITLISTED).id for one in people]


def take_any(ledger: Ledger, claim_id: str, variant_id: str) -> tuple[int, ...]:
    with ledger.begin() as tx:
        return units.take_any(tx, claim_id, variant_id, 1)


def take_all_of(ledger: Ledger, claim_id: str, variant_id: str, wanted: Sequence[int]) -> tuple[int, ...]:
    """What a gate that is wrong would propose: the same units to everybody."""
    # As every story is run: whom the database rolled back to untie a knot begins again.
    lost = ledger.run(lambda tx: units.take_units(tx, [Taking(claim_id, variant_id, tuple(wanted))]))
    return () if lost else tuple(wanted)


def take_any_in_a_process(url: str, claim_ids: Sequence[str], variant_id: str) -> list[tuple[int, ...]]:
    # PostgreSQL lets a hundred in, and there are four of us.
    ledger = Ledger(make_engine(url, connections=8))
    try:
        return at_once(len(claim_ids), lambda number: take_any(ledger, claim_ids[number], variant_id))
    finally:
        ledger.close()


def stock_of(ledger: Ledger, drop: Drop) -> StockCount:
    with ledger.reading() as tx:
        return units.count_stock(tx, drop.variants[0].id)


@pytest.mark.parametrize("stock_units", ASKS)
def test_a_crowd_that_takes_any_unit_gets_each_once(ledger: Ledger, world: World, stock_units: int) -> None:
    drop = world.drop(stock_units=stock_units)
    claim_ids = claims_of_a_crowd(world, drop, CROWD * ASKS[stock_units])

    def take(number: int) -> list[tuple[int, ...]]:
        mine = claim_ids[number::CROWD]
        return [take_any(ledger, claim_id, drop.variants[0].id) for claim_id in mine]

    got = [one for asks in at_once(CROWD, take) for one in asks]
    assert sorted(unit for one in got for unit in one) == list(range(1, stock_units + 1))
    assert stock_of(ledger, drop) == StockCount(stock_units, stock_units, 0, 0)


@pytest.mark.parametrize("stock_units", STOCKS)
def test_a_crowd_that_is_proposed_the_same_units_gets_each_once(
    ledger: Ledger, world: World, stock_units: int
) -> None:
    drop = world.drop(stock_units=stock_units)
    claim_ids = claims_of_a_crowd(world, drop)

    def take(number: int) -> tuple[int, ...]:
        return take_all_of(ledger, claim_ids[number], drop.variants[0].id, [number % stock_units + 1])

    got = at_once(CROWD, take)
    assert sorted(unit for one in got for unit in one) == list(range(1, stock_units + 1))
    assert stock_of(ledger, drop) == StockCount(stock_units, stock_units, 0, 0)


def test_of_a_crowd_that_wants_overlapping_units_nobody_keeps_a_part(ledger: Ledger, world: World) -> None:
    drop = world.drop(stock_units=7)
    claim_ids = claims_of_a_crowd(world, drop)

    def take(number: int) -> tuple[int, ...]:
        first = number % 6 + 1
        return take_all_of(ledger, claim_ids[number], drop.variants[0].id, [first + 1, first])

    got = at_once(CROWD, take)
    with ledger.reading() as tx:
        kept = units.list_taken(tx, [drop.variants[0].id])
    assert kept == {claim: sorted(pair) for claim, pair in zip(claim_ids, got, strict=True) if pair}
    assert stock_of(ledger, drop).taken == 2 * len(kept)


@pytest.mark.parametrize("stock_units", ASKS)
def test_processes_that_take_any_unit_get_each_once(ledger: Ledger, world: World, stock_units: int) -> None:
    drop = world.drop(stock_units=stock_units)
    claim_ids = claims_of_a_crowd(world, drop, 2 * CROWD if stock_units == 100 else CROWD)
    url = ledger.engine.url.render_as_string(hide_password=False)
    calls = [(url, claim_ids[number::PROCESSES], drop.variants[0].id) for number in range(PROCESSES)]
    got = [one for process in in_processes(take_any_in_a_process, calls) for one in process]
    assert sorted(unit for one in got for unit in one) == list(range(1, stock_units + 1))
    assert stock_of(ledger, drop) == StockCount(stock_units, stock_units, 0, 0)


@pytest.mark.parametrize("stock_units", STOCKS)
def test_the_naive_way_oversells_so_these_tests_can_fail(
    ledger: Ledger, world: World, stock_units: int
) -> None:
    drop = world.drop(stock_units=stock_units)
    claim_ids = claims_of_a_crowd(world, drop)
    all_have_looked = threading.Barrier(CROWD)

    def take(number: int) -> tuple[int, ...]:
        return take_naively(ledger, claim_ids[number], drop.variants[0].id, lambda: all_have_looked.wait(30))

    got = at_once(CROWD, take)
    assert len([one for one in got if one]) > stock_units
