"""Can a claim change in no other way than by the table?"""

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


def test_every_row_of_the_table_is_taken() -> None:
    assert {row: advance(*row) for row in TABLE} == TABLE
    assert all(may(*row) for row in TABLE)


def refusal(state: State, event: Event) -> str:
    """What `advance` says when it refuses; empty when it does not."""
    try:
        advance(state, event)
    except IllegalTransition as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize("state", State)
def test_what_is_not_in_the_table_raises_and_changes_nothing(state: State) -> None:
    before = dict(TABLE)
    others = [event for event in Event if (state, event) not in TABLE]
    said = [refusal(state, event) for event in others]
    assert said == [f"a claim that is {state} cannot take {event}" for event in others]
    assert not any(may(state, event) for event in others)
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


def test_a_unit_is_won_only_by_events_that_bring_one() -> None:
    wins = {event for (state, event), after in TABLE.items() if after in WITH_UNIT and state not in WITH_UNIT}
    assert wins == {Event.PROMOTE, Event.LATE_PAID_UNIT}


@pytest.mark.parametrize(("reason", "end"), sorted(ENDING.items()))
def test_each_reason_to_end_a_hold_has_its_own_end(reason: str, end: Event) -> None:
    expiring = advance(State.HELD, Event(reason))
    assert expiring is State.EXPIRING
    assert advance(expiring, end) in ENDED


def test_the_reasons_to_end_a_hold_are_all_known() -> None:
    assert set(ENDING) == {event for (state, event), after in TABLE.items() if (state, after) == HOLD_ENDS}


HOLD_ENDS = (State.HELD, State.EXPIRING)
