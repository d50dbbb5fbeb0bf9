"""What happens without anybody asking? Holds end, lines move, leaks are found: every step may be repeated."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from claimbot.core.claims import Event
from claimbot.core.drops import Drop, DropState, Phase, phase
from claimbot.core.errors import Outside
from claimbot.core.outbox import AGE_MAX
from claimbot.db import alerts, claims, drops, inbox, marks, payments
from claimbot.db.engine import Tx
from claimbot.flows.books import DailyBooks
from claimbot.flows.catch_up import CatchUp
from claimbot.flows.close_line import close_line
from claimbot.flows.expire import SWEEP_ROWS, sweep_due
from claimbot.flows.hints import Hints
from claimbot.flows.notify import look_after
from claimbot.flows.poll import ask_about_overdue, ask_for_events
from claimbot.flows.profile import ask_for_profiles
from claimbot.flows.promote import ComeBack, promote_free
from claimbot.flows.reconcile import check_gates, rebuild_gate
from claimbot.flows.release import end_claim
from claimbot.flows.resubscribe import resubscribe
from claimbot.flows.retain import forget_outlived
from claimbot.flows.spool import drain_spool
from claimbot.flows.tell import tell
from claimbot.flows.tokens import renew_tokens
from claimbot.flows.verify import verify_and_note
from claimbot.parts import Parts
from claimbot.stock.gate import MOST_UNITS

log = logging.getLogger("claimbot.sweep")


def serve_lines(parts: Parts) -> int:
    """Units that are free although somebody waits (a window opened, a race was lost) go to the line."""
    with parts.ledger.reading() as tx:
        found = claims.list_lines_with_free_units(tx)
    return sum(_serve(parts, drop_id, variant_id, free) for drop_id, variant_id, free in found)


def _serve(parts: Parts, drop_id: str, variant_id: str, free: int) -> int:
    """The gate sets the units aside first: what it proposes to a newcomer this very moment is left alone."""
    now = parts.clock()
    try:
        taken = parts.gate.take(drop_id, variant_id, min(free, MOST_UNITS))
        only, epoch, held_by = taken.units, taken.epoch, taken.held_by
    except Outside:
        only, epoch, held_by = None, 0, ""
    if only == ():
        return 0

    def story(tx: Tx) -> tuple[list[int], Hints]:
        hints = Hints()
        drop = drops.find_drop(tx, drop_id)
        assert drop is not None  # drops are never deleted
        return promote_free(tx, now, ComeBack(drop, variant_id, only), hints), hints

    used, hints = parts.ledger.run(story)
    left = tuple(number for number in only or () if number not in used)
    hints.forget(drop_id, held_by) if held_by else None
    hints.restock(drop_id, epoch, variant_id, left)
    tell(parts, hints)
    return len(used)


def release_untold(parts: Parts) -> int:
    """Winners who were not told in time: an alert; once the platform's window is closed, the next in line."""
    now = parts.clock()
    late = now - timedelta(minutes=parts.settings.tell_within_minutes)

    def story(tx: Tx) -> tuple[int, Hints]:
        hints = Hints()
        for claim, window_ends in claims.list_untold(tx, late, SWEEP_ROWS):
            # A commenter has no window; their private reply is tried for as long as any work is.
            if (window_ends or claim.created_at + AGE_MAX) <= now:
                end_claim(tx, now, claim, Event.UNREACHABLE, hints)
            text = "Winners have not been told yet; look at the workers and the account: claimbot doctor"
            alerts.raise_alert(tx, alerts.Alert("untold", claim.drop_id, text, claim.brand_id), now)
        return int(hints.rings), hints

    released, hints = parts.ledger.run(story)
    tell(parts, hints)
    return released


