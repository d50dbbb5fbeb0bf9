"""Do Stripe's books say what ours say? Compared once a day and whenever a clock starts.

Webhooks, the poll and the fence settle every payment; this look shows that they did. It also notices a
ledger that is older than Stripe: after the restore of a backup Stripe knows sessions that nobody here does.
Then the brand's sales stand still until a person settles those sessions: `claimbot reconcile --restored`.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from claimbot.core.drops import DropState
from claimbot.core.messages import Verdict
from claimbot.core.payments import SessionNews, SessionState
from claimbot.db import alerts, audit, brands, checkouts, drops, marks
from claimbot.db.engine import Tx
from claimbot.flows.checkout import spend_call
from claimbot.flows.poll import settle_news
from claimbot.parts import Parts

log = logging.getLogger("claimbot.books")

MARK = "books:"
ALERT = "books"
RESTORED = "restored"
# A session lives for a day at most; a day more for payments that are on their way.
LOOK_BACK = timedelta(days=2)
COMPARED_EVERY = timedelta(days=1)
# As many ids as fit into one question to SQL.
ASKED_AT_ONCE = 500
# So many ids are kept with the mark.
KEPT_MOST = 20


@dataclass(frozen=True, slots=True)
class Books:
    """One comparison. `different`: paid at Stripe and not settled here; `lost`: ours, and unknown here."""

    sessions: int
    paid: int
    different: tuple[str, ...]
    lost: tuple[SessionNews, ...] = ()
    given_up: tuple[str, ...] = ()
    """Lost ones that were settled by hand before."""

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "sessions": self.sessions,
            "paid": self.paid,
            "different": list(self.different[:KEPT_MOST]),
            "lost": [one.session_id for one in self.lost[:KEPT_MOST]],
            "given_up": list(self.given_up),
        }


def compare(parts: Parts, brand_id: str) -> Books | None:
    """What Stripe knows is settled here too, where it can be; what cannot is told. None: Stripe is silent."""
    gateway = parts.gateways.of(brand_id)
    if gateway is None or spend_call(parts, brand_id) > 0:
        return None
    with parts.ledger.reading() as tx:
        last = marks.find_mark(tx, f"{MARK}{brand_id}")
    found = gateway.list_sessions((last.at if last else parts.clock()) - LOOK_BACK)
    if found.verdict is not Verdict.DONE:
        log.warning("books_not_compared brand=%s %s", brand_id, found.reason)
        return None
    ended = [one for one in found.sessions if one.state is not SessionState.OPEN]
    for news in _unsettled(parts, ended):
        settle_news(parts, brand_id, news)
    given_up = frozenset(last.facts.get("given_up", ()) if last else ())
    books = _written(parts, found.sessions, given_up)
    parts.ledger.run(lambda tx: _note(tx, brand_id, books, parts.clock()))
    log.info("books brand=%s sessions=%d different=%d", brand_id, books.sessions, len(books.different))
    return books


def _states(parts: Parts, sessions: Sequence[SessionNews]) -> dict[str, str]:
    ids = [one.session_id for one in sessions]
    with parts.ledger.reading() as tx:
        runs = (ids[start : start + ASKED_AT_ONCE] for start in range(0, len(ids), ASKED_AT_ONCE))
        return {name: state for run in runs for name, state in checkouts.find_states(tx, run).items()}


def _being_made(parts: Parts, sessions: Sequence[SessionNews]) -> set[str]:
    """Claims whose session a worker is making now, or made without hearing of it: nobody saw its address.

    Asked before the states: what is heard of in between is known there.
    """
    ids = [one.claim_id for one in sessions if one.state is SessionState.OPEN]
    with parts.ledger.reading() as tx:
        runs = (ids[start : start + ASKED_AT_ONCE] for start in range(0, len(ids), ASKED_AT_ONCE))
        return {claim_id for run in runs for claim_id in checkouts.find_unanswered(tx, run)}


def _unsettled(parts: Parts, ended: Sequence[SessionNews]) -> list[SessionNews]:
    states = _states(parts, ended)
    return [one for one in ended if states.get(one.session_id) not in ("complete", "expired")]


def _written(parts: Parts, sessions: Sequence[SessionNews], given_up: frozenset[str]) -> Books:
    being_made = _being_made(parts, sessions)
    states = _states(parts, sessions)
    paid = [one for one in sessions if one.state is SessionState.COMPLETE_PAID]
    unknown = [one for one in sessions if _is_ours(parts, one) and one.session_id not in states]
    lost = [one for one in unknown if not _is_harmless(one, being_made)]
    return Books(
        sessions=len(sessions),
        paid=len(paid),
        different=tuple(
            one.session_id for one in paid if states.get(one.session_id, "complete") != "complete"
        ),
        lost=tuple(one for one in lost if one.session_id not in given_up),
        given_up=tuple(sorted(given_up & {one.session_id for one in sessions})),
    )


def _is_harmless(news: SessionNews, being_made: set[str]) -> bool:
    """Nobody can pay it any more, or nobody was shown where to."""
    is_unseen = news.state is SessionState.OPEN and news.claim_id in being_made
    return is_unseen or news.state is SessionState.EXPIRED


def _is_ours(parts: Parts, news: SessionNews) -> bool:
    """Another system may share the Stripe account: only who leads the buyer back to us is ours."""
    return news.return_url.startswith(f"{parts.settings.own_url}/c/")


def _note(tx: Tx, brand_id: str, books: Books, now: datetime) -> None:
    marks.set_mark(tx, f"{MARK}{brand_id}", now, books.facts)
    if books.different:
        text = (
            f"{len(books.different)} sessions are paid at Stripe and not settled here; see: claimbot verify"
        )
        alerts.raise_alert(tx, alerts.Alert(ALERT, brand_id, text, brand_id), now)
    else:
        alerts.clear_alert(tx, ALERT, brand_id, now)
    if not books.lost:
        alerts.clear_alert(tx, RESTORED, brand_id, now)
        return
    text = (
        f"Stripe knows {len(books.lost)} sessions that this ledger has lost: it was restored from a backup;"
        " sales stand still until: claimbot reconcile --restored"
    )
    if alerts.raise_alert(tx, alerts.Alert(RESTORED, brand_id, text, brand_id), now):
        _stand_still(tx, brand_id, now)


def _stand_still(tx: Tx, brand_id: str, now: datetime) -> None:
    """Nobody claims a unit that somebody may have paid for in the days that were lost."""
    for drop in drops.list_drops(tx, brand_id):
        if drop.state is DropState.OPEN:
            drops.mark_drop(tx, drop, state=DropState.PAUSED.value)
            audit.insert_line(
                tx, "claimbot", "drop_paused", drop.id, now=now, brand_id=brand_id, why=RESTORED
            )
    marks.set_mark(tx, marks.CATALOG, now)


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the sessions that a restored ledger does not know."""

    ended: int = 0
    refunded: int = 0
    left: int = 0
    """Those that Stripe could not settle now; ask again."""


