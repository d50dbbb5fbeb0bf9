"""What happens when a verified delivery arrives? Match, reserve, remember in one commit, ring."""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from claimbot.core.brands import Account, Catalog
from claimbot.core.errors import LedgerUnavailable
from claimbot.core.followers import WINDOW
from claimbot.core.intents import COMMENTS, IntentKind, read_intent
from claimbot.core.messages import Delivery, Inbound, Outcome, Quarantined
from claimbot.db import alerts, inbox, leads, outbox
from claimbot.db.drops import find_versions
from claimbot.db.engine import Tx
from claimbot.failpoints import fp
from claimbot.flows.answer import answer
from claimbot.flows.claim import claim
from claimbot.flows.erase import find_stopped
from claimbot.flows.propose import Proposals, propose
from claimbot.flows.round import Arrived, Round, in_line_order
from claimbot.flows.tell import tell
from claimbot.parts import Parts

log = logging.getLogger("claimbot.receive")

# A drop was edited between the look-up and the commit; more than this many edits in a row do not happen.
STALE_TRIES = 4

# Why an event of the dashboard's Test button is ignored; the same word as the channels use.
TEST = "test"

# Kinds that no person wrote to us; they make no lead.
NO_LEAD = (IntentKind.ECHO, IntentKind.NOTE, IntentKind.UNSEND)


