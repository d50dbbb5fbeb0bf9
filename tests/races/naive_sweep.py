"""How would two sweepers serve one unit twice? Look for holds that are over, then end them as if alone."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select, update

from claimbot.core.claims import State
from claimbot.db import claims, units
from claimbot.db.engine import Ledger
from claimbot.db.tables import claims as claims_table


def sweep_naively(ledger: Ledger, now: datetime, between: Callable[[], object]) -> int:
    """`between` runs after the look and before the writes, where the other sweeper is."""
    is_due = (claims_table.c.state == State.HELD.value, claims_table.c.hold_expires_at <= now)
    with ledger.reading() as tx:
        due = tx.execute(select(claims_table.c.id, claims_table.c.variant_id).where(*is_due)).all()
    between()
    for claim in due:
        with ledger.begin() as tx:
            units.free_units(tx, [claim.id])
            # Whoever ended it meanwhile is not asked: the state that it should have is not named.
            over = update(claims_table).where(claims_table.c.id == claim.id)
            tx.execute(over.values(state=State.EXPIRED.value, ended_at=now))
            first = claims.find_first_waiting(tx, claim.variant_id, now)
            if first is not None:
                claims.mark_state(tx, first, State.HELD)
                units.take_any(tx, first.id, first.variant_id, first.quantity)
    return len(due)
