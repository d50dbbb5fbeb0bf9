"""What is the follower called? Looked up once, after they wrote to us, and never on the way to a claim."""

from datetime import timedelta

from claimbot.channels import by_name
from claimbot.core.messages import Profile, SendResult, Verdict
from claimbot.core.outbox import NewRow, OutboxRow, Priority, RowState, Work, backoff_seconds
from claimbot.db import leads, outbox
from claimbot.db.engine import Tx
from claimbot.flows.reply import sender_of
from claimbot.parts import Parts

# How many look-ups one sweep writes down: names are nice to have, and wait behind every message.
BATCH = 100


def ask_for_profiles(parts: Parts) -> int:
    """Write down a look-up for those who wrote and whom we do not know yet; returns how many."""
    now = parts.clock()

    def story(tx: Tx) -> int:
        unknown = leads.list_without_profile(tx, now, BATCH)
        rows = [
            NewRow(
                kind=Work.PROFILE,
                priority=Priority.PROFILE,
                dedupe_key=f"profile:{lead.id}",
                brand_id=lead.brand_id,
                payload={},
                account_id=lead.account_id,
                lead_id=lead.id,
            )
            for lead in unknown
        ]
        outbox.insert_rows(tx, rows, now)
        for lead in unknown:
            leads.mark_lead(tx, lead.id, {"profile_at": now})
        return len(rows)

    return parts.ledger.run(story)


def look_up(parts: Parts, row: OutboxRow) -> None:
    """The outbox row `profile`."""
    account = parts.catalog().account_by_id(row.account_id or "")
    with parts.ledger.reading() as tx:
        lead = leads.find_lead(tx, row.lead_id or "")
    channel = by_name(account.channel) if account else None
    if account is None or channel is None or lead is None or lead.opted_out_at is not None:
        return _stop(parts, row, "not_wanted")
    rule = f"{parts.settings.profile_per_hour}/hour"
    wait_seconds = parts.budgets.spend(f"profile:{account.id}", rule)
    if wait_seconds > 0:
        return _again(parts, row, wait_seconds, "paced")
    found = channel.profile(parts.http, sender_of(account), lead.external_id)
    if isinstance(found, Profile):
        return _note(parts, row, lead.id, found)
    return _failed(parts, row, found)


def _note(parts: Parts, row: OutboxRow, lead_id: str, found: Profile) -> None:
    values = {"follows_account": found.follows_account}
    known = {"name": found.name, "username": found.username}
    with parts.ledger.begin() as tx:
        if not leads.is_erased(tx, lead_id):
            leads.mark_lead(tx, lead_id, {**values, **{name: word for name, word in known.items() if word}})
        outbox.mark_done(tx, row, parts.clock())


def _failed(parts: Parts, row: OutboxRow, result: SendResult) -> None:
    """A name is nice to have: a few tries, and no alarm."""
    if result.verdict in (Verdict.DEAD, Verdict.PARKED) or row.attempts >= 3:
        _stop(parts, row, result.reason or result.verdict.value)
    else:
        _again(parts, row, result.retry_after_seconds or backoff_seconds(row.attempts, 0.5), result.reason)


def _stop(parts: Parts, row: OutboxRow, reason: str) -> None:
    with parts.ledger.begin() as tx:
        outbox.mark_stopped(tx, row, RowState.DEAD, reason, parts.clock())


def _again(parts: Parts, row: OutboxRow, wait_seconds: float, reason: str) -> None:
    with parts.ledger.begin() as tx:
        next_at = parts.clock() + timedelta(seconds=wait_seconds)
        outbox.mark_again(tx, row, next_at, reason, was_accepted=False)
