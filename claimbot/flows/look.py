"""What is true about a claim now? Everything its page says, read and never changed."""

import logging
from dataclasses import dataclass
from datetime import datetime

from claimbot.core.brands import Brand
from claimbot.core.claims import Claim, State
from claimbot.core.drops import Drop, DropKind, Phase, phase
from claimbot.core.errors import LedgerUnavailable
from claimbot.db import checkouts, claims, drops, launches, leads, units
from claimbot.db.engine import Tx
from claimbot.flows.checkout import LINK_MARGIN
from claimbot.parts import Parts

log = logging.getLogger("claimbot.look")


@dataclass(frozen=True, slots=True)
class Standing:
    """A claim with what its page may say."""

    claim: Claim
    drop: Drop
    brand: Brand
    now: datetime
    ahead: int = 0
    """How many people stand before them in line."""
    session_url: str = ""
    """Where the open session can be paid; empty while there is none."""
    word: str = ""
    """What to write to join again; empty when that would lead nowhere."""
    username: str = ""
    """The account to write it to."""
    channel: str = ""
    chat_url: str = ""
    """Where a link opens a chat on that channel."""

    @property
    def is_over(self) -> bool:
        """The hold's time ran out, although its end was not carried out yet."""
        ends_at = self.claim.hold_expires_at
        return ends_at is not None and ends_at <= self.now


def find_standing(parts: Parts, token: str) -> Standing | None:
    """None when no claim has this token. Raises LedgerUnavailable."""
    now = parts.clock()
    catalog = parts.catalog()
    with parts.ledger.reading() as tx:
        claim = claims.find_by_token(tx, token)
        drop = drops.find_drop(tx, claim.drop_id) if claim else None
        if claim is None or drop is None or claim.state is State.ERASED:
            return None
        ahead = claims.count_waiting(tx, claim.variant_id, claim.line) if _waits(claim) else 0
        session_url = _open_session(tx, claim, now)
        lead = leads.find_lead(tx, claim.lead_id)
        has_room = drop.is_waitlist_on or drop.kind is DropKind.LIST or _is_any_free(tx, drop)
    book = catalog.brands.get(claim.brand_id) or parts.catalog(is_fresh=True).brands[claim.brand_id]
    account = catalog.account_by_id(lead.account_id) if lead else None
    words = book.words.get(drop.id, ()) if has_room and phase(drop, now) is Phase.OPEN else ()
    return Standing(
        claim=claim,
        drop=drop,
        brand=book.brand,
        now=now,
        ahead=ahead,
        session_url=session_url,
        word=words[0] if words else "",
        username=account.username if account else "",
        channel=account.channel if account else "",
        chat_url=parts.settings.meta_chat_url,
    )


def _is_any_free(tx: Tx, drop: Drop) -> bool:
    return any(units.list_free(tx, variant.id, 1) for variant in drop.variants)


def _waits(claim: Claim) -> bool:
    return claim.state is State.WAITLISTED


def _open_session(tx: Tx, claim: Claim, now: datetime) -> str:
    if claim.state is not State.HELD:
        return ""
    latest = checkouts.find_latest(tx, claim.id)
    is_open = latest is not None and latest.state == "open" and latest.expires_at - LINK_MARGIN > now
    return latest.url if latest is not None and is_open else ""


def note_opened(parts: Parts, claim_id: str) -> None:
    """They pressed the button of our page and go on to Stripe's. The first time counts, for the funnel.

    Never raises for the ledger: nobody is kept from paying for the sake of a picture.
    """
    now = parts.clock()
    try:
        with parts.ledger.begin() as tx:
            launches.mark_opened(tx, claim_id, now)
    except LedgerUnavailable:
        log.warning("opening_not_noted claim=%s", claim_id)
