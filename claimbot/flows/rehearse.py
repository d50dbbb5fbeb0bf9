"""How does a brand rehearse a launch? A copy of its drop is played in a world beside the engine.

The engine knows nothing of that world: it writes down what is asked for, and a process that lives beside the
world plays it and tells what came out. Where no such process beats, there is nothing to rehearse in.
"""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from claimbot.core.drops import NAME_CHARS_MOST, Drop, DropKind, DropState
from claimbot.core.errors import Refused
from claimbot.db import audit, drops, marks, rehearsals
from claimbot.db.engine import Tx
from claimbot.db.ids import new_id
from claimbot.db.rehearsals import Rehearsal
from claimbot.flows.launch import NewDrop, close_drop, create_drop, open_drop
from claimbot.parts import Parts

MARK = "rehearsals"
# The process that plays them tells every few seconds that it is there.
BEAT_SECONDS = 5.0
SILENT_AFTER = timedelta(seconds=30)
SHOWN_MOST = 20
FOLLOWERS_MOST = 5_000
STOCK_UNITS_MOST = 5_000
# No vowels, so that no word comes of it, and no digit that could be read as a quantity.
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be played."""

    followers: int
    stock_units: int
    """Of each variant."""
    duplicates: int
    """Percent of the messages that come twice."""
    pay: int
    """Percent of the winners who pay."""


def is_possible(parts: Parts) -> bool:
    """Is there a process that would play it?"""
    with parts.ledger.reading() as tx:
        beat = marks.find_mark(tx, MARK)
    return beat is not None and parts.clock() - beat.at < SILENT_AFTER


def wish_faults(wish: Wish) -> dict[str, str]:
    """By field."""
    bounds = {
        "followers": (wish.followers, 1, FOLLOWERS_MOST),
        "stock_units": (wish.stock_units, 1, STOCK_UNITS_MOST),
        "duplicates": (wish.duplicates, 0, 100),
        "pay": (wish.pay, 0, 100),
    }
    return {
        name: f"A whole number from {least} to {most}."
        for name, (number, least, most) in bounds.items()
        if not least <= number <= most
    }


def ask_rehearsal(parts: Parts, actor: str, drop: Drop, wish: Wish) -> Rehearsal:
    """Makes and opens the copy, and asks for it to be played. Raises Refused."""
    if wish_faults(wish):
        raise Refused("These numbers cannot be played.")
    if not is_possible(parts):
        raise Refused("There is no sandbox to rehearse in: start the engine with “claimbot up”.")
    if find_open(parts) is not None:
        raise Refused("Another rehearsal is being played: wait until it is over.")
    copy, word = _make_copy(parts, actor, drop, wish)
    choices = [one.code for one in drop.variants] if len(drop.variants) > 1 else []
    plan = {**asdict(wish), "word": word, "choices": choices}
    asked = Rehearsal(new_id("reh"), drop.brand_id, drop.id, copy.id, "asked", plan, parts.clock(), report={})
    facts = {"copy": copy.id, **asdict(wish)}

    def story(tx: Tx) -> None:
        rehearsals.insert_rehearsal(tx, asked)
        line = {"now": asked.asked_at, "brand_id": drop.brand_id, **facts}
        audit.insert_line(tx, actor, "rehearsal_asked", drop.id, **line)

    parts.ledger.run(story)
    return asked


def _make_copy(parts: Parts, actor: str, drop: Drop, wish: Wish) -> tuple[Drop, str]:
    word = "REHEARSE" + "".join(secrets.choice(LETTERS) for _ in range(5))
    copy = replace(
        drop,
        id="",
        state=DropState.DRAFT,
        name=f"Rehearsal: {drop.name}"[:NAME_CHARS_MOST],
        opens_at=None,
        closes_at=None,
    )
    is_list = drop.kind is DropKind.LIST
    stock = {variant.code: 0 if is_list else wish.stock_units for variant in drop.variants}
    made = create_drop(parts, actor, NewDrop(copy, stock, [word]))
    open_drop(parts, actor, made.id)
    return made, word


def find_open(parts: Parts) -> Rehearsal | None:
    with parts.ledger.reading() as tx:
        return rehearsals.find_open(tx)


def find_rehearsal(parts: Parts, brand_id: str, rehearsal_id: str) -> Rehearsal | None:
    """None when this brand has no such rehearsal."""
    with parts.ledger.reading() as tx:
        found = rehearsals.find_rehearsal(tx, rehearsal_id)
    return found if found is not None and found.brand_id == brand_id else None


def list_rehearsals(parts: Parts, drop_id: str) -> list[Rehearsal]:
    with parts.ledger.reading() as tx:
        return rehearsals.list_of_drop(tx, drop_id, SHOWN_MOST)


def begin_next(parts: Parts) -> tuple[Rehearsal, Drop] | None:
    """What is to be played now, taken by the caller; None when there is nothing."""
    now = parts.clock()
    with parts.ledger.reading() as tx:
        found = rehearsals.find_open(tx)
        drop = drops.find_drop(tx, found.copy_id) if found else None
    if found is None or drop is None or found.state != "asked":
        return None
    is_ours = parts.ledger.run(lambda tx: rehearsals.mark_begun(tx, found.id, now))
    return (found, drop) if is_ours else None


def end_rehearsal(parts: Parts, one: Rehearsal, report: Mapping[str, Any], reason: str = "") -> None:
    """Keep what came out, or why nothing did; the copy takes no claims any more."""
    now = parts.clock()
    with parts.ledger.begin() as tx:
        if reason:
            rehearsals.mark_failed(tx, one.id, now, reason)
        else:
            rehearsals.mark_done(tx, one.id, now, report)
    close_drop(parts, "rehearsal", one.copy_id)


def give_up_interrupted(parts: Parts) -> None:
    """Whoever played it is gone: nobody will hear how it ended."""
    found = find_open(parts)
    if found is not None and found.state == "running":
        end_rehearsal(parts, found, {}, "It was interrupted: play it again.")


def beat(parts: Parts) -> None:
    with parts.ledger.begin() as tx:
        marks.set_mark(tx, MARK, parts.clock())
