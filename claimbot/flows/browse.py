"""Which claims has a brand, how does each stand, and what does that rest on? Looks only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from claimbot.core.claims import Claim, State
from claimbot.core.drops import Drop, Phase, Variant, phase
from claimbot.core.outbox import Work
from claimbot.db import boards, claim_rows, claims, drops, progress
from claimbot.db.claim_rows import ClaimRow, Place, Refusal, Wanted
from claimbot.db.engine import Tx
from claimbot.db.progress import Progress
from claimbot.flows.checkout import pay_link
from claimbot.flows.move import MOVABLE, why_not
from claimbot.parts import Parts

SHOWN_ROWS = 50
KINDS = (Work.OFFER, Work.EXPIRE, Work.REFUND)


@dataclass(frozen=True, slots=True)
class Case:
    """A claim with everything that tells why it stands as it does."""

    row: ClaimRow
    drop: Drop
    phase: Phase
    now: datetime
    free_units: int
    """Of its variant."""
    work: tuple[Progress, ...] = ()
    ahead: int | None = None
    """How many wait before it; None where that was not counted."""

    @property
    def variant(self) -> Variant:
        return self.drop.variant(self.row.claim.variant_id)

    def latest(self, kind: Work) -> Progress | None:
        return next((one for one in reversed(self.work) if one.kind is kind), None)


@dataclass(frozen=True, slots=True)
class Listed:
    cases: tuple[Case, ...]
    before: Place | None
    """Where the next page goes on; None when this is the last."""


@dataclass(frozen=True, slots=True)
class Opened:
    """One claim on a page of its own."""

    case: Case
    others: tuple[tuple[Variant, int], ...]
    """The variants that it may be moved to, with their free units."""
    stays: Mapping[str, tuple[Variant, ...]]
    """What keeps it from the variants beside these, in words."""
    page_url: str
    """What the follower sees of it."""


def list_claims(parts: Parts, wanted: Wanted, before: Place | None) -> Listed:
    now = parts.clock()
    with parts.ledger.reading() as tx:
        rows = claim_rows.list_rows(tx, wanted, before, SHOWN_ROWS + 1)
        cases = _cases(tx, rows[:SHOWN_ROWS], now)
    last = rows[SHOWN_ROWS - 1].claim if len(rows) > SHOWN_ROWS else None
    return Listed(cases, (last.created_at, last.id) if last else None)


def _cases(tx: Tx, rows: Sequence[ClaimRow], now: datetime) -> tuple[Case, ...]:
    found = _drops_of(tx, {row.claim.drop_id for row in rows})
    stock = boards.count_units(tx, sorted(found))
    work = progress.list_progress(tx, [row.claim.id for row in rows], KINDS)
    return tuple(
        Case(
            row=row,
            drop=found[row.claim.drop_id],
            phase=phase(found[row.claim.drop_id], now),
            now=now,
            free_units=stock[row.claim.variant_id].free if row.claim.variant_id in stock else 0,
            work=tuple(one for one in work if one.claim_id == row.claim.id),
        )
        for row in rows
    )


def _drops_of(tx: Tx, ids: Iterable[str]) -> dict[str, Drop]:
    found = (drops.find_drop(tx, drop_id) for drop_id in ids)
    return {drop.id: drop for drop in found if drop is not None}


def find_claim(parts: Parts, brand_id: str, claim_id: str) -> Opened | None:
    """None when this brand has no such claim."""
    now = parts.clock()
    with parts.ledger.reading() as tx:
        row = claim_rows.find_row(tx, brand_id, claim_id)
        if row is None:
            return None
        (case,) = _cases(tx, [row], now)
        stock = boards.count_units(tx, [case.drop.id])
        is_waiting = row.claim.state is State.WAITLISTED
        ahead = claims.count_waiting(tx, row.claim.variant_id, row.claim.line) if is_waiting else None
        reasons = _reasons(tx, case.drop, row.claim)
    free = {one: stock[one.id].free if one.id in stock else 0 for one in reasons.pop("", ())}
    seen = Case(row, case.drop, case.phase, now, case.free_units, case.work, ahead)
    return Opened(seen, tuple(free.items()), reasons, pay_link(parts, row.claim))


def _reasons(tx: Tx, drop: Drop, claim: Claim) -> dict[str, tuple[Variant, ...]]:
    """What keeps the claim from each other variant; empty words for those it may be moved to."""
    found: dict[str, tuple[Variant, ...]] = {}
    for one in drop.variants:
        if one.id != claim.variant_id and claim.state in MOVABLE:
            reason = why_not(tx, drop, claim, one.id)
            found[reason] = (*found.get(reason, ()), one)
    return found


@dataclass(frozen=True, slots=True)
class Refused:
    rows: tuple[Refusal, ...]
    before: Place | None


def list_refused(parts: Parts, drop_id: str, before: Place | None) -> Refused:
    """Wishes for this drop that came to nothing."""
    with parts.ledger.reading() as tx:
        rows = claim_rows.list_refusals(tx, drop_id, before, SHOWN_ROWS + 1)
    last = rows[SHOWN_ROWS - 1] if len(rows) > SHOWN_ROWS else None
    return Refused(tuple(rows[:SHOWN_ROWS]), (last.received_at, last.event_key) if last else None)
