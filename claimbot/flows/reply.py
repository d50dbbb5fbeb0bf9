"""How does one message get to one follower? Check, render, send once, and note what became of it."""

import logging
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from claimbot.channels import by_name
from claimbot.channels.base import Channel
from claimbot.core.brands import Account, BrandBook
from claimbot.core.claims import Claim, Event, State, may
from claimbot.core.drops import Drop, DropKind, LinkMode
from claimbot.core.followers import Lead
from claimbot.core.messages import SendingAccount, SendResult, Verdict
from claimbot.core.outbox import AGE_MAX, ECHO_WAIT, SENDS_MAX, OutboxRow, RowState, Work, backoff_seconds
from claimbot.db import claims, drops, leads, outbox
from claimbot.db.engine import Tx
from claimbot.failpoints import fp
from claimbot.flows.checkout import ensure_session, pay_link
from claimbot.flows.confirm import mark_told
from claimbot.flows.hints import Hints
from claimbot.flows.park import is_renewed, park
from claimbot.flows.release import end_claim
from claimbot.flows.tell import tell
from claimbot.flows.wording import Occasion, write_reply
from claimbot.parts import Parts

log = logging.getLogger("claimbot.send")

# In `auto` mode a session that takes longer than this does not hold up the message: the pay link goes out.
SESSION_PATIENCE = timedelta(seconds=2)

