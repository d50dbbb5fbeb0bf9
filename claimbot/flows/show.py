"""Which lines of the list does a page show? One for each lead and drop, from where the last page ended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from claimbot.core.claims import State
from claimbot.core.lead_filters import NEWEST_FIRST, Order, Wanted
from claimbot.core.leads import CLAIMED, LeadFacts, LeadRow, QualifyRule, qualified
from claimbot.db import lead_pages, lead_rows
from claimbot.db.engine import Tx
from claimbot.db.lead_pages import Place, Spot, Turn
from claimbot.flows.export import Listing, open_listing
from claimbot.parts import Parts

# A page shows about this many lines.
SHOWN_LINES = 50
# Where each line must be looked at, a page looks at some thousand people at most.
SHOWN_READS = (SHOWN_LINES, 200, 800, 2_000)
# Nobody needs to know exactly how many more than this there are.
COUNTED_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Shown:
    """Some lines for a page. `after` is where to look on; None when these are the last."""

    rows: tuple[LeadRow, ...]
    after: Place | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some leads, with everything that is known of them."""

    people: dict[str, lead_rows.Person]
    said: dict[tuple[str, str | None], lead_rows.Said]
    stands: dict[lead_rows.Pair, lead_rows.Stand]

    def drops_of(self, lead_id: str) -> set[str]:
        pairs = (*self.said, *self.stands)
        return {drop_id for known_id, drop_id in pairs if known_id == lead_id and drop_id is not None}


def show_leads(parts: Parts, wanted: Wanted, after: Place | None, order: Order = NEWEST_FIRST) -> Shown:
    """In any order that is quick. Looks at so many at most that nobody waits long for a page."""
    listing = open_listing(parts, wanted)
    rows: list[LeadRow] = []
    for size in SHOWN_READS:
        with parts.ledger.reading() as tx:
            turn = Turn(after, size + 1, wanted.order(order))
            spots = lead_pages.list_spots(tx, wanted, listing.rules, turn)
            has_more = len(spots) > size
            spots = spots[:size]
            page = _read(tx, spots)
        for spot in spots:
            rows += [row for row in _rows(listing, page, spot) if _is_wanted(wanted, row)]
            after = spot.place
            if len(rows) >= SHOWN_LINES:
                return Shown(tuple(rows), after if has_more or spot is not spots[-1] else None)
        if not has_more:
            return Shown(tuple(rows), None)
    return Shown(tuple(rows), after)


def count_leads(parts: Parts, wanted: Wanted) -> int | None:
    """How many fit; None for more than COUNTED_MOST, or where only reading them all could tell."""
    listing = open_listing(parts, wanted)
    # Names and the rule are looked at line by line: counting thousands would take longer than the page.
    if wanted.search is not None or wanted.is_qualified is not None:
        return None
    with parts.ledger.reading() as tx:
        found = lead_pages.count_spots(tx, wanted, listing.rules, COUNTED_MOST + 1)
    return found if found <= COUNTED_MOST else None


def list_channels(parts: Parts, brand_id: str) -> list[str]:
    """Where this brand can be written to."""
    accounts = parts.catalog().accounts.values()
    return sorted({account.channel for account in accounts if account.brand_id == brand_id})


def _read(tx: Tx, spots: Sequence[Spot]) -> Page:
    ids = list(dict.fromkeys(spot.lead_id for spot in spots))
    people = lead_rows.find_people(tx, ids)
    return Page(people, lead_rows.find_said(tx, ids), lead_rows.find_stands(tx, ids))


def _rows(listing: Listing, page: Page, spot: Spot) -> Iterator[LeadRow]:
    """The line of a spot; where it names no drop, all lines of the lead in the order of the drops."""
    person = page.people[spot.lead_id]
    if spot.drop_id is not None:
        yield _row(listing, page, person, spot.drop_id or None)
        return
    mine = page.drops_of(person.id) & listing.drops.keys()
    if not mine:
        yield _row(listing, page, person, None)
    for drop_id in sorted(mine, key=lambda one: listing.drops[one].position):
        yield _row(listing, page, person, drop_id)


def _is_wanted(wanted: Wanted, row: LeadRow) -> bool:
    return wanted.is_qualified in (None, row.qualified)


def _row(listing: Listing, page: Page, person: lead_rows.Person, drop_id: str | None) -> LeadRow:
    drop = listing.drops[drop_id] if drop_id else None
    said = page.said.get((person.id, drop_id))
    stand = page.stands.get((person.id, drop_id)) if drop_id else None
    facts = _facts(person, stand, bool(drop), listing.rules.now)
    is_qualified, because = qualified(facts, drop.rule if drop else QualifyRule())
    return LeadRow(
        lead_id=person.id,
        brand=listing.slug,
        drop=drop.name if drop else None,
        channel=person.channel,
        username=person.username,
        name=person.name,
        email=person.email,
        phone=person.phone,
        qualified=is_qualified,
        qualified_because=because,
        outcome=said.outcome if said else None,
        claim_state=stand.state.value if stand else None,
        place=(stand.place or None) if stand else None,
        quantity=stand.quantity if stand else None,
        variant=stand.variant if stand else None,
        paid_minor=stand.paid_minor if stand and stand.paid_at else None,
        currency=stand.currency if stand else None,
        keyword=(stand.keyword if stand else "") or (said.keyword if said else ""),
        source=(stand.source if stand else "") or (said.source if said else person.source),
        consent_marketing=person.consent_marketing,
        consent_at=person.consent_at,
        opted_out=person.opted_out_at is not None,
        tags=", ".join(person.tags),
        note=person.note,
        first_seen_at=person.first_seen_at,
        last_seen_at=person.last_seen_at,
        told_at=stand.told_at if stand else None,
        paid_at=stand.paid_at if stand else None,
    )


def _facts(
    person: lead_rows.Person, stand: lead_rows.Stand | None, is_of_drop: bool, now: datetime
) -> LeadFacts:
    """Whoever has a line in a drop wrote its word, or tapped a choice that we gave for it."""
    state = stand.state if stand else None
    has_window = person.window_expires_at is not None and now < person.window_expires_at
    return LeadFacts(
        wrote_keyword=is_of_drop,
        is_reachable=has_window or bool(person.email or person.phone),
        has_opted_out=person.opted_out_at is not None,
        has_paid=state is State.SOLD and bool(stand and stand.paid_minor),
        has_claimed=state in CLAIMED or bool(stand and (stand.promoted_at or stand.hold_expires_at)),
        is_waiting=state is State.WAITLISTED,
        has_email=bool(person.email),
        has_consented=bool(person.consent_marketing),
        follows_account=bool(person.follows_account),
    )
