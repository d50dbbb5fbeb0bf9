"""How does a person of the brand write to a follower? Through the outbox; the machine is silent then."""

from dataclasses import dataclass

from claimbot.channels import by_name
from claimbot.core.errors import Refused
from claimbot.core.outbox import NewRow, Priority, Work
from claimbot.db import audit, leads, outbox
from claimbot.db.engine import Tx
from claimbot.flows.person import FOREVER
from claimbot.parts import Parts

GONE = "There is no such person any more."
STOPPED = "They wrote STOP: nobody may write to them before they write START."
CLOSED = "Their last message is more than 24 hours old: nobody may write to them before they write again."


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody wrote. `once` is of the form it was typed in: sent twice, it is one message."""

    text: str
    once: str


def bytes_most(parts: Parts, account_id: str) -> int:
    """How long a message of this account's channel may be."""
    account = parts.catalog().account_by_id(account_id)
    channel = by_name(account.channel) if account else None
    return channel.limits.text_bytes if channel else 0


def write_to(parts: Parts, actor: str, lead_id: str, words: Words) -> None:
    """Goes out as soon as the account may send. Raises Refused with what to tell who wrote."""
    now, text = parts.clock(), words.text.strip()
    if not text:
        raise Refused("There is nothing to send: write a message.")

    def story(tx: Tx) -> None:
        lead = leads.find_lead(tx, lead_id)
        if lead is None or leads.is_erased(tx, lead_id):
            raise Refused(GONE)
        if lead.opted_out_at is not None:
            raise Refused(STOPPED)
        if not lead.is_reachable(now):
            raise Refused(CLOSED)
        most = bytes_most(parts, lead.account_id)
        if len(text.encode()) > most:
            raise Refused(f"This is too long: at most {most} bytes can be sent, about as many letters.")
        row = NewRow(
            kind=Work.PERSONAL,
            priority=Priority.PERSON,
            dedupe_key=f"{Work.PERSONAL.value}:{lead.id}:{words.once}",
            brand_id=lead.brand_id,
            payload={"words": text},
            account_id=lead.account_id,
            lead_id=lead.id,
        )
        outbox.insert_rows(tx, [row], now)
        leads.mark_lead(tx, lead.id, {"human_until": FOREVER})
        audit.insert_line(tx, actor, "lead_written_to", lead.id, now=now, brand_id=lead.brand_id)

    parts.ledger.run(story)
    parts.bell.ring()
