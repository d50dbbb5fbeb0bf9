"""What the admin pages ask for is found by index, also in a ledger that is a year old."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from claimbot.core.lead_filters import By, Order, Rules, Wanted
from claimbot.db import boards, lead_pages
from claimbot.db.engine import Ledger
from claimbot.db.tables import inbox as inbox_table
from claimbot.db.tables import leads as leads_table
from tests.builders import NOW, World, make_lead, make_world
from tests.db.test_plans import plan_of

ROWS = 6_000
RARE_DROP = "SELECT drop_id FROM inbox WHERE event_key = 'key-60'"
MIDDLE = NOW + timedelta(seconds=ROWS // 2)


@pytest.fixture(scope="module")
def old_ledger(kept_world: World) -> World:
    """Thousands of people who wrote once, one in sixty of them about the second drop."""
    world = kept_world
    drops = [world.drop(words=(word,)) for word in ("ONE", "TWO")]
    times = [NOW + timedelta(seconds=number) for number in range(ROWS)]
    people = [
        {
            "id": f"led_{number:06d}",
            "brand_id": world.brand.id,
            "account_id": world.account.id,
            "external_id": f"old-{number}",
            "first_seen_at": at,
            "last_seen_at": at,
            "username": f"old-{number}",
            "tags": ["vip"] if number % 60 == 0 else [],
            "consent_marketing": True if number % 60 == 0 else None,
        }
        for number, at in enumerate(times)
    ]
    said = [
        {
            "event_key": f"key-{number}",
            "brand_id": world.brand.id,
            "lead_id": f"led_{number:06d}",
            "drop_id": drops[number % 60 == 0].id,
            "received_at": at,
            "outcome": "limit_reached" if number % 60 == 0 else "sold_out",
        }
        for number, at in enumerate(times)
    ]
    with world.ledger.begin() as tx:
        tx.execute(insert(leads_table), people)
        tx.execute(insert(inbox_table), said)
    with world.ledger.begin() as tx:
        tx.execute(text("ANALYZE"))
    return world


def ask_events(world: World) -> Callable[[Connection, str], object]:
    (drop_id,) = _one(world, RARE_DROP)
    return lambda tx, _: boards.list_events(tx, drop_id, 20)


def ask_latest(world: World) -> Callable[[Connection, str], object]:
    return lambda tx, _: list_spots(tx, world, lead_pages.Turn(None, 50))


def ask_further_back(world: World) -> Callable[[Connection, str], object]:
    return lambda tx, _: list_spots(tx, world, lead_pages.Turn((MIDDLE, "led_003000"), 50))


def list_spots(tx: Connection, world: World, turn: lead_pages.Turn, **wanted: Any) -> list[lead_pages.Spot]:
    return lead_pages.list_spots(tx, Wanted(world.brand.id, **wanted), Rules(NOW), turn)


def _one(world: World, query: str) -> tuple[str, ...]:
    with world.ledger.reading() as tx:
        return tuple(tx.execute(text(query)).one())


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (ask_events, "ix_inbox_drop_id_received_at"),
        (ask_latest, "ix_leads_brand_id_first_seen_at"),
        (ask_further_back, "ix_leads_brand_id_first_seen_at"),
    ],
)
def test_a_page_finds_its_rows_by_index(
    old_ledger: World, ask: Callable[[World], Callable[[Connection, str], object]], index: str
) -> None:
    plan = plan_of(old_ledger.ledger, ask(old_ledger), "")
    assert index in plan
    assert "TEMP B-TREE FOR ORDER BY" not in plan


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({"outcome": "limit_reached"}, "ix_inbox_outcome"),
        ({"has_consented": True}, "ix_leads_consent"),
        ({"tag": "vip"}, "ix_leads_tagged"),
        ({"state": "sold"}, "ix_claims_brand_id_state_created_at"),
    ],
)
def test_a_rare_filter_walks_an_index_of_its_own(
    old_ledger: World, wanted: dict[str, Any], index: str
) -> None:
    def ask(tx: Connection, _: str) -> object:
        return list_spots(tx, old_ledger, lead_pages.Turn(None, 50), **wanted)

    plan = plan_of(old_ledger.ledger, ask, "", is_long=True)
    assert index in plan


@pytest.mark.parametrize("is_rising", [False, True])
@pytest.mark.parametrize(
    ("by", "place", "index"),
    [
        (By.FIRST_SEEN, MIDDLE, "ix_leads_brand_id_first_seen_at"),
        (By.LAST_SEEN, MIDDLE, "ix_leads_last_seen_at"),
        (By.HANDLE, "old-3000", "ix_leads_username"),
    ],
)
def test_every_order_of_the_list_walks_an_index_of_its_own(
    old_ledger: World, by: By, place: datetime | str, is_rising: bool, index: str
) -> None:
    turn = lead_pages.Turn((place, "led_003000"), 50, Order(by, is_rising))
    plan = plan_of(old_ledger.ledger, lambda tx, _: list_spots(tx, old_ledger, turn), "")
    assert index in plan
    assert "TEMP B-TREE" not in plan and "Sort" not in plan


def test_a_name_is_found_by_its_words_on_postgresql(old_ledger: World) -> None:
    def ask(tx: Connection, _: str) -> object:
        return list_spots(tx, old_ledger, lead_pages.Turn(None, 50), search="old-1234")

    # The latest people were looked at before, and are too few.
    plan = plan_of(old_ledger.ledger, ask, "", is_long=True, nth=-1)
    assert old_ledger.ledger.is_sqlite or "Bitmap Index Scan on ix_leads_words" in plan


@pytest.mark.parametrize("is_rising", [False, True])
def test_a_name_that_many_have_and_one_that_few_have_are_found_in_order(
    old_ledger: World, is_rising: bool
) -> None:
    def found(search: str) -> list[str]:
        turn = lead_pages.Turn((MIDDLE, "led_003000"), 3, Order(is_rising=is_rising))
        with old_ledger.ledger.reading() as tx:
            return [spot.lead_id for spot in list_spots(tx, old_ledger, turn, search=search)]

    step = 1 if is_rising else -1
    assert found("old") == [f"led_{3_000 + step * number:06d}" for number in (1, 2, 3)]
    assert found("old 10") == ([] if is_rising else ["led_001099", "led_001098", "led_001097"])


@pytest.mark.parametrize("name", ["x" * 3_000, "é" * 600, "…" * 700, "'\\ \n :*&|!()<->", "a' b\\"])
def test_whatever_somebody_is_called_is_kept_and_found(ledger: Ledger, name: str) -> None:
    world = make_world(ledger)
    lead = make_lead(ledger, world.account, "long", name=name)
    with ledger.reading() as tx:
        found = list_spots(tx, world, lead_pages.Turn(None, 5), search=name[:20])
    assert [spot.lead_id for spot in found] == [lead.id]


def test_the_page_after_a_place_begins_right_behind_it(old_ledger: World) -> None:
    with old_ledger.ledger.reading() as tx:
        found = list_spots(tx, old_ledger, lead_pages.Turn((MIDDLE, "led_003000"), 3))
    assert [spot.lead_id for spot in found] == ["led_002999", "led_002998", "led_002997"]


def test_the_latest_events_are_those_of_the_drop(old_ledger: World) -> None:
    (drop_id,) = _one(old_ledger, RARE_DROP)
    with old_ledger.ledger.reading() as tx:
        events = boards.list_events(tx, drop_id, 2)
    assert [event.lead_id for event in events] == ["led_005940", "led_005880"]
