"""What happens when a verified delivery arrives? Match, reserve, remember in one commit, ring."""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from claimbot.core.brands import Account, Catalog
from claimbot.core.errors import LedgerUnavailable
from claimbot.core.followers import WINDOW, Lead, follower_key
from claimbot.core.intents import COMMENTS, Intent, IntentKind, read_intent
from claimbot.core.messages import Delivery, Inbound, Outcome, Quarantined
from claimbot.db import alerts, inbox, leads, outbox
from claimbot.db.catalog import find_version
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

UNKNOWN_ACCOUNT = "unknown_account"

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
    account_ids: frozenset[str] = frozenset()
    """Which of our accounts were spoken to."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A verified delivery as it came."""

    delivery: Delivery
    signed: Signed
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Sorted:
    """A parcel's events of accounts that we know, in line order, and the rest to be kept aside."""

    arrived: Sequence[Arrived]
    kept: Sequence[inbox.Arrival]


def receive(parts: Parts, delivery: Delivery, signed: Signed, received_at: datetime) -> Receipt:
    """Store everything and promise nothing before the commit. Raises LedgerUnavailable when SQL is down."""
    return receive_all(parts, [Parcel(delivery, signed, received_at)])[0]


def receive_all(parts: Parts, parcels: Sequence[Parcel]) -> list[Receipt]:
    """The same for several deliveries, in the order in which they came and in one commit: all or none."""
    catalog = parts.catalog()
    for _ in range(STALE_TRIES - 1):
        try:
            return _receive(parts, catalog, parcels)
        except StaleCatalog:
            catalog = parts.catalog(is_fresh=True)
    return _receive(parts, catalog, parcels)


def _receive(parts: Parts, catalog: Catalog, parcels: Sequence[Parcel]) -> list[Receipt]:
    now = parts.clock()
    found = [_sort(parts, catalog, parcel, now) for parcel in parcels]
    kept = [one for each in found for one in each.kept]
    fresh = _find_new(parts, [one for each in found for one in each.arrived])
    if not fresh and not kept:
        return [_receipt(each, {}) for each in found]
    _check_unknown(parts, catalog, fresh, kept)
    fp("receive.arrived")
    proposals = propose(parts, fresh)
    fp("receive.proposed")

    def story(tx: Tx) -> Round:
        """The one transaction of these deliveries."""
        _keep_aside(tx, kept, now)
        return _record(tx, now, fresh, proposals)

    try:
        finished = parts.ledger.run(story)
    except StaleCatalog:
        proposals.give_back_all(parts.gate)
        raise
    tell(parts, finished.hints)
    log.info("received new=%d answers=%d", len(finished.endings), len(finished.rows))
    outcomes = {ending.event_key: ending.outcome for ending in finished.endings}
    return [_receipt(each, outcomes) for each in found]


def _check_unknown(
    parts: Parts, catalog: Catalog, fresh: Sequence[Arrived], kept: Sequence[inbox.Arrival]
) -> None:
    """A word or an account that nobody knows may be newer than our catalog: the first second of a launch."""
    is_word_unknown = any(one.intent.outcome is Outcome.UNMATCHED for one in fresh)
    if not is_word_unknown and not any(one.source == UNKNOWN_ACCOUNT for one in kept):
        return
    with parts.ledger.reading() as tx:
        if find_version(tx) != catalog.version:
            raise StaleCatalog("a word or an account may be new")


def _receipt(found: Sorted, outcomes: dict[str, str]) -> Receipt:
    """Takes its events out of `outcomes`: the same event in the next parcel is a duplicate."""
    new = tuple(
        (one.event.event_id, outcomes.pop(one.event_key))
        for one in found.arrived
        if one.event_key in outcomes
    )
    account_ids = frozenset([one.account.id for one in found.arrived])
    return Receipt(len(new), len(found.arrived) - len(new), len(found.kept), new, account_ids)


def _find_new(parts: Parts, arrived: Sequence[Arrived]) -> list[Arrived]:
    """Those that the ledger has not got, each once, and who of them wrote STOP before they were erased."""
    if not arrived:
        return []
    with parts.ledger.glancing() as tx:
        known = inbox.find_known_keys(tx, [one.event_key for one in arrived])
        new = [one for one in _first_of_each(arrived) if one.event_key not in known]
        stopped = find_stopped(tx, parts.settings.sealing_keys, map(_person, new)) if new else {}
    if not stopped:
        return new
    return [replace(one, stopped_at=stopped.get(_person(one))) for one in new]


