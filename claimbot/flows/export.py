"""What does the brand get as its list of leads? One line for each lead and drop, streamed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from claimbot.core.claims import State
from claimbot.core.errors import Refused
from claimbot.core.leads import BOM, COLUMNS, LeadFacts, LeadRow, QualifyRule, cells, csv_line, qualified
from claimbot.db import exports
from claimbot.db.engine import Tx
from claimbot.parts import Parts

# So many leads are in memory at a time.
PAGE_LEADS = 2_000
# A page of the admin shows about this many lines, and looks at some thousand leads for them at most.
SHOWN_ROWS = 50
SHOWN_READS = (SHOWN_ROWS, 200, 800, 2_000)
# Who is in one of these has, or had, a unit or a place on an early-access list.
CLAIMED = frozenset(State) - {State.WAITLISTED, State.PASSED, State.CANCELLED, State.CLOSED, State.ERASED}


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Which lines of the list; None means all."""

    drop_id: str | None = None
    is_qualified: bool | None = None
    channel: str | None = None
    outcome: str | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One export: whose leads, which of them, as of when."""

    brand_id: str
    slug: str
    drops: dict[str, exports.DropName]
    wanted: LeadFilter
    now: datetime


def export_leads(
    parts: Parts, brand_id: str, wanted: LeadFilter | None = None, with_bom: bool = False
) -> Iterator[bytes]:
    """The list as CSV (design §14), a page at a time. Raises Refused before the first byte."""
    listing = _open(parts, brand_id, wanted or LeadFilter())
    return _lines(parts, listing, with_bom)


def list_leads(parts: Parts, brand_id: str, wanted: LeadFilter | None = None) -> Iterator[LeadRow]:
    """The same lines as values, for a page that shows some of them."""
    listing = _open(parts, brand_id, wanted or LeadFilter())
    return (row for page in _pages(parts, listing) for row in page)


def _open(parts: Parts, brand_id: str, wanted: LeadFilter) -> Listing:
    book = parts.catalog(is_fresh=True).brands.get(brand_id)
    if book is None:
        raise Refused("There is no such brand; see: claimbot brand list")
    with parts.ledger.reading() as tx:
        drops = exports.list_drop_names(tx, brand_id)
    if wanted.drop_id is not None and wanted.drop_id not in drops:
        raise Refused("This brand has no such drop; see: claimbot drop list")
    return Listing(brand_id, book.brand.slug, drops, wanted, parts.clock())


def _lines(parts: Parts, listing: Listing, with_bom: bool) -> Iterator[bytes]:
    yield ((BOM if with_bom else "") + csv_line(COLUMNS)).encode()
    for page in _pages(parts, listing):
        yield "".join(csv_line(cells(row)) for row in page).encode()


@dataclass(frozen=True, slots=True)
class Page:
    """Some leads, with everything that is known of them."""

    people: list[exports.Person]
    said: dict[tuple[str, str | None], exports.Said]
    stands: dict[exports.Pair, exports.Stand]

    def drops_of(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for lead_id, drop_id in (*self.said, *self.stands):
            if drop_id is not None:
                found.setdefault(lead_id, set()).add(drop_id)
        return found


def _pages(parts: Parts, listing: Listing) -> Iterator[list[LeadRow]]:
    wanted = _of_sql(listing)
    after = None
    while (
        page := _read(parts, partial(exports.list_page, wanted=wanted, after=after, most=PAGE_LEADS))
    ).people:
        after = page.people[-1].place
        rows = [row for row in _rows(listing, page) if _is_wanted(listing.wanted, row)]
        if rows:
            yield rows


def _of_sql(listing: Listing) -> exports.Wanted:
    """What the ledger can answer itself; the rest is looked at line by line."""
    wanted = listing.wanted
    return exports.Wanted(listing.brand_id, wanted.drop_id, wanted.channel, wanted.search)


def _read(parts: Parts, find: Callable[[Tx], list[exports.Person]]) -> Page:
    with parts.ledger.reading() as tx:
        people = find(tx)
        ids = [person.id for person in people]
        return Page(people, exports.find_said(tx, ids), exports.find_stands(tx, ids))


@dataclass(frozen=True, slots=True)
class Shown:
    """Some lines for a page. `before` is where to look on; None when these are the last."""

    rows: tuple[LeadRow, ...]
    before: exports.Place | None


def show_leads(parts: Parts, brand_id: str, wanted: LeadFilter, before: exports.Place | None) -> Shown:
    """The newest leads first. Looks at so many leads at most that nobody waits long for a page."""
    listing = _open(parts, brand_id, wanted)
    rows: list[LeadRow] = []
    for size in SHOWN_READS:
        find = partial(exports.list_latest, wanted=_of_sql(listing), before=before, most=size)
        page = _read(parts, find)
        rows += [row for row in _rows(listing, page) if _is_wanted(wanted, row)]
        is_last = len(page.people) < size
        if len(rows) > SHOWN_ROWS or (len(rows) == SHOWN_ROWS and not is_last):
            return _cut(rows, page)
        if is_last:
            return Shown(tuple(rows), None)
        before = page.people[-1].place
    return Shown(tuple(rows), before)


def _cut(rows: list[LeadRow], page: Page) -> Shown:
    """A page ends between two people, never between two lines of one."""
    last = rows[SHOWN_ROWS - 1].lead_id
    kept = [row for number, row in enumerate(rows) if number < SHOWN_ROWS or row.lead_id == last]
    places = {person.id: person.place for person in page.people}
    return Shown(tuple(kept), places[last])


def _rows(listing: Listing, page: Page) -> Iterator[LeadRow]:
    """A line for each drop of a lead, in the order of the drops; one line for who has none."""
    drops_of = page.drops_of()
    for person in page.people:
        mine = drops_of.get(person.id, set()) & listing.drops.keys()
        if not mine:
            yield _row(listing, page, person, None)
        for drop_id in sorted(mine, key=lambda one: listing.drops[one].position):
            if listing.wanted.drop_id in (None, drop_id):
                yield _row(listing, page, person, drop_id)


def _is_wanted(wanted: LeadFilter, row: LeadRow) -> bool:
    is_outcome = wanted.outcome is None or row.outcome == wanted.outcome
    return is_outcome and wanted.is_qualified in (None, row.qualified)


def _row(listing: Listing, page: Page, person: exports.Person, drop_id: str | None) -> LeadRow:
    drop = listing.drops[drop_id] if drop_id else None
    said = page.said.get((person.id, drop_id))
    stand = page.stands.get((person.id, drop_id)) if drop_id else None
    facts = _facts(person, stand, bool(drop), listing.now)
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


def _facts(person: exports.Person, stand: exports.Stand | None, is_of_drop: bool, now: datetime) -> LeadFacts:
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
