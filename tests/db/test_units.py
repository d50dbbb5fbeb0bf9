"""Who gets a unit, and what happens to the units of those who lose."""

import json

import pytest
from sqlalchemy.exc import IntegrityError

from claimbot.core.claims import Claim, State
from claimbot.core.drops import Drop
from claimbot.db import units
from claimbot.db.engine import Ledger
from claimbot.db.units import StockCount, Taking
from tests.builders import World, make_claim, make_lead, make_world


@pytest.fixture
def drop(world: World) -> Drop:
    return world.drop(stock_units=5)


@pytest.fixture
def rivals(world: World, drop: Drop) -> tuple[Claim, Claim]:
    """Two claims of the drop that have no units yet."""
    return (
        make_claim(world.ledger, drop, world.first, State.WAITLISTED),
        make_claim(world.ledger, drop, world.second, State.WAITLISTED),
    )


def take(ledger: Ledger, *takings: Taking) -> list[Taking]:
    with ledger.begin() as tx:
        return units.take_units(tx, takings)


def units_of(ledger: Ledger, claim: Claim) -> tuple[int, ...]:
    with ledger.reading() as tx:
        return units.list_units_of(tx, claim.id)


def free_of(ledger: Ledger, drop: Drop) -> list[int]:
    with ledger.reading() as tx:
        return units.list_free(tx, drop.variants[0].id)


def test_a_claim_gets_the_units_that_the_gate_proposed(
    ledger: Ledger, drop: Drop, rivals: tuple[Claim, Claim]
) -> None:
    lost = take(ledger, Taking(rivals[0].id, drop.variants[0].id, (2, 4)))
    assert lost == []
    assert units_of(ledger, rivals[0]) == (2, 4)
    assert free_of(ledger, drop) == [1, 3, 5]


def test_a_unit_that_is_taken_stays_with_its_claim(
    ledger: Ledger, drop: Drop, rivals: tuple[Claim, Claim]
) -> None:
    take(ledger, Taking(rivals[0].id, drop.variants[0].id, (2,)))
    late = Taking(rivals[1].id, drop.variants[0].id, (2,))
    assert take(ledger, late) == [late]
    assert units_of(ledger, rivals[0]) == (2,)


def test_a_claim_that_loses_one_unit_gives_back_all(
    ledger: Ledger, drop: Drop, rivals: tuple[Claim, Claim]
) -> None:
    take(ledger, Taking(rivals[0].id, drop.variants[0].id, (2,)))
    greedy = Taking(rivals[1].id, drop.variants[0].id, (1, 2, 3))
    assert take(ledger, greedy) == [greedy]
    assert units_of(ledger, rivals[1]) == ()
    assert free_of(ledger, drop) == [1, 3, 4, 5]


def test_one_loser_of_a_batch_does_not_cost_the_others_their_units(
    ledger: Ledger, drop: Drop, rivals: tuple[Claim, Claim]
) -> None:
    wins, loses = (
        Taking(rivals[0].id, drop.variants[0].id, (1, 2)),
        Taking(rivals[1].id, drop.variants[0].id, (99,)),
    )
    assert take(ledger, wins, loses) == [loses]
    assert units_of(ledger, rivals[0]) == (1, 2)


@pytest.mark.parametrize("number", [0, 6, 99])
def test_a_unit_that_does_not_exist_cannot_be_taken(
    ledger: Ledger, drop: Drop, rivals: tuple[Claim, Claim], number: int
) -> None:
    wish = Taking(rivals[0].id, drop.variants[0].id, (number,))
    assert take(ledger, wish) == [wish]


def test_nobody_takes_nothing(ledger: Ledger) -> None:
    assert take(ledger) == []


def test_take_any_gives_the_lowest_free_units(
    ledger: Ledger, drop: Drop, rivals: tuple[Claim, Claim]
) -> None:
    take(ledger, Taking(rivals[0].id, drop.variants[0].id, (1, 3)))
    with ledger.begin() as tx:
        got = units.take_any(tx, rivals[1].id, drop.variants[0].id, 2)
    assert got == (2, 4) == units_of(ledger, rivals[1])


def test_take_any_gives_what_is_left(ledger: Ledger, drop: Drop, rivals: tuple[Claim, Claim]) -> None:
    with ledger.begin() as tx:
        assert len(units.take_any(tx, rivals[0].id, drop.variants[0].id, 9)) == 5
        assert units.take_any(tx, rivals[1].id, drop.variants[0].id, 1) == ()


