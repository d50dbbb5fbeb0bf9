"""Can a claim change in no other way than by the table?"""

from itertools import product

import pytest

from claimbot.core.claims import (
    COUNTED,
    ENDED,
    ENDING,
    LIVE,
    TABLE,
    WITH_UNIT,
    Event,
    State,
    advance,
    may,
)
from claimbot.core.errors import IllegalTransition, Ours

ROWS = sorted(TABLE.items())
OTHER_PAIRS = sorted(set(product(State, Event)) - set(TABLE))
UNIT_EVENTS = {Event.PROMOTE, Event.LATE_PAID_UNIT, Event.DISPUTE_WON}


@pytest.mark.parametrize(("row", "after"), ROWS, ids=lambda value: "-".join(value))
def test_every_row_of_the_table_is_taken(row: tuple[State, Event], after: State) -> None:
    assert may(*row)
    assert advance(*row) is after


@pytest.mark.parametrize(("state", "event"), OTHER_PAIRS)
def test_what_is_not_in_the_table_raises_and_changes_nothing(state: State, event: Event) -> None:
    before = dict(TABLE)
    assert not may(state, event)
    with pytest.raises(IllegalTransition, match=f"a claim that is {state} cannot take {event}"):
        advance(state, event)
    assert before == TABLE


def test_an_illegal_step_is_our_own_fault() -> None:
    assert issubclass(IllegalTransition, Ours)


def test_the_table_says_what_the_design_says() -> None:
    said: dict[str, str] = {
        "waitlisted": "promote>held pass>passed cancel>cancelled drop_closed>closed erase>erased",
        "held": "told>held given>sold session_paid>sold session_unpaid>pending hold_ended>expiring"
        " pass>expiring unreachable>expiring cancel>expiring",
        "expiring": "ended_expired>expired ended_passed>passed ended_unreachable>unreachable"
        " ended_cancelled>cancelled session_paid>sold session_unpaid>pending",
        "pending": "session_paid>sold async_paid>sold async_failed>expired",
        "sold": "refunded>refunded disputed>disputed",
        "disputed": "refunded>refunded dispute_won>sold",
        "refunding": "refunded>refunded",
        "granted": "pass>passed erase>erased",
        **dict.fromkeys(map(str, ENDED), "late_paid_unit>sold late_paid_no_unit>refunding"),
    }
    rows = {(state, *step.split(">")) for state, steps in said.items() for step in steps.split()}
    assert rows == {(state, event, after) for (state, event), after in TABLE.items()}


def test_a_refund_is_final() -> None:
    assert not [event for event in Event if may(State.REFUNDED, event)]


def test_sold_leaves_only_to_refunded_or_disputed() -> None:
    assert {after for (state, _), after in TABLE.items() if state is State.SOLD} == {
        State.REFUNDED,
        State.DISPUTED,
    }


def test_no_live_state_is_an_end() -> None:
    assert not set(LIVE) & set(ENDED)
    assert not set(WITH_UNIT) & set(ENDED)


def test_every_counted_claim_has_its_units() -> None:
    assert set(COUNTED) <= set(WITH_UNIT)


@pytest.mark.parametrize(("row", "after"), ROWS, ids=lambda value: "-".join(value))
def test_a_unit_is_won_only_by_events_that_bring_one(row: tuple[State, Event], after: State) -> None:
    state, event = row
    wins_unit = after in WITH_UNIT and state not in WITH_UNIT
    assert not wins_unit or event in UNIT_EVENTS


@pytest.mark.parametrize(("reason", "end"), sorted(ENDING.items()))
def test_each_reason_to_end_a_hold_has_its_own_end(reason: str, end: Event) -> None:
    expiring = advance(State.HELD, Event(reason))
    assert expiring is State.EXPIRING
    assert advance(expiring, end) in ENDED


def test_the_reasons_to_end_a_hold_are_all_known() -> None:
    assert set(ENDING) == {event for (state, event), after in TABLE.items() if (state, after) == HOLD_ENDS}


HOLD_ENDS = (State.HELD, State.EXPIRING)