def _person(one: Arrived) -> tuple[str, str]:
    return one.account.id, one.event.follower_external_id or ""


def _first_of_each(arrived: Iterable[Arrived]) -> list[Arrived]:
    """The same event twice is one event; the order stays as it came."""
    found: dict[str, Arrived] = {}
    for one in arrived:
        found.setdefault(one.event_key, one)
    return list(found.values())


def _sort(parts: Parts, catalog: Catalog, parcel: Parcel, now: datetime) -> Sorted:
    arrived: list[Arrived] = []
    kept: list[inbox.Arrival] = []
    for event in parcel.delivery.events:
        account = catalog.account(event.channel, event.account_external_id)
        if account is None or not may_sign(parts, catalog, account, parcel.signed):
            reason = "wrong_secret" if account else TEST if event.ignored == TEST else UNKNOWN_ACCOUNT
            lost = Quarantined(reason, event.raw, event.account_external_id)
            kept.append(_stray(event.channel, lost, now, event))
            continue
        book = catalog.brands[account.brand_id]
        intent = read_intent(event, book, now)
        seen_at = min(event.sent_at or now, now)
        who = follower_key(account.id, event.follower_external_id or "") if _wants(intent) else ""
        arrived.append(Arrived(event, inbox.key_of(event), account, book, intent, seen_at, who))
    kept += [_stray(parcel.delivery.channel, one, parcel.received_at) for one in parcel.delivery.quarantined]
    return Sorted(in_line_order(arrived), kept)


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


def _record(tx: Tx, now: datetime, fresh: Sequence[Arrived], proposals: Proposals) -> Round:
    """What the events lead to, up to their endings."""
    _check_versions(tx, fresh)
    people = _meet(tx, fresh)
    # Only now: whoever delivers the same message at this moment waited for its person, or we for them.
    known = inbox.find_known_keys(tx, [one.event_key for one in fresh])
    mine = [one for one in fresh if one.event_key not in known]
    this = Round(tx, now, people)
    proposals = proposals.for_one_run()
    proposals.leave_to_others(known)
    for wants_units, run in groupby(_in_own_order(mine), key=_is_claim):
        if wants_units:
            claim(this, list(run), proposals)
            continue
        for one in run:
            answer(this, one)
    leads.mark_leads(tx, this.lead_changes)
    outbox.insert_rows(tx, this.rows, now)
    endings = {ending.event_key: ending for ending in this.endings}
    inbox.insert_events(tx, [(_arrival(one, now), endings[one.event_key]) for one in mine])
    for account_id, event_id in this.unsent:
        inbox.forget_text(tx, account_id, event_id)
    proposals.give_back_unused(this.hints)
    return this


def _meet(tx: Tx, fresh: Sequence[Arrived]) -> dict[tuple[str, str], Lead]:
    """Who wrote becomes a lead; of the others we take those that we know."""
    seen = [_seen(one) for one in fresh if one.intent.kind not in NO_LEAD or _is_lead(one)]
    people = leads.upsert_seen(tx, seen)
    quiet = {_person(one) for one in fresh} - people.keys()
    return {**leads.find_known(tx, sorted(quiet)), **people} if quiet else people


def _wants(intent: Intent) -> bool:
    return intent.kind is IntentKind.CLAIM


def _is_claim(one: Arrived) -> bool:
    return _wants(one.intent)


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
    if not kept:
        return
    known = inbox.find_known_keys(tx, [one.event_key for one in kept])
    new = [one for one in kept if one.event_key not in known]
    endings = (inbox.Ending(one.event_key, _aside_as(one).value, one.source) for one in new)
    inbox.insert_events(tx, zip(new, endings, strict=True))
    for reason in sorted({one.source for one in new} - {TEST}):
        text = "A delivery could not be read or routed; look at it with: claimbot doctor"
        alerts.raise_alert(tx, alerts.Alert("quarantine", reason, text), now)
