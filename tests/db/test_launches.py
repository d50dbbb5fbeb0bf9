"""The pace and the funnel of a launch are counted right, on both databases, and found by index."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from claimbot.core.claims import State
from claimbot.core.drops import Drop
from claimbot.db import launches
from claimbot.db.claim_rows import Wanted, list_refusals, list_rows
from claimbot.db.launches import BARS, Funnel, Pace
from claimbot.db.tables import claims as claims_table
from claimbot.db.tables import inbox
from tests.builders import NOW, World, make_claim, make_lead, told
from tests.db.test_plans import plan_of

HALF = timedelta(milliseconds=500)


def say(world: World, drop: Drop, times: Sequence[datetime], outcome: str = "held") -> None:
    rows = [
        {
            "event_key": f"{outcome}-{number}",
            "received_at": at,
            "outcome": outcome,
            "drop_id": drop.id,
            "lead_id": (world.first, world.second)[number % 2].id,
        }
        for number, at in enumerate(times)
    ]
    with world.ledger.begin() as tx:
        tx.execute(insert(inbox), rows)


def pace_of(world: World, drop: Drop, span: str = "") -> Pace:
    with world.ledger.reading() as tx:
        found = launches.find_pace(tx, drop.id, span)
    assert found is not None
    return found


class TestPace:
    def test_nothing_was_written_yet(self, world: World) -> None:
        with world.ledger.reading() as tx:
            assert launches.find_pace(tx, world.drop().id) is None

    def test_every_message_is_in_the_bar_of_its_second(self, world: World) -> None:
        drop = world.drop()
        say(world, drop, [NOW, NOW + HALF, NOW + timedelta(seconds=1)])
        say(world, drop, [NOW + HALF], "waitlisted")
        say(world, drop, [NOW + timedelta(seconds=2)], "sold_out")

        pace = pace_of(world, drop)

        counted = {
            (bar.at - NOW).total_seconds(): (bar.got, bar.waits, bar.others) for bar in pace.bars if bar.total
        }
        assert counted == {0: (2, 1, 0), 1: (1, 0, 0), 2: (0, 0, 1)}
        assert (pace.span, pace.seconds, len(pace.bars), pace.most) == ("minute", 1, BARS, 3)

    @pytest.mark.parametrize(
        ("length", "span"),
        [
            (timedelta(seconds=58), "minute"),
            (timedelta(seconds=60), "5 minutes"),
            (timedelta(minutes=30), "hour"),
            (timedelta(hours=5), "day"),
            (timedelta(days=9), "day"),
        ],
    )
    def test_the_shortest_span_that_shows_all_is_chosen(
        self, world: World, length: timedelta, span: str
    ) -> None:
        drop = world.drop()
        say(world, drop, [NOW, NOW + length])
        pace = pace_of(world, drop)
        assert (pace.span, len(pace.bars)) == (span, BARS)
        assert sum(bar.total for bar in pace.bars) == (1 if length.days else 2)

    def test_a_span_may_be_asked_for(self, world: World) -> None:
        drop = world.drop()
        say(world, drop, [NOW, NOW + timedelta(hours=2)])
        pace = pace_of(world, drop, "minute")
        assert (pace.span, pace.most, pace.peak_per_second) == ("minute", 1, 1.0)
        assert pace_of(world, drop, "nonsense").span == "day"

    def test_another_drops_messages_are_not_counted(self, world: World) -> None:
        drop, other = world.drop(), world.drop(words=("OTHER",))
        say(world, drop, [NOW])
        say(world, other, [NOW], "waitlisted")
        assert pace_of(world, drop).most == 1


class TestFunnel:
    def test_each_step_is_a_part_of_the_one_before(self, world: World) -> None:
        drop = world.drop(stock_units=20)
        states = [State.HELD, State.SOLD, State.REFUNDED, State.EXPIRED, State.WAITLISTED, State.PASSED]
        paid = {"paid_at": NOW, "paid_minor": 1, "refunded_minor": 1}
        leads = [make_lead(world.ledger, world.account, str(number)) for number in range(len(states))]
        made = {
            state: make_claim(
                world.ledger,
                drop,
                lead,
                state,
                **(told(5) if state in (State.HELD, State.SOLD, State.REFUNDED) else {}),
                **(paid if state in (State.SOLD, State.REFUNDED) else {}),
            )
            for state, lead in zip(states, leads, strict=True)
        }
        say(world, drop, [NOW, NOW, NOW])
        with world.ledger.begin() as tx:
            launches.mark_opened(tx, made[State.HELD].id, NOW)
            found = launches.count_funnel(tx, drop.id)

        assert found == Funnel(wrote=2, held=4, told=3, opened=3, paid=2, refunded=1)

    @pytest.mark.parametrize("state", [State.WAITLISTED, State.PASSED, State.CLOSED])
    def test_who_was_told_a_place_in_line_had_no_unit(self, world: World, state: State) -> None:
        drop = world.drop(stock_units=20)
        make_claim(world.ledger, drop, world.first, state, told_at=NOW)
        say(world, drop, [NOW])

        with world.ledger.reading() as tx:
            assert launches.count_funnel(tx, drop.id) == Funnel(1, 0, 0, 0, 0, 0)

    def test_a_drop_without_claims_counts_nothing(self, world: World) -> None:
        with world.ledger.reading() as tx:
            assert launches.count_funnel(tx, world.drop().id) == Funnel(0, 0, 0, 0, 0, 0)

    def test_only_the_first_opening_counts(self, world: World) -> None:
        claim = make_claim(world.ledger, world.drop(), world.first)
        with world.ledger.begin() as tx:
            launches.mark_opened(tx, claim.id, NOW)
            launches.mark_opened(tx, claim.id, NOW + HALF)
            assert tx.execute(text("SELECT count(*) FROM claims WHERE opened_at IS NOT NULL")).scalar() == 1
            first = tx.execute(text("SELECT opened_at FROM claims")).scalar()
        assert str(first).startswith("2026-03-14 18:00:00") and ".5" not in str(first)


@pytest.fixture(scope="module")
def old_ledger(kept_world: World) -> World:
    """Thousands of claims, one in sixty of them of the second drop, and as many messages."""
    world = kept_world
    drops = [world.drop(words=(word,), per_follower_limit=99) for word in ("ONE", "TWO")]
    claims = [_claim(world, drops[number % 60 == 0], number) for number in range(6_000)]
    with world.ledger.begin() as tx:
        tx.execute(insert(claims_table), claims)
    say(world, drops[0], [claim["created_at"] for claim in claims])
    say(world, drops[1], [NOW, NOW + HALF], "sold_out")
    with world.ledger.begin() as tx:
        tx.execute(text("ANALYZE"))
    return world


def _claim(world: World, drop: Drop, number: int) -> dict[str, Any]:
    return {
        "id": f"clm_{number:06d}",
        "brand_id": world.brand.id,
        "drop_id": drop.id,
        "variant_id": drop.variants[0].id,
        "lead_id": world.first.id,
        "state": State.EXPIRED.value,
        "currency": "EUR",
        "token": str(number),
        "created_at": NOW + timedelta(seconds=number),
    }


Ask = Callable[[Connection, str], object]


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda tx, drop_id: launches.find_pace(tx, drop_id), "ix_inbox_drop_id_received_at"),
        (lambda tx, drop_id: launches.count_bars(tx, drop_id, 5, NOW), "ix_inbox_drop_id_received_at"),
        (lambda tx, drop_id: launches.count_funnel(tx, drop_id), "ix_claims_drop_id_state"),
        (lambda tx, drop_id: list_refusals(tx, drop_id, None, 50), "ix_inbox_drop_id_received_at"),
    ],
    ids=["edge", "bars", "funnel", "refusals"],
)
def test_what_is_asked_about_a_small_drop_is_found_by_index(old_ledger: World, ask: Ask, index: str) -> None:
    with old_ledger.ledger.reading() as tx:
        small = tx.execute(text("SELECT drop_id FROM claims WHERE id = 'clm_000060'")).scalar_one()
    assert index in plan_of(old_ledger.ledger, ask, small)


@pytest.mark.parametrize("before", [None, (NOW + timedelta(hours=1), "clm_003600")])
def test_a_page_of_claims_begins_where_it_should(
    old_ledger: World, before: tuple[datetime, str] | None
) -> None:
    wanted = Wanted(old_ledger.brand.id)
    plan = plan_of(old_ledger.ledger, lambda tx, _: list_rows(tx, wanted, before, 50), "")
    assert "ix_claims_brand_id_created_at" in plan
    assert "TEMP B-TREE" not in plan and "Sort" not in plan