# By then every process has read the catalog again.
CATALOG_AGE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything needed to write and send the message of a row."""

    account: Account
    channel: Channel
    book: BrandBook
    lead: Lead
    claim: Claim | None
    drop: Drop | None
    stock_units: int | None


def send_row(parts: Parts, row: OutboxRow) -> None:
    """The outbox rows `offer` and `reply`."""
    letter = _read(parts, row)
    if isinstance(letter, str):
        return _stop(parts, row, letter)
    now = parts.clock()
    if row.called_at is not None and not _settle_unknown(parts, row, now):
        return None
    wait_seconds = _pace(parts, row, letter.account)
    if wait_seconds > 0:
        return _again(parts, row, wait_seconds, "paced")
    channel = letter.channel
    reply = write_reply(_occasion(parts, row, letter), _url(parts, row, letter), channel.limits)
    fp("offer.after_session")
    payload = {**row.payload, "rendered": reply.text}
    with parts.ledger.begin() as tx:
        is_mine = outbox.mark_calling(tx, row, parts.clock(), payload)
    if not is_mine:
        return None
    result = channel.send(parts.http, sender_of(letter.account), reply, letter.lead.external_id, row.id)
    return _note(parts, row, letter, result)


def _read(parts: Parts, row: OutboxRow) -> Letter | str:
    """What is needed to send, or the reason why nothing will be sent."""
    catalog = parts.catalog()
    account = catalog.account_by_id(row.account_id or "")
    channel = by_name(account.channel) if account else None
    if account is None or channel is None:
        return "no_account"
    book = catalog.brands[account.brand_id]
    with parts.ledger.reading() as tx:
        lead = leads.find_lead(tx, row.lead_id or "")
        claim = claims.find_claim(tx, row.claim_id) if row.claim_id else None
        drop = drops.find_drop(tx, row.payload["drop_id"]) if "drop_id" in row.payload else None
        stock = drops.list_stock(tx, drop.id) if drop else {}
    if lead is None:
        return "no_lead"
    stock_units = stock.get(claim.variant_id) if claim else sum(stock.values())
    letter = Letter(account, channel, book, lead, claim, drop, stock_units or None)
    return _why_not(row, letter, parts.clock()) or letter


def _why_not(row: OutboxRow, letter: Letter, now: datetime) -> str:
    """Why this message must not, or need not, be sent any more; empty when it may."""
    if letter.lead.opted_out_at is not None and not row.payload.get("despite_stop"):
        return "opted_out"
    if now - row.created_at > AGE_MAX:
        return "too_old"
    if row.kind is Work.OFFER and (letter.claim is None or letter.claim.state is not State.HELD):
        return "no_longer_held"
    is_free_form = not row.payload.get("comment_id")
    has_window = letter.lead.window_expires_at is not None and now < letter.lead.window_expires_at
    return "window_closed" if is_free_form and not has_window else ""


def _settle_unknown(parts: Parts, row: OutboxRow, now: datetime) -> bool:
    """An earlier send has an unknown outcome. True: it may be sent once more now."""
    assert row.called_at is not None  # that is what makes it unknown
    if now < row.called_at + ECHO_WAIT:
        wait_seconds = (row.called_at + ECHO_WAIT - now).total_seconds()
        _again(parts, row, wait_seconds, "unknown_outcome", was_accepted=True)
        return False
    if row.sends >= SENDS_MAX or row.payload.get("comment_id"):
        _give_up(parts, row, now)
        return False
    return True


def _give_up(parts: Parts, row: OutboxRow, now: datetime) -> None:
    """Nobody knows whether it was sent. An offer counts as told: the pay link works either way."""
    with parts.ledger.begin() as tx:
        if outbox.mark_stopped(tx, row, RowState.DEAD, "unknown_outcome", now):
            mark_told(tx, now, row)


def _pace(parts: Parts, row: OutboxRow, account: Account) -> float:
    settings = parts.settings
    if row.payload.get("comment_id"):
        rule = f"{settings.private_reply_per_hour}/hour"
        return parts.budgets.spend(f"private_reply:{account.id}", rule)
    return parts.budgets.wait_turn(f"send:{account.id}", f"{settings.send_per_second}/second")


def _url(parts: Parts, row: OutboxRow, letter: Letter) -> str:
    """Where the button leads; empty for messages without one."""
    claim, drop = letter.claim, letter.drop
    wants_link = row.kind is Work.OFFER or row.payload.get("link")
    if not wants_link or claim is None or drop is None or drop.kind is not DropKind.PAID:
        return ""
    if drop.link_mode is LinkMode.PAY_LINK:
        return pay_link(parts, claim)
    session = ensure_session(parts, claim.id, is_hasty=drop.link_mode is LinkMode.AUTO)
    took = parts.clock() - row.taken_at
    is_in_time = drop.link_mode is LinkMode.DIRECT or took <= SESSION_PATIENCE
    return session.url if session.url and is_in_time else pay_link(parts, claim)


def _occasion(parts: Parts, row: OutboxRow, letter: Letter) -> Occasion:
    return Occasion(
        kind=row.kind,
        payload=row.payload,
        book=letter.book,
        lead=letter.lead,
        now=parts.clock(),
        drop=letter.drop,
        claim=letter.claim,
        stock_units=letter.stock_units,
    )


def sender_of(account: Account) -> SendingAccount:
    return SendingAccount(
        account.id,
        account.channel,
        account.variant,
        account.external_id,
        account.page_id,
        account.token,
        account.username,
    )


def _note(parts: Parts, row: OutboxRow, letter: Letter, result: SendResult) -> None:
    """Write down what became of the call."""
    now = parts.clock()
    log.info("sent row=%s kind=%s %s %s", row.id, row.kind, result.verdict, result.reason)
    match result.verdict:
        case Verdict.DONE:
            with parts.ledger.begin() as tx:
                if outbox.mark_done(tx, row, now, result.result_id):
                    mark_told(tx, now, row)
                    leads.join_identity(tx, letter.lead, result.recipient_external_id)
        case Verdict.RETRY:
            seconds = result.retry_after_seconds or backoff_seconds(row.attempts, random.random())  # noqa: S311 - spread, no secret
            _again(parts, row, seconds, result.reason)
        case Verdict.UNKNOWN:
            _again(parts, row, ECHO_WAIT.total_seconds(), "unknown_outcome", was_accepted=True)
        case Verdict.PARKED:
            _park(parts, row, letter.account, result.reason)
        case Verdict.DEAD:
            _stop(parts, row, result.reason)


def _again(
    parts: Parts, row: OutboxRow, wait_seconds: float, reason: str, was_accepted: bool = False
) -> None:
    next_at = parts.clock() + timedelta(seconds=wait_seconds)
    with parts.ledger.begin() as tx:
        outbox.mark_again(tx, row, next_at, reason, was_accepted)


def _park(parts: Parts, row: OutboxRow, account: Account, reason: str) -> None:
    """The account cannot send: everything of it waits until a person mends it; said once."""
    now = parts.clock()
    with parts.ledger.begin() as tx:
        if is_renewed(tx, parts, account):
            outbox.mark_again(tx, row, now + CATALOG_AGE, "token_renewed", was_accepted=False)
            return
        outbox.mark_stopped(tx, row, RowState.PARKED, reason, now)
        park(tx, account, reason, now)


def _stop(parts: Parts, row: OutboxRow, reason: str) -> None:
    """This message is never sent. Who cannot be offered a unit does not keep it."""
    now = parts.clock()

    def story(tx: Tx) -> Hints:
        hints = Hints()
        if outbox.mark_stopped(tx, row, RowState.DEAD, reason, now) and row.kind is Work.OFFER:
            claim = claims.lock_claim(tx, row.claim_id or "")
            if claim is not None and may(claim.state, Event.UNREACHABLE):
                end_claim(tx, now, claim, Event.UNREACHABLE, hints)
        return hints

    tell(parts, parts.ledger.run(story))
