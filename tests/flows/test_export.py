"""Does the list say what is known of everybody who wrote, to the right brand, in a safe file?"""

import csv
import io
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text

from claimbot.core.claims import State
from claimbot.core.errors import Refused
from claimbot.core.followers import Lead
from claimbot.core.lead_filters import Wanted
from claimbot.core.leads import COLUMNS
from claimbot.db import inbox, leads
from claimbot.db.engine import Ledger
from claimbot.db.ids import new_id
from claimbot.db.tables import inbox as inbox_table
from claimbot.db.tables import leads as leads_table
from claimbot.flows.export import export_leads
from claimbot.parts import Parts
from tests.builders import NOW, World, make_claim, make_lead, make_world
from tests.flows.alone import parts_alone


@pytest.fixture
def parts(world: World, redis_url: str) -> Iterator[Parts]:
    with parts_alone(world.ledger, redis_url) as found:
        yield found


def say(ledger: Ledger, lead: Lead, outcome: str, drop_id: str | None = None, **more: Any) -> None:
    """They wrote, and it ended so; later calls are later messages."""
    key = new_id("evt")
    arrival = inbox.Arrival(key, key, more.pop("at", NOW), "text", lead.account_id, lead.brand_id)
    word = "LAUNCH" if drop_id else ""
    with ledger.begin() as tx:
        inbox.insert_events(tx, [(arrival, inbox.Ending(key, outcome, "", lead.id, drop_id, None, word))])


def read(parts: Parts, world: World, **wanted: Any) -> list[dict[str, str]]:
    """The file as a program reads it."""
    raw = b"".join(export_leads(parts, Wanted(world.brand.id, **wanted)))
    return list(csv.DictReader(io.StringIO(raw.decode(), newline="")))


def test_the_columns_are_the_contract_and_come_first(world: World, parts: Parts) -> None:
    first = next(export_leads(parts, Wanted(world.brand.id)))
    assert first == (",".join(COLUMNS) + "\r\n").encode()


def test_a_bom_comes_before_everything_when_asked_for(world: World, parts: Parts) -> None:
    assert next(export_leads(parts, Wanted(world.brand.id), True)).startswith(b"\xef\xbb\xbflead_id,")


def test_a_lead_without_a_drop_has_one_line(world: World, parts: Parts) -> None:
    say(world.ledger, world.first, "unmatched")
    line = read(parts, world)[0]
    assert (line["lead_id"], line["drop"], line["outcome"]) == (world.first.id, "", "unmatched")
    assert (line["qualified"], line["qualified_because"]) == ("no", "did not write the word")


def test_a_loser_is_a_lead_too(world: World, parts: Parts) -> None:
    drop = world.drop()
    say(world.ledger, world.first, "sold_out", drop.id)
    line = read(parts, world)[0]
    assert (line["drop"], line["outcome"], line["claim_state"]) == ("Night Jacket", "sold_out", "")
    assert (line["keyword"], line["channel"], line["brand"]) == ("LAUNCH", "instagram", "aurora")
    assert line["qualified_because"] == "neither claimed nor waits nor paid"


def test_a_lead_of_two_drops_has_two_lines_in_the_order_of_the_drops(world: World, parts: Parts) -> None:
    older, newer = world.drop(name="Older"), world.drop(name="Newer", words=("NEW",))
    make_claim(world.ledger, newer, world.first, State.WAITLISTED)
    say(world.ledger, world.first, "sold_out", older.id)
    lines = [line for line in read(parts, world) if line["lead_id"] == world.first.id]
    assert [(line["drop"], line["qualified"]) for line in lines] == [("Older", "no"), ("Newer", "yes")]


def test_the_latest_message_about_the_drop_gives_the_outcome(world: World, parts: Parts) -> None:
    drop = world.drop()
    say(world.ledger, world.first, "already_held", drop.id, at=NOW + timedelta(minutes=2))
    say(world.ledger, world.first, "held", drop.id, at=NOW + timedelta(minutes=1))
    say(world.ledger, world.first, "unmatched", at=NOW + timedelta(minutes=3))
    assert read(parts, world)[0]["outcome"] == "already_held"


def test_the_paid_claim_speaks_for_the_lead(world: World, parts: Parts) -> None:
    drop = world.drop(per_follower_limit=3)
    paid = {"paid_at": NOW, "paid_minor": 12_900, "place": 17, "told_at": NOW}
    make_claim(world.ledger, drop, world.first, State.SOLD, **paid)
    make_claim(world.ledger, drop, world.first, State.EXPIRED, created_at=NOW + timedelta(hours=1))
    make_claim(world.ledger, drop, world.first, State.WAITLISTED, created_at=NOW + timedelta(hours=2))
    line = read(parts, world)[0]
    assert (line["claim_state"], line["place"], line["paid_minor"]) == ("sold", "17", "12900")
    assert (line["currency"], line["variant"], line["quantity"]) == ("EUR", "ONE", "1")
    assert (line["paid_at"], line["qualified_because"]) == ("2026-03-14T18:00:00Z", "paid")


@pytest.mark.parametrize(
    ("state", "because"),
    [
        (State.HELD, "claimed"),
        (State.EXPIRED, "claimed"),
        (State.GRANTED, "claimed"),
        (State.WAITLISTED, "waits"),
    ],
)
def test_who_claimed_or_waits_is_qualified(world: World, parts: Parts, state: State, because: str) -> None:
    make_claim(world.ledger, world.drop(), world.first, state)
    assert read(parts, world)[0]["qualified_because"] == because


CLOSED = {"window_expires_at": NOW}


