"""When does the follower know? The send was answered, or its echo came: the hold clock starts, once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from claimbot.core.claims import Event, may
from claimbot.core.followers import Lead
from claimbot.core.messages import Inbound
from claimbot.core.outbox import OutboxRow, Work
from claimbot.core.texts import TextKey
from claimbot.db import claims, drops, outbox
from claimbot.db.engine import Tx

# Messages that tell a follower for the first time what became of their claim.
TELLING = (
    TextKey.HELD,
    TextKey.HELD_PARTIAL,
    TextKey.PROMOTED,
    TextKey.WAITLISTED,
    TextKey.FREE_GIVEN,
    TextKey.GRANTED,
)

# Two texts that begin with this many equal characters are one; nobody types our wordings by hand.
SAME_CHARS = 100


def mark_told(tx: Tx, now: datetime, row: OutboxRow) -> None:
    """The message of this row reached the platform: note it in its claim."""
    if row.claim_id is None or row.payload.get("text") not in TELLING:
        return
    claim = claims.lock_claim(tx, row.claim_id)
    if claim is None:
        return
    if row.kind is Work.OFFER and may(claim.state, Event.TOLD) and claim.hold_expires_at is None:
        drop = drops.find_drop(tx, claim.drop_id)
        assert drop is not None  # a claim's drop is never deleted
        end = now + timedelta(minutes=drop.hold_minutes)
        claims.mark_values(tx, claim.id, told_at=now, hold_expires_at=end)
    elif claim.told_at is None:
        claims.mark_values(tx, claim.id, told_at=now)


def confirm_echo(tx: Tx, now: datetime, echo: Inbound, lead: Lead) -> bool:
    """Is this echo one of ours? If its outcome was unknown until now, it is known from here on."""
    if outbox.find_by_result(tx, lead.account_id, echo.event_id):
        return True
    row = _matching(outbox.list_unconfirmed(tx, lead.id), echo)
    if row is None:
        # A send that was repeated or given up: its echo only comes late.
        return _matching(outbox.list_doubtful(tx, lead.id), echo) is not None
    if outbox.mark_confirmed(tx, row.id, now, echo.event_id):
        mark_told(tx, now, row)
    return True


def _matching(unconfirmed: Sequence[OutboxRow], echo: Inbound) -> OutboxRow | None:
    """The row whose message this is: by its text, or, for a button whose echo has none, the oldest."""
    for row in unconfirmed:
        if echo.text and _is_same(row, echo.text):
            return row
    return unconfirmed[0] if unconfirmed and not echo.text else None


def _is_same(row: OutboxRow, echoed: str) -> bool:
    """The channel may have put the link or the choices behind our text, or cut a long one."""
    said, heard = _flat(str(row.payload.get("rendered", ""))), _flat(echoed)
    if len(said) >= SAME_CHARS:
        return heard.startswith(said[:SAME_CHARS])
    has_more = heard.startswith(f"{said} " if row.payload.get("comment_id") else f"{said} http")
    return bool(said) and (heard == said or has_more)


def _flat(text: str) -> str:
    return " ".join(text.split())
