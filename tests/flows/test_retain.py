"""People are kept as long as their brand says, and no longer; who still waits or pays is left alone."""

from datetime import timedelta
from typing import Any

import pytest

from claimbot.core.claims import State
from claimbot.flows.retain import forget_outlived
from claimbot.parts import Parts
from tests.builders import NOW, World, make_account, make_brand, make_claim, make_drop, make_lead
from tests.flows.test_erase import parts as parts  # the engine alone, at NOW

OLD = {"first_seen_at": NOW - timedelta(days=400), "last_seen_at": NOW - timedelta(days=365, seconds=1)}


def erased(world: World) -> list[str]:
    with world.ledger.reading() as tx:
        rows = tx.exec_driver_sql("SELECT id FROM leads WHERE erased_at IS NOT NULL ORDER BY id")
        return [row[0] for row in rows]


def test_who_was_not_heard_for_so_long_is_erased(parts: Parts, world: World) -> None:
    old = make_lead(world.ledger, world.account, "old", email="canary@example.org", **OLD)
    make_lead(world.ledger, world.account, "new", **{**OLD, "last_seen_at": NOW - timedelta(days=364)})

    assert forget_outlived(parts) == 1

    assert erased(world) == [old.id]
    assert forget_outlived(parts) == 0


def test_each_brand_has_its_own_days(parts: Parts, world: World) -> None:
    patient = make_brand(world.ledger, "patient", retention_days=3650)
    account = make_account(world.ledger, patient, "17841400000000777")
    make_lead(world.ledger, account, "kept", **OLD)
    gone = make_lead(world.ledger, world.account, "gone", **OLD)

    forget_outlived(parts)

    assert erased(world) == [gone.id]


@pytest.mark.parametrize(
    ("state", "changes", "count"),
    [
        (State.WAITLISTED, {}, 0),
        (State.HELD, {}, 0),
        (State.PENDING, {}, 0),
        (State.REFUNDING, {}, 0),
        (State.SOLD, {"paid_minor": 12_900}, 1),
        (State.EXPIRED, {}, 1),
    ],
)
def test_what_may_still_change_keeps_its_person(
    parts: Parts, world: World, state: State, changes: dict[str, Any], count: int
) -> None:
    drop = make_drop(world.ledger, world.brand)
    make_claim(world.ledger, drop, make_lead(world.ledger, world.account, "old", **OLD), state, **changes)

    assert forget_outlived(parts) == count