def close_by_time(parts: Parts) -> int:
    """Drops whose time is over are closed; their lines end."""
    now = parts.clock()

    def story(tx: Tx) -> tuple[int, Hints]:
        hints = Hints()
        over = [drop for drop in drops.list_drops(tx) if _is_over(drop, now)]
        for drop in over:
            drops.mark_drop(tx, drop, state=DropState.CLOSED.value)
            close_line(tx, now, drop, hints)
            marks.set_mark(tx, marks.CATALOG, now)
        return len(over), hints

    with parts.ledger.reading() as tx:
        if not any(_is_over(drop, now) for drop in drops.list_drops(tx)):
            return 0
    closed, hints = parts.ledger.run(story)
    tell(parts, hints)
    return closed


def _is_over(drop: Drop, now: datetime) -> bool:
    return drop.state is not DropState.CLOSED and phase(drop, now) is Phase.CLOSED


def purge(parts: Parts) -> int:
    """What webhooks said word for word is deleted after RAW_DAYS, and so is what died long ago."""
    before = parts.clock() - timedelta(days=parts.settings.raw_days)

    def story(tx: Tx) -> int:
        marks.delete_old(tx, "beat:", before)
        return inbox.purge_raw(tx, before) + payments.purge_payloads(tx, before)

    return parts.ledger.run(story)


@dataclass(eq=False)
class RedisWatch:
    """Notices when Redis is another one than before (a fail-over, an empty restart): rebuild everything."""

    known: frozenset[str] = frozenset()

    def __call__(self, parts: Parts) -> int:
        seen = parts.redis_identity()
        is_other = bool(self.known) and seen != self.known
        self.known = seen
        if not is_other:
            return 0
        log.warning("redis_changed")
        with parts.ledger.reading() as tx:
            live = [drop.id for drop in drops.list_drops(tx) if drop.state is DropState.OPEN]
        return sum(rebuild_gate(parts, drop_id) for drop_id in live)


def check_all_gates(parts: Parts) -> int:
    """How many gates had to be mended."""
    return sum(word != "same" for word in check_gates(parts, parts.clock()).values())


@dataclass(frozen=True, slots=True)
class Chore:
    """Something done every `every_seconds`; what goes wrong with it does not stop the others."""

    name: str
    every_seconds: float
    run: Callable[[Parts], object]


def chores() -> tuple[Chore, ...]:
    return (
        Chore("holds", 1, sweep_due),
        Chore("lines", 1, serve_lines),
        Chore("spool", 1, drain_spool),
        Chore("redis", 1, RedisWatch()),
        Chore("close", 5, close_by_time),
        Chore("untold", 5, release_untold),
        Chore("profiles", 5, ask_for_profiles),
        Chore("gates", 30, check_all_gates),
        Chore("overdue", 30, ask_about_overdue),
        Chore("events", 120, ask_for_events),
        Chore("books", 3600, DailyBooks()),
        Chore("verify", 60, verify_and_note),
        Chore("fields", 10, resubscribe),
        Chore("lost", 1, CatchUp()),
        Chore("webhooks", 60, look_after),
        Chore("tokens", 3600, renew_tokens),
        Chore("purge", 3600, purge),
        Chore("retention", 3600, forget_outlived),
    )


class Rounds:
    """Which chores are due? `seconds` is any clock that only goes forward."""

    def __init__(self, all_chores: tuple[Chore, ...]) -> None:
        self._due = dict.fromkeys(all_chores, 0.0)

    def go(self, parts: Parts, seconds: float) -> list[str]:
        """Do what is due; returns the names of what failed."""
        failed = []
        for chore, due_at in list(self._due.items()):
            if seconds < due_at:
                continue
            self._due[chore] = seconds + chore.every_seconds
            if not _try(parts, chore):
                failed.append(chore.name)
        return failed


def _try(parts: Parts, chore: Chore) -> bool:
    try:
        found = chore.run(parts)
    except Outside as trouble:
        log.warning("chore_failed name=%s %s", chore.name, type(trouble).__name__)
        return False
    if found:
        log.info("chore name=%s %s", chore.name, found if isinstance(found, int) else "")
    return True


def beat(parts: Parts, who: str) -> None:
    """Note that this process is alive, for `doctor` and the health page."""
    now = parts.clock()
    parts.ledger.run(lambda tx: marks.set_mark(tx, f"beat:{who}", now))