class StaleCatalog(LedgerUnavailable):
    """A drop was edited after we looked; nothing was stored."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signed a delivery: one of the deployment's own secrets, or an account's."""

    account_id: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a delivery."""

    new: int = 0
    duplicates: int = 0
    quarantined: int = 0
    outcomes: tuple[tuple[str, str], ...] = ()
    """(event id, outcome) of each new event."""


def receive(parts: Parts, delivery: Delivery, signed: Signed, received_at: datetime) -> Receipt:
    """Store everything and promise nothing before the commit. Raises LedgerUnavailable when SQL is down."""
    catalog = parts.catalog()
    for _ in range(STALE_TRIES - 1):
        try:
            return _receive(parts, catalog, delivery, signed, received_at)
        except StaleCatalog:
            catalog = parts.catalog(is_fresh=True)
    return _receive(parts, catalog, delivery, signed, received_at)


def _receive(
    parts: Parts, catalog: Catalog, delivery: Delivery, signed: Signed, received_at: datetime
) -> Receipt:
    now = parts.clock()
    arrived, strays = _sort(parts, catalog, delivery, signed, now)
    kept = [*strays, *(_stray(delivery.channel, one, received_at) for one in delivery.quarantined)]
    keys = [one.event_key for one in arrived]
    with parts.ledger.reading() as tx:
        known = inbox.find_known_keys(tx, keys)
        new = [one for one in arrived if one.event_key not in known]
        stopped = find_stopped(tx, parts.settings.sealing_keys, map(_person, new))
    noted = (replace(one, stopped_at=stopped.get(_person(one))) for one in new)
    fresh = in_line_order(_first_of_each(noted))
    if not fresh and not kept:
        return Receipt(duplicates=len(arrived))
    fp("receive.arrived")
    proposals = propose(parts, fresh)
    fp("receive.proposed")
    try:
        finished = parts.ledger.run(lambda tx: _record(tx, now, fresh, kept, proposals))
    except StaleCatalog:
        proposals.give_back_all(parts.gate)
        raise
    tell(parts, finished.hints)
    log.info("received new=%d answers=%d", len(finished.endings), len(finished.rows))
    return Receipt(
        new=len(finished.endings),
        duplicates=len(arrived) - len(finished.endings),
        quarantined=len(kept),
        outcomes=_outcomes(fresh, finished),
    )


def _person(one: Arrived) -> tuple[str, str]:
    return one.account.id, one.event.follower_external_id or ""


def _outcomes(fresh: Sequence[Arrived], finished: Round) -> tuple[tuple[str, str], ...]:
    ids = {one.event_key: one.event.event_id for one in fresh}
    return tuple((ids[ending.event_key], ending.outcome) for ending in finished.endings)


def _first_of_each(arrived: Iterable[Arrived]) -> list[Arrived]:
    """The same event twice in one delivery is one event; the order stays as it came."""
    found: dict[str, Arrived] = {}
    for one in arrived:
        found.setdefault(one.event_key, one)
    return list(found.values())


def _sort(
    parts: Parts, catalog: Catalog, delivery: Delivery, signed: Signed, now: datetime
) -> tuple[list[Arrived], list[inbox.Arrival]]:
    """Events of accounts that we know, and the rest to be kept aside."""
    arrived: list[Arrived] = []
    strays: list[inbox.Arrival] = []
    for event in delivery.events:
        account = catalog.account(event.channel, event.account_external_id)
        if account is None or not may_sign(parts, catalog, account, signed):
            reason = "wrong_secret" if account else TEST if event.ignored == TEST else "unknown_account"
            lost = Quarantined(reason, event.raw, event.account_external_id)
            strays.append(_stray(event.channel, lost, now, event))
            continue
        book = catalog.brands[account.brand_id]
        intent = read_intent(event, book, now)
        seen_at = min(event.sent_at or now, now)
        arrived.append(Arrived(event, inbox.key_of(event), account, book, intent, seen_at))
    return arrived, strays


def may_sign(parts: Parts, catalog: Catalog, account: Account, signed: Signed) -> bool:
    """An account with a secret of its own believes only that; others believe only the deployment's secrets.

    Secrets are compared and not accounts: two accounts, or an account and the deployment, may share one.
    """
    signer = catalog.account_by_id(signed.account_id) if signed.account_id else None
    if account.app_secret:
        return signer is not None and signer.app_secret == account.app_secret
    return signed.account_id is None or (
        signer is not None and signer.app_secret in parts.settings.app_secrets
    )


def _stray(
    channel: str, lost: Quarantined, received_at: datetime, event: Inbound | None = None
) -> inbox.Arrival:
    digest = hashlib.sha256(lost.raw.encode(errors="replace")).hexdigest()
    known_as = event.event_id if event else digest
    return inbox.Arrival(
        event_key=inbox.event_key(channel, f"quarantine:{lost.account_external_id}", known_as),
        event_id=known_as,
        received_at=received_at,
        kind=inbox.QUARANTINED,
        source=lost.reason,
        raw=lost.raw,
    )


def _record(
    tx: Tx,
    now: datetime,
    fresh: Sequence[Arrived],
    kept: Sequence[inbox.Arrival],
    proposals: Proposals,
) -> Round:
    """The one transaction of a delivery."""
    _check_versions(tx, fresh)
    new_keys = inbox.insert_new(tx, [_arrival(one, now) for one in fresh])
    _keep_aside(tx, kept, now)
    mine = [one for one in fresh if one.event_key in new_keys]
    seen = [_seen(one) for one in mine if one.intent.kind not in NO_LEAD or _is_lead(one)]
    people = leads.upsert_seen(tx, seen)
    quiet = [one for one in mine if (one.account.id, one.event.follower_external_id) not in people]
    known = leads.find_known(tx, [(one.account.id, one.event.follower_external_id or "") for one in quiet])
    this = Round(tx, now, {**known, **people})
    proposals = proposals.for_one_run()
    proposals.leave_to_others(one.event_key for one in fresh if one.event_key not in new_keys)
    for wants_units, run in groupby(_in_own_order(mine), key=_is_claim):
        if wants_units:
            claim(this, list(run), proposals)
            continue
        for one in run:
            answer(this, one)
    inbox.mark_ended(tx, this.endings)
    leads.mark_leads(tx, this.lead_changes)
    outbox.insert_rows(tx, this.rows, now)
    proposals.give_back_unused(this.hints)
    return this


def _is_claim(one: Arrived) -> bool:
    return one.intent.kind is IntentKind.CLAIM


def _in_own_order(mine: Sequence[Arrived]) -> list[Arrived]:
    """Claims first, all at once; only who wrote a claim and something else is heard word by word."""
    claimants = {_person(one) for one in mine if _is_claim(one)}
    others = [one for one in mine if _person(one) not in claimants]
    return [*(one for one in mine if _person(one) in claimants), *others]


def _check_versions(tx: Tx, fresh: Sequence[Arrived]) -> None:
    looked_at = {one.intent.drop.id: one.intent.drop.version for one in fresh if one.intent.drop}
    if looked_at and find_versions(tx, sorted(looked_at)) != looked_at:
        raise StaleCatalog("a drop was edited meanwhile")


def _is_lead(one: Arrived) -> bool:
    """Somebody who reacted, mentioned us or wrote something old is a lead too; our own copies are not."""
    is_note = one.intent.kind is IntentKind.NOTE
    return is_note and one.intent.outcome is not Outcome.IGNORED and bool(one.event.follower_external_id)


def _seen(one: Arrived) -> leads.Seen:
    opens_window = one.event.kind not in COMMENTS
    return leads.Seen(
        brand_id=one.account.brand_id,
        account_id=one.account.id,
        external_id=one.event.follower_external_id or "",
        seen_at=one.seen_at,
        source=one.event.source,
        username=one.event.username or "",
        window_expires_at=one.seen_at + WINDOW if opens_window else None,
        opted_out_at=one.stopped_at,
    )


def _arrival(one: Arrived, now: datetime) -> inbox.Arrival:
    return inbox.Arrival(
        event_key=one.event_key,
        event_id=one.event.event_id,
        received_at=now,
        kind=one.event.kind.value,
        account_id=one.account.id,
        brand_id=one.account.brand_id,
        text=one.event.text,
        source=one.event.source,
        sent_at=one.event.sent_at,
        raw=one.event.raw,
    )


def _aside_as(one: inbox.Arrival) -> Outcome:
    """The dashboard's Test button names an account that nobody has: nothing is wrong with that."""
    return Outcome.IGNORED if one.source == TEST else Outcome.QUARANTINED


def _keep_aside(tx: Tx, kept: Sequence[inbox.Arrival], now: datetime) -> None:
    new_keys = inbox.insert_new(tx, kept)
    new = [one for one in kept if one.event_key in new_keys]
    inbox.mark_ended(tx, [inbox.Ending(one.event_key, _aside_as(one).value, one.source) for one in new])
    for reason in sorted({one.source for one in new} - {TEST}):
        text = "A delivery could not be read or routed; look at it with: claimbot doctor"
        alerts.raise_alert(tx, alerts.Alert("quarantine", reason, text), now)
