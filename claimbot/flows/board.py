"""How does a brand's launch go? Numbers of its drops, and the latest messages of one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from claimbot.core.claims import State
from claimbot.core.drops import Drop, DropState, Phase, Variant, phase
from claimbot.core.leads import QualifyRule
from claimbot.db import boards, drops, inbox, launches, rehearsals
from claimbot.db.claim_rows import REFUSALS
from claimbot.db.engine import Tx
from claimbot.db.units import StockCount
from claimbot.parts import Parts

EVENTS_SHOWN = 20
HOLDING = (State.HELD, State.EXPIRING, State.PENDING)
SOLD = (State.SOLD, State.DISPUTED)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Units, but `waiting` and `granted` are people."""

    stock: int = 0
    left: int = 0
    held: int = 0
    sold: int = 0
    waiting: int = 0
    granted: int = 0
    """On an early-access list."""


@dataclass(frozen=True, slots=True)
class VariantLine:
    variant: Variant
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class DropLine:
    """A drop with its numbers, in all and for each variant."""

    drop: Drop
    phase: Phase
    words: tuple[str, ...]
    numbers: Numbers
    variants: tuple[VariantLine, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One drop as its live board shows it."""

    line: DropLine
    now: datetime
    outcomes: tuple[tuple[str, int], ...]
    """How the messages about it ended, the most frequent first."""
    events: tuple[boards.Event, ...]
    funnel: launches.Funnel
    pace: launches.Pace | None
    """None before the first message."""

    @property
    def refused(self) -> int:
        """Messages that wanted something and got nothing."""
        return sum(count for word, count in self.outcomes if word in REFUSALS)

    @property
    def drop(self) -> Drop:
        return self.line.drop


def list_lines(parts: Parts, brand_id: str) -> list[DropLine]:
    """Every drop of the brand, the newest first; without the copies that were played in rehearsals."""
    now = parts.clock()
    with parts.ledger.reading() as tx:
        copies = rehearsals.list_copies(tx, brand_id)
        found = [one for one in drops.list_drops(tx, brand_id) if not _was_played(one, copies)]
        return _lines(tx, found[::-1], now)


def _was_played(drop: Drop, copies: set[str]) -> bool:
    return drop.id in copies and drop.state is DropState.CLOSED


def find_drop(parts: Parts, brand_id: str, drop_id: str) -> Drop | None:
    """None when this brand has no such drop."""
    with parts.ledger.reading() as tx:
        drop = drops.find_drop(tx, drop_id)
    return drop if drop is not None and drop.brand_id == brand_id else None


def find_board(parts: Parts, brand_id: str, drop_id: str, span: str = "") -> Board | None:
    """None when this brand has no such drop. `span` names one of the spans of its time line."""
    now = parts.clock()
    with parts.ledger.reading() as tx:
        drop = drops.find_drop(tx, drop_id)
        if drop is None or drop.brand_id != brand_id:
            return None
        outcomes = inbox.count_outcomes(tx, drop_id)
        return Board(
            line=_lines(tx, [drop], now)[0],
            now=now,
            outcomes=tuple(sorted(outcomes.items(), key=lambda one: (-one[1], one[0]))),
            events=tuple(boards.list_events(tx, drop_id, EVENTS_SHOWN)),
            funnel=launches.count_funnel(tx, drop_id),
            pace=launches.find_pace(tx, drop_id, span),
        )


def _lines(tx: Tx, found: list[Drop], now: datetime) -> list[DropLine]:
    ids = [drop.id for drop in found]
    stock, claimed = boards.count_units(tx, ids), boards.count_claims(tx, ids)
    words = boards.list_words(tx, ids)
    lines = []
    for drop in found:
        each = tuple(VariantLine(one, _numbers(one.id, stock.get(one.id), claimed)) for one in drop.variants)
        numbers = _sum(one.numbers for one in each)
        lines.append(DropLine(drop, phase(drop, now), words.get(drop.id, ()), numbers, each))
    return lines


def _numbers(
    variant_id: str, stock: StockCount | None, claimed: dict[tuple[str, State], tuple[int, int]]
) -> Numbers:
    def count(*states: State) -> tuple[int, int]:
        found = [claimed.get((variant_id, state), (0, 0)) for state in states]
        return sum(one[0] for one in found), sum(one[1] for one in found)

    return Numbers(
        stock=stock.open if stock else 0,
        left=stock.free if stock else 0,
        held=count(*HOLDING)[1],
        sold=count(*SOLD)[1],
        waiting=count(State.WAITLISTED)[0],
        granted=count(State.GRANTED)[0],
    )


def _sum(many: Iterable[Numbers]) -> Numbers:
    found = list(many)
    return Numbers(
        stock=sum(one.stock for one in found),
        left=sum(one.left for one in found),
        held=sum(one.held for one in found),
        sold=sum(one.sold for one in found),
        waiting=sum(one.waiting for one in found),
        granted=sum(one.granted for one in found),
    )


def list_names(parts: Parts, brand_id: str) -> dict[str, str]:
    """drop → its name, the newest first."""
    with parts.ledger.reading() as tx:
        return {drop.id: drop.name for drop in reversed(drops.list_drops(tx, brand_id))}


def find_rule(parts: Parts, drop_id: str) -> QualifyRule:
    """What makes a lead of this drop qualified."""
    with parts.ledger.reading() as tx:
        return drops.find_qualify_rule(tx, drop_id)
