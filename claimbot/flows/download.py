"""How does a brand take its list away? One download at a time; it says how far it is, and is written down."""

from collections.abc import Iterator

from claimbot.core.errors import Refused
from claimbot.core.lead_filters import Wanted
from claimbot.db import audit, downloads
from claimbot.db.downloads import Download
from claimbot.db.engine import Tx
from claimbot.flows.export import export_leads
from claimbot.parts import Parts


def start_download(
    parts: Parts, actor: str, wanted: Wanted, filters: dict[str, str], with_bom: bool
) -> Iterator[bytes]:
    """Raises Refused while another one of this brand is running. End it, whatever becomes of it.

    What was searched for may be a name and is not kept; that there was a search is.
    """
    pieces = export_leads(parts, wanted, with_bom)
    now = parts.clock()

    def story(tx: Tx) -> None:
        if not downloads.begin_download(tx, wanted.brand_id, actor, now):
            raise Refused("A download of this list is still running: wait for it, then start yours.")
        audit.insert_line(
            tx, actor, "leads_exported", wanted.brand_id, now=now, brand_id=wanted.brand_id, **filters
        )

    parts.ledger.run(story)
    return _counted(parts, wanted.brand_id, pieces)


def _counted(parts: Parts, brand_id: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    lines = -1  # the first line names the columns
    for piece in pieces:
        yield piece
        lines += piece.count(b"\r\n")
        with parts.ledger.begin() as tx:
            downloads.mark_download(tx, brand_id, lines, parts.clock())


def end_download(parts: Parts, brand_id: str) -> None:
    """It is complete, or whoever took it went away."""
    with parts.ledger.begin() as tx:
        downloads.end_download(tx, brand_id)


def find_download(parts: Parts, brand_id: str) -> Download | None:
    """The one that is running now."""
    with parts.ledger.reading() as tx:
        return downloads.find_download(tx, brand_id, parts.clock())
