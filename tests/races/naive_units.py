"""How would one oversell? Look for a free unit, then write: right for one follower, wrong for two."""

from collections.abc import Callable

from sqlalchemy import update

from claimbot.db import units
from claimbot.db.engine import Ledger
from claimbot.db.tables import units as units_table


def take_naively(
    ledger: Ledger, claim_id: str, variant_id: str, between: Callable[[], object]
) -> tuple[int, ...]:
    """`between` runs after the look and before the write, where the rivals are."""
    with ledger.reading() as tx:
        free = units.list_free(tx, variant_id, 1)
    between()
    with ledger.begin() as tx:
        mine = update(units_table).where(
            units_table.c.variant_id == variant_id, units_table.c.unit_no.in_(free)
        )
        tx.execute(mine.values(claim_id=claim_id))
    return tuple(free)
