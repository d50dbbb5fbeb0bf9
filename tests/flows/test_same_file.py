"""Do both databases write the very same file, whatever people are called?"""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from claimbot.core.claims import State
from claimbot.core.followers import Lead
from claimbot.core.lead_filters import Order, Wanted
from claimbot.core.leads import COLUMNS, TRIGGERS, QualifyRule, csv_line
from claimbot.db import drops, leads
from claimbot.db.engine import Ledger
from claimbot.db.tables import leads as leads_table
from claimbot.flows.export import export_leads
from claimbot.flows.show import show_leads
from claimbot.parts import Parts
from tests.builders import NOW, World, make_claim, make_world
from tests.flows.alone import parts_alone
from tests.flows.test_export import say
from tests.lead_file import cells

PEOPLE = 12
SPECIAL = st.sampled_from([*sorted(TRIGGERS - {"\0"}), *" ,\"'01e.\u00a0\u200b\ufeff\x0b\u3000aé\\[]^|{"])
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXTS = (
    st.text(LETTERS, max_size=12)
    | st.text(SPECIAL, max_size=8)
    | st.from_regex(r"[0-9]{1,14}", fullmatch=True)
)
NAMES = ("username", "name", "email", "phone", "note", "source")
NAMED = st.fixed_dictionaries(dict.fromkeys(NAMES, TEXTS))
TAGS = st.lists(TEXTS, max_size=3)
FOUND = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def put_people(world: World, named: list[dict[str, str]], tags: list[list[str]]) -> None:
    """The same people in place of whoever was there."""
    rows = [
        person(world, number, {**who, "tags": mine})
        for number, (who, mine) in enumerate(zip(named, tags, strict=True))
    ]
    with world.ledger.begin() as tx:
        tx.execute(delete(leads_table).where(leads_table.c.brand_id == world.brand.id))
        tx.execute(insert(leads_table), rows)


def person(world: World, number: int, known: dict[str, Any]) -> dict[str, Any]:
    at = NOW + timedelta(microseconds=number * 400_000)
    who = {"id": f"led_{number:04d}", "external_id": str(number), "first_seen_at": at, "last_seen_at": at}
    consent = {"consent_marketing": [None, True, False][number % 3], "consent_at": at if number % 3 else None}
    return {"brand_id": world.brand.id, "account_id": world.account.id, **who, **consent, **known}


@pytest.fixture
def both(on_sqlite: Ledger, on_postgresql: Ledger, redis_url: str) -> Iterator[list[tuple[World, Parts]]]:
    """The same brand on each database."""
    worlds = [make_world(on_sqlite), make_world(on_postgresql)]
    with parts_alone(on_sqlite, redis_url) as first, parts_alone(on_postgresql, redis_url) as second:
        yield list(zip(worlds, (first, second), strict=True))


def written(world: World, parts: Parts) -> bytes:
    return b"".join(export_leads(parts, Wanted(world.brand.id)))


@settings(max_examples=25, deadline=None, suppress_health_check=FOUND)
@given(
    named=st.lists(NAMED, min_size=PEOPLE, max_size=PEOPLE),
    tags=st.lists(TAGS, min_size=PEOPLE, max_size=PEOPLE),
)
@example(named=[dict.fromkeys(NAMES, "＝1\r\n")] * PEOPLE, tags=[["=a", '"']] * PEOPLE)
def test_both_databases_write_the_same_safe_file(
    both: list[tuple[World, Parts]], named: list[dict[str, str]], tags: list[list[str]]
) -> None:
    for world, _ in both:
        put_people(world, named, tags)

    files = [written(world, parts) for world, parts in both]

    assert files[0] == files[1]
    lines = list(csv.reader(io.StringIO(files[0].decode(), newline="")))
    assert [cell for line in lines for cell in line if cell[:1] in TRIGGERS and cell] == []
    assert len(lines) == PEOPLE + 1


def test_the_file_says_what_the_page_says(world: World, redis_url: str) -> None:
    """Rules of a drop, several claims of one person, words about no drop, and who said nothing at all."""
    first, second = world.drop(name="=First", words=("ONE",)), world.drop(words=("TWO",), stock_units=5)
    with world.ledger.begin() as tx:
        drops.mark_qualify_rule(tx, second.id, QualifyRule(email_known=True, follows_account=True))
    put_people(
        world,
        [{"name": f"-{number}", "email": "a@b.test" * (number % 2)} for number in range(6)],
        [["x"]] * 6,
    )
    people = [lead_of(world, f"led_{number:04d}") for number in range(6)]
    for lead, state in zip(people, (State.EXPIRED, State.HELD, State.SOLD, State.WAITLISTED), strict=False):
        make_claim(world.ledger, second, lead, state, place=7, paid_minor=100, paid_at=NOW)
        say(world.ledger, lead, "held", second.id)
    make_claim(world.ledger, second, people[0], State.PASSED, created_at=NOW + timedelta(hours=1))
    say(world.ledger, people[0], "sold_out", first.id, at=NOW + timedelta(seconds=2))
    say(world.ledger, people[3], "help", at=NOW + timedelta(seconds=3))
    say(world.ledger, people[4], "human")

    with parts_alone(world.ledger, redis_url) as parts:
        shown = show_leads(parts, Wanted(world.brand.id), None, Order(is_rising=True))
        lines = written(world, parts).decode()

    assert lines == csv_line(COLUMNS) + "".join(csv_line(cells(row)) for row in shown.rows)
    assert len(shown.rows) == 7


def lead_of(world: World, lead_id: str) -> Lead:
    with world.ledger.reading() as tx:
        found = leads.find_lead(tx, lead_id)
    assert found is not None
    return found
