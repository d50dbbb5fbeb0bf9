"""What does the brand get as its list of leads? One line for each lead and drop, streamed, a range ahead."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from claimbot.core.errors import Refused
from claimbot.core.lead_filters import Rules, Wanted
from claimbot.core.leads import BOM, COLUMNS, csv_line
from claimbot.db import lead_cells, lead_lines, lead_rows
from claimbot.parts import Parts

# Each hand has so many leads in memory. The first lines come at once; more at a time are faster after that.
FIRST_LEADS = 1_000
RANGE_LEADS = 20_000
# PostgreSQL writes the next range on another core meanwhile; SQLite's lines are our own work.
HANDS = 2


@dataclass(frozen=True, slots=True)
class Listing:
    """One look at a list: which lines of it, what its drops are called, and what makes a lead qualified."""

    slug: str
    wanted: Wanted
    drops: dict[str, lead_rows.DropName]
    rules: Rules


def open_listing(parts: Parts, wanted: Wanted) -> Listing:
    """Raises Refused where the brand has no such drop."""
    book = parts.catalog(is_fresh=True).brands.get(wanted.brand_id)
    if book is None:
        raise Refused("There is no such brand; see: claimbot brand list")
    with parts.ledger.reading() as tx:
        drops = lead_rows.list_drop_names(tx, wanted.brand_id)
    if wanted.drop_id is not None and wanted.drop_id not in drops:
        raise Refused("This brand has no such drop; see: claimbot drop list")
    rules = Rules(parts.clock(), {drop_id: drop.rule for drop_id, drop in drops.items()})
    return Listing(book.brand.slug, wanted, drops, rules)


def export_leads(parts: Parts, wanted: Wanted, with_bom: bool = False) -> Iterator[bytes]:
    """The list as CSV (design §14), a range at a time. Raises Refused before the first byte.

    No transaction stays open between two ranges: somebody may download slowly, which would keep PostgreSQL
    from cleaning up, and SQLite's log growing.
    """
    listing = open_listing(parts, wanted)
    return _pieces(parts, listing, with_bom)


def _pieces(parts: Parts, listing: Listing, with_bom: bool) -> Iterator[bytes]:
    yield ((BOM if with_bom else "") + csv_line(COLUMNS)).encode()
    most = 1 if parts.ledger.is_sqlite else HANDS
    with ThreadPoolExecutor(most, "export") as hands:
        ahead: deque[Future[bytes]] = deque()
        for part in _ranges(parts, listing):
            ahead.append(hands.submit(_lines, parts, listing, part))
            if len(ahead) == most:
                yield ahead.popleft().result()
        for piece in ahead:
            yield piece.result()


def _ranges(parts: Parts, listing: Listing) -> Iterator[lead_lines.Range]:
    after, most = "", FIRST_LEADS
    while True:
        with parts.ledger.reading() as tx:
            lead_lines.be_patient(tx)
            last = lead_lines.find_last(tx, listing.wanted.brand_id, after, most)
        yield lead_lines.Range(after, last)
        if last is None:
            return
        after, most = last, RANGE_LEADS


def _lines(parts: Parts, listing: Listing, part: lead_lines.Range) -> bytes:
    with parts.ledger.reading() as tx:
        lead_lines.be_patient(tx)
        lines = lead_lines.lines_of(listing.wanted, part, listing.rules, parts.ledger.is_sqlite)
        return b"".join(lead_cells.write_lines(tx, lines, listing.slug))
