"""One row for each person, whatever arrives in which order."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from claimbot.core.followers import Lead
from claimbot.db import leads
from claimbot.db.engine import Ledger
from claimbot.db.leads import Seen
from claimbot.db.tables import leads as leads_table
from tests.builders import NOW, World
from tests.crowd import at_once

LATER = NOW + timedelta(hours=1)
SOONER = NOW - timedelta(hours=1)


def seen(world: World, external_id: str = "8001", **changes: Any) -> Seen:
    one = Seen(world.brand.id, world.account.id, external_id, NOW, "dm", "mila", NOW + timedelta(days=1))
    return replace(one, **changes)


def upsert(ledger: Ledger, *people: Seen) -> list[Lead]:
    with ledger.begin() as tx:
        return list(leads.upsert_seen(tx, people).values())


def last_seen(ledger: Ledger, lead: Lead) -> datetime:
    with ledger.reading() as tx:
        found: datetime = tx.execute(
            select(leads_table.c.last_seen_at).where(leads_table.c.id == lead.id)
        ).scalar_one()
    return found


def test_a_person_is_one_lead_over_any_number_of_messages(ledger: Ledger, world: World) -> None:
    first, again = upsert(ledger, seen(world)), upsert(ledger, seen(world))
    assert first == again


def test_the_same_id_at_another_account_is_another_person(ledger: Ledger, world: World) -> None:
    theirs = seen(world, brand_id=world.other_brand.id, account_id=world.other_account.id)
    assert len({lead.id for lead in upsert(ledger, seen(world), theirs)}) == 2


def test_nobody_seen_makes_no_lead(ledger: Ledger) -> None:
    assert upsert(ledger) == []


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        pytest.param(NOW + timedelta(days=2), NOW + timedelta(days=2), id="longer"),
        pytest.param(NOW, NOW + timedelta(days=1), id="shorter"),
        pytest.param(None, NOW + timedelta(days=1), id="none"),
    ],
)
def test_the_window_only_grows(
    ledger: Ledger, world: World, window: datetime | None, expected: datetime
) -> None:
    upsert(ledger, seen(world))
    assert upsert(ledger, seen(world, window_expires_at=window))[0].window_expires_at == expected


def test_a_first_window_is_taken_over(ledger: Ledger, world: World) -> None:
    upsert(ledger, seen(world, window_expires_at=None))
    assert upsert(ledger, seen(world))[0].window_expires_at == NOW + timedelta(days=1)


@pytest.mark.parametrize(("at", "expected"), [(LATER, LATER), (SOONER, NOW)])
def test_last_seen_never_goes_back(ledger: Ledger, world: World, at: datetime, expected: datetime) -> None:
    upsert(ledger, seen(world))
    lead = upsert(ledger, seen(world, seen_at=at))[0]
    assert last_seen(ledger, lead) == expected


@pytest.mark.parametrize(("username", "expected"), [("", "mila"), ("mila.b", "mila.b")])
def test_a_known_name_is_replaced_only_by_a_name(
    ledger: Ledger, world: World, username: str, expected: str
) -> None:
    upsert(ledger, seen(world))
    assert upsert(ledger, seen(world, username=username))[0].username == expected


def test_messages_of_one_delivery_are_merged(ledger: Ledger, world: World) -> None:
    comment = seen(world, seen_at=LATER, window_expires_at=None, username="")
    (lead,) = upsert(ledger, comment, seen(world))
    assert (lead.username, lead.window_expires_at) == ("mila", NOW + timedelta(days=1))
    assert last_seen(ledger, lead) == LATER


def test_two_thousand_people_are_written_at_once(ledger: Ledger, world: World) -> None:
    crowd = [seen(world, str(number)) for number in range(2_000)]
    made = upsert(ledger, *crowd)
    assert upsert(ledger, *reversed(crowd)) == sorted(made, key=lambda lead: lead.external_id)


def test_sixty_four_messages_of_the_same_people_make_each_once(ledger: Ledger, world: World) -> None:
    crowd = [seen(world, str(number)) for number in range(5)]
    found = at_once(64, lambda number: upsert(ledger, *(crowd if number % 2 else crowd[::-1])))
    assert len({lead.id for people in found for lead in people}) == 5


def test_a_lead_is_found_by_its_person(ledger: Ledger, world: World) -> None:
    (mila,) = upsert(ledger, seen(world, username="Mila"))
    with ledger.reading() as tx:
        assert leads.find_lead(tx, mila.id) == mila
        assert leads.find_lead_by_person(tx, world.brand.id, "@mila") == [mila]
        assert leads.find_lead_by_person(tx, world.brand.id, "8001") == [mila]
        assert leads.find_lead_by_person(tx, world.brand.id, mila.id) == [mila]


def test_a_lead_is_not_found_through_another_brand(ledger: Ledger, world: World) -> None:
    with ledger.reading() as tx:
        assert leads.find_lead_by_person(tx, world.other_brand.id, world.first.id) == []


def test_an_erased_lead_is_not_found_by_name(ledger: Ledger, world: World) -> None:
    with ledger.begin() as tx:
        leads.mark_leads(tx, {world.first.id: {"erased_at": NOW}})
        assert leads.find_lead_by_person(tx, world.brand.id, world.first.username) == []


def test_known_people_are_found(ledger: Ledger, world: World) -> None:
    people = [(world.account.id, "7001"), (world.account.id, "nobody")]
    with ledger.reading() as tx:
        assert leads.find_known(tx, people) == {(world.account.id, "7001"): world.first}
        assert leads.find_known(tx, []) == {}


def test_only_who_was_not_there_is_new(ledger: Ledger, world: World) -> None:
    again = seen(world, external_id=world.first.external_id)
    with ledger.begin() as tx:
        found = leads.upsert_seen(tx, [seen(world), again])
    assert {who: lead.is_new for (_, who), lead in found.items()} == {"8001": True, "7001": False}


def test_an_erased_lead_is_known_as_erased(ledger: Ledger, world: World) -> None:
    with ledger.begin() as tx:
        leads.mark_lead(tx, world.first.id, {"erased_at": NOW})
        assert leads.is_erased(tx, world.first.id)
        assert not leads.is_erased(tx, world.second.id)


@pytest.mark.parametrize(
    "change",
    [{"profile_at": NOW}, {"opted_out_at": NOW}, {"erased_at": NOW}, {"window_expires_at": NOW}],
    ids=lambda change: next(iter(change)),
)
def test_only_who_may_be_looked_up_is_looked_up(ledger: Ledger, world: World, change: dict[str, Any]) -> None:
    with ledger.begin() as tx:
        leads.mark_lead(tx, world.first.id, change)
        leads.mark_lead(tx, world.stranger.id, change)
        assert leads.list_without_profile(tx, NOW, 10) == [world.second]


def test_a_commenter_is_joined_to_the_id_of_their_messages(ledger: Ledger, world: World) -> None:
    with ledger.begin() as tx:
        leads.join_identity(tx, world.first, "9001")
        found = leads.find_lead(tx, world.first.id)
    assert found == replace(world.first, external_id="9001")


@pytest.mark.parametrize("known", ["", "7001", "7002"])
def test_a_commenter_keeps_their_id_when_there_is_no_new_one(
    ledger: Ledger, world: World, known: str
) -> None:
    with ledger.begin() as tx:
        leads.join_identity(tx, world.first, known)
        assert leads.find_lead(tx, world.first.id) == world.first
