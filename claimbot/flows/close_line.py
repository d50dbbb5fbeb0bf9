"""What becomes of a drop's line when it takes no claims any more? Everybody in it leaves, and is told."""

from datetime import datetime

from claimbot.core.claims import Event, State, advance
from claimbot.core.drops import Drop
from claimbot.core.followers import WINDOW_MARGIN
from claimbot.core.outbox import NewRow, Priority, Work
from claimbot.core.texts import TextKey
from claimbot.db import outbox
from claimbot.db.engine import Tx
from claimbot.db.lines import WaitingLead, end_line, in_parts, list_reachable
from claimbot.flows.announce import announce
from claimbot.flows.hints import Hints


def close_line(tx: Tx, now: datetime, drop: Drop, hints: Hints) -> int:
    """Returns how many left. The caller has locked the drop, so nobody joins meanwhile."""
    event = Event.DROP_CLOSED
    left = end_line(tx, drop.id, advance(State.WAITLISTED, event), event.value, now)
    for some in in_parts(left):
        announce(tx, now, drop.brand_id, some)
    told = list_reachable(tx, left, now + WINDOW_MARGIN)
    outbox.insert_rows(tx, [_row(drop, one) for one in told], now)
    hints.rings = hints.rings or bool(told)
    return len(left)


def _row(drop: Drop, one: WaitingLead) -> NewRow:
    return NewRow(
        kind=Work.REPLY,
        priority=Priority.REFUSAL,
        dedupe_key=f"{TextKey.LINE_CLOSED.value}:{one.claim_id}",
        brand_id=drop.brand_id,
        payload={"text": TextKey.LINE_CLOSED.value, "drop_id": drop.id},
        account_id=one.account_id,
        lead_id=one.lead_id,
        claim_id=one.claim_id,
    )
