"""A line that was changed or removed is found."""

from datetime import timedelta, timezone

import pytest
from sqlalchemy import delete, update

from claimbot.db import audit
from claimbot.db.engine import Ledger
from claimbot.db.tables import audit as audit_table
from tests.builders import NOW, World
from tests.crowd import at_once


def write(ledger: Ledger, count: int = 5) -> None:
    with ledger.begin() as tx:
        for number in range(count):
            audit.insert_line(tx, "opr_1", "drop.opened", f"drp_{number}", now=NOW, units=number)


def find_break(ledger: Ledger) -> int | None:
    with ledger.reading() as tx:
        return audit.find_break(tx)


def test_an_untouched_chain_has_no_break(ledger: Ledger) -> None:
    assert find_break(ledger) is None
    write(ledger)
    assert find_break(ledger) is None


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "opr_2"},
        {"action": "drop.closed"},
        {"subject": "drp_9"},
        {"facts": {"units": 99}},
        {"at": NOW + timedelta(microseconds=1)},
        {"previous_hash": ""},
        {"hash": "0" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_line_breaks_the_chain(ledger: Ledger, change: dict[str, object]) -> None:
    write(ledger)
    with ledger.begin() as tx:
        tx.execute(update(audit_table).where(audit_table.c.id == 3).values(**change))
    assert find_break(ledger) == 3


def test_a_removed_line_breaks_the_chain_after_it(ledger: Ledger) -> None:
    write(ledger)
    with ledger.begin() as tx:
        tx.execute(delete(audit_table).where(audit_table.c.id == 3))
    assert find_break(ledger) == 4


def test_a_line_written_in_another_zone_is_no_break(ledger: Ledger, world: World) -> None:
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    with ledger.begin() as tx:
        audit.insert_line(tx, "clock", "swept", "holds", now=tokyo, brand_id=world.brand.id, ended=1)
    assert find_break(ledger) is None


def test_thirty_two_writers_make_one_chain(ledger: Ledger) -> None:
    at_once(32, lambda _: write(ledger, count=2))
    assert find_break(ledger) is None
