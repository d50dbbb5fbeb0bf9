"""How long are people kept? After their last message as many days as their brand says, then no longer."""

from datetime import timedelta

from claimbot.db import brands, erasures
from claimbot.flows.erase import erase
from claimbot.parts import Parts

ACTOR = "retention"
# Each is a transaction of its own; the next look takes the rest.
AT_ONCE = 500


def forget_outlived(parts: Parts) -> int:
    """Who still waits, holds or pays is left alone; returns how many were erased."""
    now = parts.clock()
    with parts.ledger.reading() as tx:
        limits = {one.id: now - timedelta(days=one.retention_days) for one in brands.list_brands(tx)}
        found = [
            lead_id
            for brand_id, before in limits.items()
            for lead_id in erasures.list_outlived(tx, brand_id, before, AT_ONCE)
        ][:AT_ONCE]
    for lead_id in found:
        erase(parts, ACTOR, lead_id)
    return len(found)