@pytest.mark.parametrize(
    ("known", "because"),
    [
        (CLOSED, "cannot be reached"),
        ({**CLOSED, "email": "jo@example.org"}, "waits"),
        ({**CLOSED, "phone": "+4930123456"}, "waits"),
        ({"opted_out_at": NOW}, "opted out"),
    ],
)
def test_who_can_be_reached_is_qualified(
    world: World, parts: Parts, known: dict[str, Any], because: str
) -> None:
    lead = make_lead(world.ledger, world.account, "7001", **known)
    make_claim(world.ledger, world.drop(), lead, State.WAITLISTED)
    assert read(parts, world)[0]["qualified_because"] == because


def test_the_rule_of_the_drop_decides(world: World, parts: Parts) -> None:
    drop = world.drop()
    make_claim(world.ledger, drop, world.first, State.WAITLISTED)
    with world.ledger.begin() as tx:
        tx.execute(text("""UPDATE drops SET qualify = '{"email_known": true}'"""))
    assert read(parts, world)[0]["qualified_because"] == "no e-mail known"


def test_a_cell_that_a_spreadsheet_would_run_is_text(world: World, parts: Parts) -> None:
    nasty = {"name": '=HYPERLINK("http://x")', "note": "a,b\r\n@c", "tags": ["+1", "-2"], "phone": "0171"}
    make_lead(world.ledger, world.account, "7001", **nasty)
    line = read(parts, world)[0]
    assert (line["name"], line["tags"]) == ('\'=HYPERLINK("http://x")', "'+1, -2")
    assert (line["note"], line["phone"]) == ("a,b\r\n@c", "'0171")


def test_an_erased_person_keeps_a_line_without_a_name(world: World, parts: Parts) -> None:
    make_claim(world.ledger, world.drop(), world.first, State.SOLD, paid_at=NOW, paid_minor=12_900)
    gone = {
        "username": "",
        "name": "",
        "erased_at": NOW,
        "external_id": "erased:1",
        "window_expires_at": None,
    }
    with world.ledger.begin() as tx:
        leads.mark_lead(tx, world.first.id, gone)
    line = read(parts, world)[0]
    assert (line["lead_id"], line["username"], line["paid_minor"]) == (world.first.id, "", "12900")


def test_another_brands_leads_never_appear(world: World, parts: Parts) -> None:
    say(world.ledger, world.stranger, "unmatched")
    assert {line["lead_id"] for line in read(parts, world)} == {world.first.id, world.second.id}


def test_another_brands_drop_is_refused_before_the_first_byte(world: World, parts: Parts) -> None:
    drop = world.drop()
    with pytest.raises(Refused):
        export_leads(parts, Wanted(world.other_brand.id, drop_id=drop.id))
    with pytest.raises(Refused):
        export_leads(parts, Wanted("brd_of_nobody"))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"is_qualified": True}, ["first"]),
        ({"is_qualified": False}, ["second"]),
        ({"outcome": "sold_out"}, ["second"]),
        ({"channel": "instagram"}, ["first", "second"]),
        ({"channel": "whatsapp"}, []),
        ({"drop_id": "the drop"}, ["first", "second"]),
        ({"drop_id": "the other drop"}, []),
    ],
)
def test_only_the_lines_that_were_asked_for(
    world: World, parts: Parts, wanted: dict[str, Any], expected: list[str]
) -> None:
    drop = world.drop()
    drops = {"the drop": drop.id, "the other drop": world.drop(words=("OTHER",)).id}
    make_claim(world.ledger, drop, world.first, State.WAITLISTED)
    say(world.ledger, world.second, "sold_out", drop.id)
    named = {name: drops.get(value, value) for name, value in wanted.items()}
    lines = read(parts, world, **named)
    assert [line["lead_id"] for line in lines] == [getattr(world, name).id for name in expected]


# Several pages; a million people are as many pages more, and no more memory.
CROWD = 9_000
PEAK_BYTES_MOST = 20 * 1024 * 1024


@pytest.fixture
def crowd(on_sqlite: Ledger) -> World:
    """Thousands who wrote the word and got nothing, many at the very same moment."""
    world = make_world(on_sqlite)
    drop = world.drop()
    people = [crowd_lead(world, number) for number in range(CROWD)]
    with on_sqlite.begin() as tx:
        tx.execute(insert(leads_table), people)
        tx.execute(insert(inbox_table), [crowd_message(one, drop.id) for one in people])
    return world


def crowd_lead(world: World, number: int) -> dict[str, Any]:
    seen_at = NOW + timedelta(seconds=number // 3_000)
    who = {"id": f"led_{number:08d}", "external_id": f"c{number}", "username": f"crowd.{number}"}
    mine = {"brand_id": world.brand.id, "account_id": world.account.id}
    return {**who, **mine, "first_seen_at": seen_at, "last_seen_at": seen_at}


def crowd_message(lead: dict[str, Any], drop_id: str) -> dict[str, Any]:
    about = {"lead_id": lead["id"], "drop_id": drop_id, "brand_id": lead["brand_id"]}
    return {"event_key": lead["id"], "received_at": NOW, "outcome": "sold_out", **about}


def test_a_long_list_is_complete_in_order_and_flat_in_memory(crowd: World, redis_url: str) -> None:
    with parts_alone(crowd.ledger, redis_url) as parts:
        tracemalloc.start()
        pieces = export_leads(parts, Wanted(crowd.brand.id))
        lines = sum(piece.count(b"sold_out") for piece in pieces)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert lines == CROWD
    assert peak_bytes < PEAK_BYTES_MOST
