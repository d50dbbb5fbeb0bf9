"""Do the questions asked every second find their rows by index, also when there are thousands?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, text

from claimbot.core.claims import State
from claimbot.core.drops import Drop
from claimbot.core.outbox import Priority, RowState, Work
from claimbot.db import claims, leads, outbox, units
from claimbot.db.engine import Ledger
from claimbot.db.ids import new_id, new_token
from claimbot.db.leads import Seen
from claimbot.db.tables import claims as claims_table
from claimbot.db.tables import outbox as outbox_table
from claimbot.db.tables import units as units_table
from tests.builders import NOW, World

ROWS = 6_000
# Nearly everything in these tables is over and done with, as in a ledger that is a year old.
LIVE_ROWS = 60

Ask = Callable[[Connection, str], object]


@pytest.fixture(scope="module")
def old_drop(kept_world: World) -> Drop:
    """A drop with thousands of claims, units and sent messages."""
    world = kept_world
    drop = world.drop(stock_units=0, variants=("ONE", "TWO"))
    with world.ledger.begin() as tx:
        claim_ids = _add_claims(tx, drop, _add_leads(tx, world))
        _add_units(tx, drop, claim_ids[0])
        _add_outbox(tx, world)
    with world.ledger.begin() as tx:
        tx.execute(text("ANALYZE"))
    return drop


def _add_leads(tx: Connection, world: World) -> list[str]:
    opened = NOW + timedelta(hours=24)
    crowd = [
        Seen(world.brand.id, world.account.id, f"{number:06d}", NOW, window_expires_at=opened)
        for number in range(ROWS)
    ]
    return [lead.id for lead in leads.upsert_seen(tx, crowd).values()]


def _add_claims(tx: Connection, drop: Drop, lead_ids: list[str]) -> list[str]:
    rows = [_claim_row(drop, lead_id, number) for number, lead_id in enumerate(lead_ids)]
    tx.execute(insert(claims_table), rows)
    return [row["id"] for row in rows]


def _claim_row(drop: Drop, lead_id: str, number: int) -> dict[str, Any]:
    live = {0: State.WAITLISTED, 1: State.HELD}
    state = live.get(number % (ROWS // LIVE_ROWS), State.EXPIRED)
    return {
        "id": new_id("clm"),
        "brand_id": drop.brand_id,
        "drop_id": drop.id,
        "variant_id": drop.variants[0].id,
        "lead_id": lead_id,
        "state": state.value,
        "line": number,
        "currency": "EUR",
        "token": new_token(),
        "created_at": NOW,
        "hold_expires_at": NOW + timedelta(seconds=number),
    }


def _add_units(tx: Connection, drop: Drop, owner: str) -> None:
    """The first variant is nearly sold out, the second has not begun."""
    almost_gone, untouched = (variant.id for variant in drop.variants)
    units.insert_units(tx, untouched, range(ROWS))
    rows = [
        {"variant_id": almost_gone, "unit_no": number, "claim_id": owner if number >= LIVE_ROWS else None}
        for number in range(ROWS)
    ]
    tx.execute(insert(units_table), rows)


def _add_outbox(tx: Connection, world: World) -> None:
    rows = [_outbox_row(world, number) for number in range(ROWS)]
    tx.execute(insert(outbox_table), rows)


def _outbox_row(world: World, number: int) -> dict[str, Any]:
    return {
        "id": new_id("out"),
        "brand_id": world.brand.id,
        "account_id": world.account.id,
        "kind": Work.REPLY.value,
        "priority": Priority.WINNER.value,
        "dedupe_key": str(number),
        "payload": {},
        "state": RowState.READY.value if number < LIVE_ROWS else RowState.DONE.value,
        "next_at": NOW,
        "created_at": NOW,
    }


def ask_outbox(tx: Connection, _: str) -> object:
    return outbox.take_due(tx, NOW, 10)


def ask_holds(tx: Connection, _: str) -> object:
    return claims.list_due(tx, NOW, 10)


def ask_line(tx: Connection, variant_id: str) -> object:
    return claims.find_first_waiting(tx, variant_id, NOW)


def ask_free(tx: Connection, variant_id: str) -> object:
    return units.list_free(tx, variant_id, 10)


@contextmanager
def first_statement(ledger: Ledger) -> Iterator[list[tuple[str, Any]]]:
    """Collects what is sent to the database."""
    sent: list[tuple[str, Any]] = []

    def listen(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append((statement, parameters))

    event.listen(ledger.engine, "before_cursor_execute", listen)
    yield sent
    event.remove(ledger.engine, "before_cursor_execute", listen)


def plan_of(ledger: Ledger, ask: Ask, variant_id: str, is_long: bool = False, nth: int = 0) -> str:
    """How the database answers a statement of `ask`, usually the first, in its own words.

    `is_long`: as if the tables were so long that nobody would read them from end to end.
    """
    with first_statement(ledger) as sent, ledger.begin() as tx:
        ask(tx, variant_id)
    statement, parameters = [one for one in sent if one[0].startswith("SELECT")][nth]
    explain = "EXPLAIN QUERY PLAN " if ledger.is_sqlite else "EXPLAIN "
    with ledger.begin() as tx:
        if is_long and not ledger.is_sqlite:
            tx.execute(text("SET LOCAL enable_seqscan = off"))
        rows = tx.exec_driver_sql(explain + statement, parameters).all()
    return "\n".join(str(row[-1]) for row in rows)


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (ask_outbox, "ix_outbox_open"),
        (ask_holds, "ix_claims_hold_expires_at"),
        (ask_line, "ix_claims_waiting"),
        (ask_free, "ix_units_free"),
    ],
)
def test_what_is_asked_every_second_is_found_by_its_small_index(
    kept_world: World, old_drop: Drop, ask: Ask, index: str
) -> None:
    plan = plan_of(kept_world.ledger, ask, old_drop.variants[0].id)
    assert index in plan
