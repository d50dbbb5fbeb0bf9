"""What may a claim do between two looks, and who overtook whom? Pure: two pictures of the claims go in."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from sqlalchemy import select

from claimbot.core.claims import TABLE, State
from claimbot.core.followers import WINDOW_MARGIN
from claimbot.db.engine import Ledger
from claimbot.db.tables import claims, leads


@dataclass(frozen=True)
class Row:
    """A claim as it was seen."""

    id: str
    variant_id: str
    state: State
    line: int
    is_promoted: bool
    is_reachable: bool
    session_id: str

    @property
    def waits(self) -> bool:
        return self.state is State.WAITLISTED and self.is_reachable


def read_rows(ledger: Ledger, now: datetime) -> dict[str, Row]:
    query = select(
        claims.c.id,
        claims.c.variant_id,
        claims.c.state,
        claims.c.line,
        claims.c.promoted_at,
        claims.c.stripe_session_id,
        leads.c.opted_out_at,
        leads.c.window_expires_at,
    ).join(leads, leads.c.id == claims.c.lead_id)
    with ledger.reading() as tx:
        return {
            row.id: Row(
                id=row.id,
                variant_id=row.variant_id,
                state=State(row.state),
                line=row.line,
                is_promoted=row.promoted_at is not None,
                is_reachable=row.opted_out_at is None and row.window_expires_at > now + WINDOW_MARGIN,
                session_id=row.stripe_session_id,
            )
            for row in tx.execute(query)
        }


@cache
def steps_from(state: State) -> frozenset[State]:
    """Every state that the table leads to from here, in any number of steps."""
    found, fresh = {state}, {state}
    while fresh:
        fresh = {end for (start, _), end in TABLE.items() if start in fresh} - found
        found |= fresh
    return frozenset(found)


def overtaken(before: dict[str, Row], after: dict[str, Row]) -> list[tuple[str, str]]:
    """(newcomer, who waited): somebody got a unit at once although a reachable person waits."""
    new = [row for name, row in after.items() if name not in before and not row.is_promoted]
    got = [row for row in new if row.state is not State.WAITLISTED and row.state is not State.CLOSED]
    waited = [after[name] for name, row in before.items() if row.waits and after[name].waits]
    return [(one.id, other.id) for one in got for other in waited if one.variant_id == other.variant_id]


def promoted_before(before: dict[str, Row], after: dict[str, Row]) -> list[tuple[str, str]]:
    """(promoted, still waiting): somebody was promoted before a reachable person who stood further ahead."""
    promoted = [
        row
        for name, row in after.items()
        if row.is_promoted and (name not in before or not before[name].is_promoted)
    ]
    return [
        (one.id, other.id)
        for one in promoted
        for other in after.values()
        if other.waits and other.variant_id == one.variant_id and other.line < one.line
        if other.id not in before or before[other.id].waits
    ]


@dataclass
class Walk:
    """What was seen so far: the claims, and the order in which people joined the lines."""

    rows: dict[str, Row] = field(default_factory=dict)
    joined: list[Row] = field(default_factory=list)

    def see(self, rows: dict[str, Row]) -> None:
        new = [row for name, row in rows.items() if name not in self.rows]
        lined_up = [row for row in new if row.state is State.WAITLISTED or row.is_promoted]
        self.joined += sorted(lined_up, key=lambda row: row.line)
        self.rows = rows

    def out_of_order(self) -> list[tuple[str, str]]:
        """(earlier, later): joined later, yet with a smaller number."""
        return [
            (one.id, other.id)
            for one, other in zip(self.joined, self.joined[1:], strict=False)
            if one.line >= other.line
        ]
