"""Does the ledger keep every promise of the design? Looks only; a broken promise is an alert."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from claimbot.db import alerts, marks
from claimbot.db.engine import Tx
from claimbot.db.invariants import RULES, Look, be_patient
from claimbot.db.invariants_at_work import CHECKS
from claimbot.parts import Parts

log = logging.getLogger("claimbot.verify")

MARK = "verify"
ALERT = "invariant"
# So many rows of a breach are kept with the mark; `claimbot verify` shows all of them.
KEPT_MOST = 5
# A ledger so large that a look takes longer than this is looked at a twentieth of the time at most.
QUICK_SECONDS = 3.0
REST_FACTOR = 20


@dataclass(frozen=True, slots=True)
class Invariant:
    """A promise of the design (§3)."""

    id: str
    name: str
    statement: str


# I5 and I6 are not here: what was promised and never written, or never believed, leaves no row to look at.
INVARIANTS = (
    Invariant("I1", "stock", "every unit has at most one claim, and every claim exactly its units"),
    Invariant("I2", "oversell", "no more is sold than there is"),
    Invariant("I3", "one-claim", "one live claim for each follower and drop, within the limit"),
    Invariant("I4", "paid-item", "every paid session is sold with a unit, or the money goes back"),
    Invariant("I7", "tenant", "nothing of one brand hangs on another"),
    Invariant("I8", "answered", "every matched message has an answer or a recorded reason"),
    Invariant("I9", "no-undersell", "no unit is free or kept too long while a reachable person waits"),
    Invariant("I10", "drained", "no work is left undone; what is parked has a reason and an alert"),
    Invariant("I11", "line-order", "the line is served in its order"),
    Invariant("I12", "monotonic", "every claim is in a known state and has the facts of that state"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """How one invariant stands. Each breach is a sentence with the ids of its rows."""

    invariant: str
    name: str
    statement: str
    breaches: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.breaches


def verify(parts: Parts, is_at_rest: bool = False) -> tuple[Finding, ...]:
    """One finding for each invariant. `is_at_rest` demands that all work that is due has been done, too."""
    grace = timedelta(seconds=parts.settings.hold_grace_seconds)
    look = Look(parts.clock(), grace, is_at_rest)
    with parts.ledger.reading() as tx:
        be_patient(tx)
        return tuple(_find(tx, one, look) for one in INVARIANTS)


def _find(tx: Tx, one: Invariant, look: Look) -> Finding:
    check = RULES.get(one.id) or CHECKS[one.id]
    return Finding(one.id, one.name, one.statement, tuple(check(tx, look)))


def verify_and_note(parts: Parts) -> int:
    """Verify, keep the result, raise or clear an alert for each invariant; returns how many breaches."""
    with parts.ledger.reading() as tx:
        last = marks.find_mark(tx, MARK)
    if last is not None and parts.clock() < last.at + _rest(last.facts["took_seconds"]):
        return int(last.facts["breaches"])
    began = time.monotonic()
    noted = Noted(verify(parts), time.monotonic() - began)
    parts.ledger.run(lambda tx: _note(tx, noted, parts.clock()))
    for one in noted.findings:
        if not one.ok:
            log.error("invariant_broken %s breaches=%d %s", one.invariant, len(one.breaches), one.breaches[0])
    return noted.breaches


def _rest(took_seconds: float) -> timedelta:
    return timedelta(seconds=took_seconds * REST_FACTOR if took_seconds > QUICK_SECONDS else 0)


@dataclass(frozen=True, slots=True)
class Noted:
    """What a look found, and how long it took."""

    findings: Sequence[Finding]
    took_seconds: float

    @property
    def breaches(self) -> int:
        return sum(len(one.breaches) for one in self.findings)


def _note(tx: Tx, noted: Noted, now: datetime) -> None:
    broken = {one.invariant: list(one.breaches[:KEPT_MOST]) for one in noted.findings if not one.ok}
    facts = {"broken": broken, "breaches": noted.breaches, "took_seconds": round(noted.took_seconds, 3)}
    marks.set_mark(tx, MARK, now, facts)
    for one in noted.findings:
        if one.ok:
            alerts.clear_alert(tx, ALERT, one.invariant, now)
        else:
            text = f"{one.invariant} ({one.name}) is broken: {one.breaches[0]}; see: claimbot verify"
            alerts.raise_alert(tx, alerts.Alert(ALERT, one.invariant, text), now)
