"""Who did what in a brand, and does the record hold together?"""

from dataclasses import dataclass

from claimbot.core.brands import Brand
from claimbot.db import audit, claim_rows, operators
from claimbot.db.audit import Line
from claimbot.db.invariants import be_patient
from claimbot.flows.cancel import CANCELLED
from claimbot.parts import Parts

PAGE_LINES = 50


@dataclass(frozen=True, slots=True)
class History:
    """The latest first. `next_before` is 0 on the last page."""

    lines: tuple[Line, ...]
    people: dict[str, str]
    """Actor → e-mail address, where it is an operator."""
    next_before: int
    notes: dict[str, str]
    """Claim → why it was taken back, in somebody's words; gone when the follower is erased."""


def find_history(parts: Parts, brand: Brand, before: int, action: str) -> History:
    """The lines of a brand older than number `before` (0: the latest), all or those of one action."""
    with parts.ledger.reading() as tx:
        found = audit.list_lines(tx, brand.id, audit.Wanted(before, action, PAGE_LINES + 1))
        shown = found[:PAGE_LINES]
        ids = {one.actor.partition(":")[2] for one in shown if one.actor.startswith("operator:")}
        emails = operators.find_emails(tx, ids)
        notes = claim_rows.find_notes(tx, {one.subject for one in shown if one.action == CANCELLED})
    people = {f"operator:{operator_id}": email for operator_id, email in emails.items()}
    return History(tuple(shown), people, shown[-1].number if len(found) > PAGE_LINES else 0, notes)


def find_break(parts: Parts) -> int | None:
    """The first line that does not follow from the one before; None: every line does. Reads all of them."""
    with parts.ledger.reading() as tx:
        be_patient(tx)
        return audit.find_break(tx)


def list_actions(parts: Parts, brand: Brand) -> list[str]:
    """What was ever done here."""
    with parts.ledger.reading() as tx:
        return audit.list_actions(tx, brand.id)