def settle_lost(parts: Parts) -> Settled:
    """End what is open and send back what was paid, of every session that was lost. May be repeated."""
    with parts.ledger.reading() as tx:
        all_brands = brands.list_brands(tx)
    done = [outcome for brand in all_brands for outcome in _settle_lost(parts, brand.id)]
    return Settled(done.count("ended"), done.count("refunded"), done.count("left"))


def _settle_lost(parts: Parts, brand_id: str) -> Iterator[str]:
    books = compare(parts, brand_id)
    if books is None or not books.lost:
        return
    settled = {news.session_id: _give_up(parts, brand_id, news) for news in books.lost}
    yield from settled.values()
    done = [name for name, outcome in settled.items() if outcome != "left"]
    now = parts.clock()

    def story(tx: Tx) -> None:
        facts: Mapping[str, Any] = {**books.facts, "given_up": [*books.given_up, *done]}
        marks.set_mark(tx, f"{MARK}{brand_id}", now, facts)
        for name in done:
            audit.insert_line(
                tx, "claimbot", "lost_session_settled", name, now=now, brand_id=brand_id, how=settled[name]
            )
        if len(done) == len(settled):
            alerts.clear_alert(tx, RESTORED, brand_id, now)

    parts.ledger.run(story)


def _give_up(parts: Parts, brand_id: str, news: SessionNews) -> str:
    gateway = parts.gateways.of(brand_id)
    if gateway is None or spend_call(parts, brand_id) > 0:
        return "left"
    if news.state is SessionState.OPEN:
        result = gateway.expire(news.session_id)
        if result.verdict is not Verdict.DONE or result.news is None:
            return "left"
        news = result.news
    if news.state is SessionState.EXPIRED:
        return "ended"
    if news.state is SessionState.COMPLETE_UNPAID:
        return "left"
    refund = gateway.refund(news.payment_intent, news.session_id, None, news.claim_id)
    return "refunded" if refund.verdict is Verdict.DONE else "left"


def find_books(tx: Tx, brand_id: str) -> marks.Mark | None:
    """The last comparison."""
    return marks.find_mark(tx, f"{MARK}{brand_id}")


@dataclass(eq=False)
class DailyBooks:
    """A chore: every brand at the first look of a process, then each once a day."""

    looked: set[str] = field(default_factory=set)

    def __call__(self, parts: Parts) -> int:
        now = parts.clock()
        with parts.ledger.reading() as tx:
            all_marks = {one.id: find_books(tx, one.id) for one in brands.list_brands(tx)}
        due = [name for name, mark in all_marks.items() if name not in self.looked or _is_old(mark, now)]
        found = {brand_id: compare(parts, brand_id) for brand_id in due}
        self.looked |= {name for name, books in found.items() if books is not None}
        return sum(len(books.different) + len(books.lost) for books in found.values() if books is not None)


def _is_old(mark: marks.Mark | None, now: datetime) -> bool:
    return mark is None or now - mark.at >= COMPARED_EVERY
