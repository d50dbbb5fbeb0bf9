"""How does a drop come to life, change and end while people write?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from claimbot.core.drops import Drop, DropKind, DropState, Variant
from claimbot.core.errors import Refused
from claimbot.db import audit, drops
from claimbot.flows.launch import NewDrop, close_drop, create_drop, open_drop, pause_drop, restock
from tests.builders import PRICE
from tests.engine import Engine
from tests.flows.looks import claim_of, outcome_of, state_of, taken_units


def new_drop(engine: Engine, stock: Mapping[str, int] | None = None, **changes: Any) -> NewDrop:
    drop = Drop(
        id="",
        brand_id=engine.brand.id,
        name="Night Jacket",
        kind=DropKind.PAID,
        state=DropState.OPEN,
        price=PRICE,
        variants=(Variant("", "S", "Small"), Variant("", "M", "Medium")),
    )
    return NewDrop(replace(drop, **changes), stock or {"S": 1, "M": 2}, ["LAUNCH"])


def stock_of(engine: Engine) -> list[tuple[Any, ...]]:
    """(state, how many) of all units."""
    return engine.rows("SELECT state, count(*) FROM units GROUP BY state ORDER BY state")


def audit_lines(engine: Engine) -> list[str]:
    return [row[0] for row in engine.rows("SELECT action FROM audit ORDER BY id")]


def test_a_drop_is_a_draft_until_it_is_opened(engine: Engine) -> None:
    drop = create_drop(engine.parts, "mia", new_drop(engine))
    engine.parts.catalog(is_fresh=True)
    engine.dm("ana", "LAUNCH S")
    assert (outcome_of(engine, "ana"), stock_of(engine)) == ("not_open_yet", [("open", 3)])
    open_drop(engine.parts, "mia", drop.id)
    engine.dm("ana", "LAUNCH S")
    assert outcome_of(engine, "ana") == "held"
    assert audit_lines(engine) == ["drop_created", "drop_opened"]


def test_all_faults_of_a_drop_are_told_at_once(sqlite_engine: Engine) -> None:
    bad = new_drop(sqlite_engine, {"S": -1, "M": 2}, name=" ", hold_minutes=0)
    with pytest.raises(Refused) as refusal:
        create_drop(sqlite_engine.parts, "mia", bad)
    assert len(str(refusal.value).splitlines()) == 3
    assert sqlite_engine.rows("SELECT count(*) FROM drops") == [(0,)]


def test_a_word_of_another_live_drop_is_refused_by_name(engine: Engine) -> None:
    create_drop(engine.parts, "mia", new_drop(engine, name="Winter Lamp"))
    with pytest.raises(Refused, match="Winter Lamp"):
        create_drop(engine.parts, "mia", replace(new_drop(engine), words=["launch!"]))


def test_the_word_of_a_closed_drop_is_free_again(sqlite_engine: Engine) -> None:
    first = create_drop(sqlite_engine.parts, "mia", new_drop(sqlite_engine))
    open_drop(sqlite_engine.parts, "mia", first.id)
    close_drop(sqlite_engine.parts, "mia", first.id)
    second = create_drop(sqlite_engine.parts, "mia", new_drop(sqlite_engine))
    open_drop(sqlite_engine.parts, "mia", second.id)
    sqlite_engine.parts.catalog(is_fresh=True)
    sqlite_engine.dm("ana", "LAUNCH M")
    assert claim_of(sqlite_engine, "ana").drop_id == second.id


def test_the_word_of_two_closed_drops_speaks_of_the_newer(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(state=DropState.CLOSED, name="Old Lamp")
    sqlite_engine.drop(state=DropState.CLOSED, name="New Lamp")
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    assert "New Lamp is closed" in sqlite_engine.heard("ana")[0]


def test_a_pause_takes_no_claims_and_promotes_nobody(engine: Engine) -> None:
    drop = engine.drop(stock_units=1)
    assert [engine.dm(who) for who in ("ana", "ben", "cleo")] == [200] * 3
    engine.work()
    pause_drop(engine.parts, "mia", drop.id)
    engine.dm("ana", "PASS")
    engine.dm("dora")
    engine.work()
    restock(engine.parts, "mia", drop.variants[0].id, 2)
    assert (engine.chore("lines"), taken_units(engine)) == (0, [])
    assert outcome_of(engine, "dora") == "paused"
    open_drop(engine.parts, "mia", drop.id)
    assert [state_of(engine, who) for who in ("ben", "cleo")] == ["held", "held"]


def test_new_units_go_to_the_line_first(engine: Engine) -> None:
    drop = engine.drop(stock_units=1)
    assert [engine.dm(who) for who in ("ana", "ben")] == [200] * 2
    restock(engine.parts, "mia", drop.variants[0].id, 3)
    engine.dm("cleo")
    engine.dm("dora")
    assert engine.states() == {"held": 3, "waitlisted": 1}
    assert (state_of(engine, "dora"), taken_units(engine)) == ("waitlisted", [1, 2, 3])


@pytest.mark.matrix(42)
def test_units_that_are_taken_cannot_be_taken_away(engine: Engine) -> None:
    drop = engine.drop(stock_units=5)
    assert [engine.dm(who) for who in ("ana", "ben")] == [200] * 2
    with pytest.raises(Refused, match="the smallest possible stock is 2"):
        restock(engine.parts, "mia", drop.variants[0].id, 1)
    assert stock_of(engine) == [("open", 5)]


def test_less_stock_retires_only_free_units(engine: Engine) -> None:
    drop = engine.drop(stock_units=5)
    engine.dm("ana")
    restock(engine.parts, "mia", drop.variants[0].id, 2)
    assert stock_of(engine) == [("open", 2), ("retired", 3)]
    assert [engine.dm(who) for who in ("ben", "cleo")] == [200] * 2
    assert engine.states() == {"held": 2, "waitlisted": 1}
    restock(engine.parts, "mia", drop.variants[0].id, 6)
    assert (stock_of(engine), taken_units(engine)) == ([("open", 6)], [1, 2, 3])


@pytest.mark.matrix(11)
def test_a_unit_proposed_before_it_was_retired_is_not_sold(engine: Engine) -> None:
    drop = engine.drop(stock_units=2)
    engine.dm("ana")
    with engine.parts.ledger.begin() as tx:
        tx.exec_driver_sql("UPDATE units SET state = 'retired' WHERE claim_id IS NULL")
    engine.dm("ben")
    assert (state_of(engine, "ben"), taken_units(engine)) == ("waitlisted", [1])
    assert engine.parts.gate.snapshot(drop.id) is not None


@pytest.mark.matrix(43)
def test_a_hold_is_paid_at_the_price_it_was_offered_at(engine: Engine) -> None:
    drop = engine.drop(stock_units=2)
    engine.dm("ana")
    with engine.parts.ledger.begin() as tx:
        drops.mark_drop(tx, drop, price_minor=19_900)
    engine.parts.catalog(is_fresh=True)
    engine.dm("ben")
    engine.work()
    [engine.pay(who) for who in ("ana", "ben")]
    paid = engine.rows("SELECT paid_minor FROM claims WHERE state = 'sold' ORDER BY line")
    assert paid == [(12_900,), (19_900,)]


@pytest.mark.matrix(43)
def test_closing_ends_the_line_and_leaves_the_holds(engine: Engine) -> None:
    drop = engine.drop(stock_units=1)
    assert [engine.dm(who) for who in ("ana", "ben")] == [200] * 2
    engine.work()
    close_drop(engine.parts, "mia", drop.id)
    engine.dm("cleo")
    assert (state_of(engine, "ana"), state_of(engine, "ben")) == ("held", "closed")
    assert outcome_of(engine, "cleo") == "closed"
    engine.pay("ana")
    assert state_of(engine, "ana") == "sold"


def test_a_word_is_known_in_the_very_moment_in_which_its_drop_opens(engine: Engine) -> None:
    engine.parts.catalog(is_fresh=True)
    drop = create_drop(engine.parts, "mia", new_drop(engine))
    open_drop(engine.parts, "mia", drop.id)
    engine.dm("ana", "LAUNCH S")
    assert (outcome_of(engine, "ana"), state_of(engine, "ana")) == ("held", "held")


def test_everybody_in_the_line_is_told_that_it_is_over(engine: Engine) -> None:
    drop = engine.drop(stock_units=1)
    assert [engine.dm(who) for who in ("ana", "ben", "cleo", "dora")] == [200] * 4
    engine.dm("cleo", "STOP")
    engine.dm("dora", "PASS")
    engine.work()
    close_drop(engine.parts, "mia", drop.id)
    engine.work()
    over = [who for who in ("ana", "ben", "cleo", "dora") if "is closed now" in engine.heard(who)[-1]]
    assert over == ["ben"]


def test_who_cannot_be_reached_any_more_is_not_written_to(sqlite_engine: Engine) -> None:
    drop = sqlite_engine.drop(stock_units=1)
    assert [sqlite_engine.dm(who) for who in ("ana", "ben")] == [200] * 2
    sqlite_engine.work()
    sqlite_engine.pass_time(hours=24)
    close_drop(sqlite_engine.parts, "mia", drop.id)
    assert state_of(sqlite_engine, "ben") == "closed"
    assert sqlite_engine.rows("SELECT id FROM outbox WHERE dedupe_key LIKE 'line_closed:%'") == []


def test_a_unit_that_comes_back_after_the_end_goes_to_nobody(sqlite_engine: Engine) -> None:
    drop = sqlite_engine.drop(stock_units=1)
    assert [sqlite_engine.dm(who) for who in ("ana", "ben")] == [200] * 2
    sqlite_engine.work()
    close_drop(sqlite_engine.parts, "mia", drop.id)
    sqlite_engine.dm("ana", "PASS")
    sqlite_engine.work()
    assert sqlite_engine.states() == {"closed": 1, "passed": 1}
    assert (sqlite_engine.chore("lines"), taken_units(sqlite_engine)) == (0, [])


def test_a_closed_drop_stays_closed(sqlite_engine: Engine) -> None:
    drop = sqlite_engine.drop()
    close_drop(sqlite_engine.parts, "mia", drop.id)
    with pytest.raises(Refused, match="stays closed"):
        open_drop(sqlite_engine.parts, "mia", drop.id)
    with pytest.raises(Refused, match="this one is closed"):
        pause_drop(sqlite_engine.parts, "mia", drop.id)


def test_a_draft_cannot_be_closed_or_paused(sqlite_engine: Engine) -> None:
    drop = create_drop(sqlite_engine.parts, "mia", new_drop(sqlite_engine))
    with pytest.raises(Refused, match="never open"):
        close_drop(sqlite_engine.parts, "mia", drop.id)
    with pytest.raises(Refused, match="this one is draft"):
        pause_drop(sqlite_engine.parts, "mia", drop.id)


def test_every_change_is_one_line_of_an_unbroken_chain(engine: Engine) -> None:
    drop = create_drop(engine.parts, "mia", new_drop(engine))
    open_drop(engine.parts, "mia", drop.id)
    pause_drop(engine.parts, "mia", drop.id)
    restock(engine.parts, "mia", drop.variants[0].id, 4)
    close_drop(engine.parts, "mia", drop.id)
    lines = ["drop_created", "drop_opened", "drop_paused", "restocked", "drop_closed"]
    assert audit_lines(engine) == lines
    with engine.parts.ledger.reading() as tx:
        assert audit.find_break(tx) is None


@pytest.mark.parametrize("change", [open_drop, pause_drop, close_drop])
def test_an_unknown_drop_is_refused(sqlite_engine: Engine, change: Any) -> None:
    with pytest.raises(Refused, match="no such drop"):
        change(sqlite_engine.parts, "mia", "drp_none")
