"""What was written to us that no webhook told? Read from an account's conversations, received as usual.

Looked for after a gap (the platform had unsubscribed us, the account was parked, the engine was down), and
now and then while a drop is open. What is found has the key of its webhook: whichever comes second is a
duplicate. Who is found late takes the place in line that is free then, and overtakes nobody who was told one;
those who are found together stand in the order in which the platform says that they wrote.

A look reads a page or two each second, so that the clock's other chores go on, and is begun anew by a process
that dies. Only words are looked for: taps and pictures are told by webhooks alone, and what is younger than
GRACE is left to them.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from claimbot.channels import by_name
from claimbot.channels.base import Page, Threads
from claimbot.channels.meta_errors import OF_THE_TOKEN
from claimbot.core.brands import Account
from claimbot.core.drops import Phase, phase
from claimbot.core.errors import Outside
from claimbot.core.messages import Delivery, Inbound, SendResult, Verdict
from claimbot.core.outbox import Priority
from claimbot.db import alerts, audit, inbox, outbox
from claimbot.db.engine import Tx
from claimbot.flows.books import RESTORED
from claimbot.flows.gaps import Heard, find_heard, note_heard, notice_gaps
from claimbot.flows.park import is_renewed, park
from claimbot.flows.receive import Signed, receive
from claimbot.flows.reply import sender_of
from claimbot.flows.resubscribe import MISSED
from claimbot.parts import Parts

log = logging.getLogger("claimbot.catch_up")

# Somebody must mend what keeps us from looking.
BLIND = "conversations"

# Webhooks mostly come within seconds; and a tap that came as words only would lose what it chose.
GRACE = timedelta(seconds=30)
# While a drop is open, a message that was lost without any sign waits so long at most.
EVERY = timedelta(minutes=5)
# The platform's clock may be behind ours.
OVERLAP = timedelta(minutes=1)
# Who wrote more than a day ago cannot be answered; a day more goes into the ledger.
LOOK_BACK_MOST = timedelta(days=2)
# Should a message have another id here than in its webhook: conversations tell whole seconds.
SAME_MOMENT = timedelta(seconds=2)
# Calls that leave us evenly do not arrive evenly, and one too many costs a minute.
SLOWER_THAN_ALLOWED = 1.2
# After trouble with the platform, and when a person has to mend something.
REST, LONG_REST = timedelta(minutes=1), timedelta(hours=1)

CALLS_AT_ONCE = 4
THREADS_AT_ONCE = 25
# Ten thousand conversations.
PAGES_MOST = 400
# As many of what was found are received in one round.
RECEIVED_AT_ONCE = 200
# The ledger knows by these names what came by another way: a copy of another app's thread, a text taken back.
OTHER_NAMES = ("", "standby:", "unsend:")


@dataclass
class Look:
    """One look through the conversations of an account, the latest first, until it reaches what was heard."""

    account_id: str
    since: datetime
    until: datetime
    page: Page = field(default_factory=lambda: Page(THREADS_AT_ONCE))
    pages: int = 0
    is_read: bool = False
    events: dict[str, Inbound] = field(default_factory=dict)
    found: int = 0
    at_once: int = RECEIVED_AT_ONCE

    def turn(self, found: Threads) -> None:
        self.pages += 1
        self.page = Page(THREADS_AT_ONCE, found.after)
        is_old = found.oldest_at is None or found.oldest_at < self.since
        self.is_read = is_old or not found.after or self.pages >= PAGES_MOST

    @property
    def is_cut(self) -> bool:
        return self.pages >= PAGES_MOST and bool(self.page.after)

    def take(self, most: int) -> list[Inbound]:
        """The oldest of what was found."""
        in_order = sorted(self.events.values(), key=lambda one: one.sent_at or self.until)
        return in_order[:most]


@dataclass(eq=False)
class CatchUp:
    """The chore. It returns how many lost messages it received."""

    looks: dict[str, Look] = field(default_factory=dict)
    rests: dict[str, datetime] = field(default_factory=dict)
    turns: dict[str, datetime] = field(default_factory=dict)
    """When an account may be asked next; our count of a second begins at another moment than theirs."""

    def __call__(self, parts: Parts) -> int:
        now = parts.clock()
        heard = notice_gaps(parts, now)
        live = {one.id: one for one in parts.catalog().accounts.values() if _is_live(one, heard)}
        self.looks = {name: look for name, look in self.looks.items() if name in live}
        self.rests = {name: until for name, until in self.rests.items() if until > now}
        for account in live.values():
            known = heard[account.id]
            is_busy = account.id in self.looks or account.id in self.rests
            if not is_busy and _is_due(parts, account, known, now):
                since = max(known.until - OVERLAP, now - LOOK_BACK_MOST)
                self.looks[account.id] = Look(account.id, since, now - GRACE)
        # Short looks end first.
        waiting = [one for one in self.looks.values() if one.account_id not in self.rests]
        looks = sorted(waiting, key=lambda one: one.pages)
        self._read(parts, live, looks)
        return sum(self._receive(parts, live[one.account_id], one) for one in looks if one.is_read)

    def _read(self, parts: Parts, live: dict[str, Account], looks: Iterable[Look]) -> None:
        """A few pages; the first call that fails ends the round, for it may have taken long."""
        calls = CALLS_AT_ONCE
        for look in looks:
            while calls and not look.is_read and self.may_ask(parts, look.account_id):
                calls -= 1
                if not self._read_page(parts, live[look.account_id], look):
                    return

    def may_ask(self, parts: Parts, account_id: str) -> bool:
        """Is it this account's turn? The next one is then some time away."""
        per_second = parts.settings.conversations_per_second
        now = parts.clock()
        if now < self.turns.get(account_id, now):
            return False
        self.turns[account_id] = now + timedelta(seconds=SLOWER_THAN_ALLOWED / per_second)
        return not parts.budgets.spend(f"threads:{account_id}", f"{per_second}/second")

    def _read_page(self, parts: Parts, account: Account, look: Look) -> bool:
        channel = by_name(account.channel)
        assert channel is not None  # the account came in through it
        now = parts.clock()
        found = channel.threads(parts.http, sender_of(account), look.page, now)
        if isinstance(found, SendResult):
            self._rest(parts, account, look, found)
            return False
        theirs = [
            one for one in found.delivery.events if one.sent_at and look.since <= one.sent_at <= look.until
        ]
        look.events |= _unknown(parts, account, theirs)
        look.turn(found)
        return True

    def _rest(self, parts: Parts, account: Account, look: Look, result: SendResult) -> None:
        now = parts.clock()
        log.warning("conversations_not_read account=%s %s", account.id, result.reason)
        rest = REST
        if result.verdict is Verdict.RETRY and result.retry_after_seconds:
            rest = timedelta(seconds=result.retry_after_seconds)
        if result.verdict is Verdict.UNKNOWN:
            # It may have been too much for one answer.
            look.page = Page(max(look.page.most // 2, 1), look.page.after)
        if result.verdict in (Verdict.PARKED, Verdict.DEAD):
            del self.looks[account.id]
            # A parked account has no looks; connected again, it need not wait.
            rest = REST if result.reason in OF_THE_TOKEN else LONG_REST
            parts.ledger.run(lambda tx: _note_refusal(tx, parts, account, result.reason, now))
        self.rests[account.id] = now + rest

    def _receive(self, parts: Parts, account: Account, look: Look) -> int:
        """What was found, the oldest first; when all of it is in the ledger, the look is over."""
        found = look.take(look.at_once)
        new = _received(parts, account, found)
        if new is None and len(found) > 1:
            # The next rounds find out which one it was.
            look.at_once = 1
            return 0
        for event in found:
            del look.events[inbox.key_of(event)]
        look.found += new or 0
        if not look.events:
            del self.looks[account.id]
            now = parts.clock()
            parts.ledger.run(lambda tx: _note_end(tx, account, look, now))
        return new or 0


def _received(parts: Parts, account: Account, found: Sequence[Inbound]) -> int | None:
    """How many were new. None: one of them breaks us, and must not hold up those behind it."""
    signed = Signed(account.id if account.app_secret else None)
    try:
        return receive(parts, Delivery(account.channel, tuple(found)), signed, parts.clock()).new
    except Outside:
        raise
    except Exception as fault:  # a door: the platform shows it again at every look
        log.error("lost_message_broke messages=%d %s", len(found), type(fault).__name__)
        return None


def _is_live(account: Account, heard: dict[str, Heard]) -> bool:
    return account.id in heard and not heard[account.id].is_parked and account.token != ""


def _is_due(parts: Parts, account: Account, heard: Heard, now: datetime) -> bool:
    """After a gap; and while a drop is open, now and then and behind the winners who wait to be told.

    A ledger that was restored from a backup takes in nothing before the money that it lost is settled.
    """
    is_old = now - heard.until >= EVERY
    is_wanted = heard.wanted_at is not None and (is_old or now >= heard.wanted_at + GRACE)
    if not is_wanted and not (is_old and _has_open_drop(parts, account, now)):
        return False
    with parts.ledger.reading() as tx:
        if alerts.is_open(tx, RESTORED, account.brand_id):
            return False
        return is_wanted or not outbox.is_waiting(tx, account.id, Priority.PROMOTED, now)


def _has_open_drop(parts: Parts, account: Account, now: datetime) -> bool:
    drops = parts.catalog().brands[account.brand_id].drops.values()
    return any(phase(one, now) is Phase.OPEN for one in drops)


def _unknown(parts: Parts, account: Account, events: Sequence[Inbound]) -> dict[str, Inbound]:
    """Those that the ledger has not got: under no name, nor in the same words of the person and moment."""
    named = {
        inbox.key_of(replace(one, event_id=f"{name}{one.event_id}")): inbox.key_of(one)
        for one in events
        for name in OTHER_NAMES
    }
    with parts.ledger.reading() as tx:
        known = {named[key] for key in inbox.find_known_keys(tx, list(named))}
        new = [one for one in events if inbox.key_of(one) not in known]
        said = _said(tx, account, new)
    return {inbox.key_of(one): one for one in new if not _is_said(one, said)}


def _said(tx: Tx, account: Account, new: Sequence[Inbound]) -> dict[tuple[str, str], list[datetime]]:
    """When the ledger has these people saying what. Mostly nothing is new, and nobody is asked for."""
    if not new:
        return {}
    people = {one.follower_external_id or "" for one in new}
    since = min(one.sent_at for one in new if one.sent_at) - SAME_MOMENT
    found: dict[tuple[str, str], list[datetime]] = {}
    for who, words, at in inbox.list_said(tx, account.id, sorted(people), since):
        found.setdefault((who, words), []).append(at)
    return found


def _is_said(one: Inbound, said: dict[tuple[str, str], list[datetime]]) -> bool:
    words = one.text[: inbox.TEXT_CHARS_MAX]
    times = said.get((one.follower_external_id or "", words), [])
    return any(one.sent_at is not None and abs(one.sent_at - at) <= SAME_MOMENT for at in times)


def _note_end(tx: Tx, account: Account, look: Look, now: datetime) -> None:
    heard = find_heard(tx, account.id) or Heard(look.until)
    is_filled = heard.wanted_at is None or heard.wanted_at <= look.until
    heard = replace(heard, until=look.until)
    if is_filled:
        heard = replace(heard, wanted_at=None, why="")
        alerts.clear_alert(tx, MISSED, account.id, now)
        alerts.clear_alert(tx, BLIND, account.id, now)
    if look.found:
        heard = replace(heard, found=look.found, found_at=now)
        facts = {"brand_id": account.brand_id, "messages": look.found}
        audit.insert_line(tx, "claimbot", "lost_messages_found", account.id, now=now, **facts)
    if look.is_cut:
        most = PAGES_MOST * THREADS_AT_ONCE
        text = (
            f"@{account.username}: more than {most:,} conversations; the older ones were not looked through"
        )
        alerts.raise_alert(tx, alerts.Alert(BLIND, account.id, text, account.brand_id), now)
    note_heard(tx, account.id, heard, now)
    log.info("looked_through account=%s pages=%d found=%d", account.id, look.pages, look.found)


def _note_refusal(tx: Tx, parts: Parts, account: Account, reason: str, now: datetime) -> None:
    if reason in OF_THE_TOKEN:
        if not is_renewed(tx, parts, account):
            park(tx, account, reason, now)
        return
    text = (
        f"Lost messages to @{account.username} cannot be looked for ({reason}); let the app manage its"
        " messages and connect it again with: claimbot account connect"
    )
    alerts.raise_alert(tx, alerts.Alert(BLIND, account.id, text, account.brand_id), now)