def test_freed_units_can_be_taken_again(ledger: Ledger, drop: Drop, rivals: tuple[Claim, Claim]) -> None:
    take(ledger, Taking(rivals[0].id, drop.variants[0].id, (4, 2)))
    with ledger.begin() as tx:
        assert units.free_units(tx, [rivals[0].id]) == [2, 4]
    assert take(ledger, Taking(rivals[1].id, drop.variants[0].id, (2,))) == []


def test_a_retired_unit_is_never_sold_again(ledger: Ledger, drop: Drop, rivals: tuple[Claim, Claim]) -> None:
    take(ledger, Taking(rivals[0].id, drop.variants[0].id, (2,)))
    with ledger.begin() as tx:
        units.retire_units_of(tx, rivals[0].id)
    wish = Taking(rivals[1].id, drop.variants[0].id, (2,))
    assert take(ledger, wish) == [wish]
    assert free_of(ledger, drop) == [1, 3, 4, 5]


def test_less_stock_retires_the_highest_free_units(
    ledger: Ledger, drop: Drop, rivals: tuple[Claim, Claim]
) -> None:
    take(ledger, Taking(rivals[0].id, drop.variants[0].id, (5,)))
    with ledger.begin() as tx:
        assert units.retire_free(tx, drop.variants[0].id, 2) == [4, 3]
        assert units.count_stock(tx, drop.variants[0].id) == StockCount(3, 1, 2, 2)


def test_more_stock_brings_back_the_lowest_retired_units(ledger: Ledger, drop: Drop) -> None:
    with ledger.begin() as tx:
        units.retire_free(tx, drop.variants[0].id, 3)
        assert units.reopen_retired(tx, drop.variants[0].id, 2) == [3, 4]
    assert free_of(ledger, drop) == [1, 2, 3, 4]


def test_more_units_are_retired_than_are_free(ledger: Ledger, drop: Drop) -> None:
    with ledger.begin() as tx:
        assert len(units.retire_free(tx, drop.variants[0].id, 50)) == 5
        assert units.highest_number(tx, drop.variants[0].id) == 5


def test_a_unit_number_exists_once(ledger: Ledger, drop: Drop) -> None:
    with pytest.raises(IntegrityError), ledger.begin() as tx:
        units.insert_units(tx, drop.variants[0].id, [5])


def test_taken_units_are_listed_by_claim(ledger: Ledger, world: World) -> None:
    drop = world.drop(stock_units=4, words=("TAKEN",))
    pair = make_claim(ledger, drop, world.first, quantity=2)
    single = make_claim(ledger, drop, make_lead(ledger, world.account, "7003"))
    with ledger.reading() as tx:
        assert units.list_taken(tx, [drop.variants[0].id]) == {pair.id: [1, 2], single.id: [3]}
        assert units.count_taken(tx, [pair.id, single.id]) == {pair.id: 2, single.id: 1}


def test_take_any_of_certain_units_takes_no_other(
    ledger: Ledger, drop: Drop, rivals: tuple[Claim, Claim]
) -> None:
    take(ledger, Taking(rivals[0].id, drop.variants[0].id, (3,)))
    with ledger.begin() as tx:
        assert units.take_any(tx, rivals[1].id, drop.variants[0].id, 2, only=[5, 3]) == (5,)
        assert units.take_any(tx, rivals[1].id, drop.variants[0].id, 2, only=[]) == ()


def test_units_of_a_new_drop_are_found_one_by_one(on_postgresql: Ledger) -> None:
    """PostgreSQL has not looked at the table yet: it would read every free unit for each claim."""
    world = make_world(on_postgresql)
    drop = world.drop(stock_units=5_000)
    row = {"claim_id": "clm_1", "variant_id": drop.variants[0].id, "unit_no": 7}

    with on_postgresql.reading() as tx:
        plan = tx.exec_driver_sql(f"EXPLAIN {units.TAKE.postgresql}", (json.dumps([row]),)).scalars().all()

    assert any(
        "Index Cond: ((variant_id = new.variant_id) AND (unit_no = new.unit_no))" in line for line in plan
    )
    assert not any("Hash" in line for line in plan)
