"""How does a follower get to pay? One payable session for each claim; every attempt is written down first."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from claimbot.core.brands import Brand
from claimbot.core.checkouts import expires_clamp
from claimbot.core.claims import Claim, State
from claimbot.core.drops import Drop
from claimbot.core.messages import Verdict
from claimbot.core.payments import CheckoutRequest, SessionState
from claimbot.db import alerts, checkouts, claims
from claimbot.db.engine import Tx
from claimbot.parts import Parts
from claimbot.payments.results import CallResult

log = logging.getLogger("claimbot.checkout")

# A used-up key is answered with a new attempt at once; more than this many in a row are a fault.
EPOCH_TRIES = 3
# A session that ends this soon is not shown any more.
LINK_MARGIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Session:
    """`url` leads to Stripe's page; empty when there is none now, and `reason` says why."""

    url: str = ""
    reason: str = ""


def pay_link(parts: Parts, claim: Claim) -> str:
    """Our own page for this claim; it always tells the truth."""
    return f"{parts.settings.own_url}/c/{claim.token}"


def ensure_session(parts: Parts, claim_id: str, is_hasty: bool = False) -> Session:
    """The claim's one payable session, made if missing. Never waits for Stripe's rate budget.

    `is_hasty`: a message waits for it, which goes out with our own link when Stripe takes long.
    """
    for _ in range(EPOCH_TRIES):
        found = parts.ledger.run(lambda tx: _attempt(parts, tx, claim_id))
        if isinstance(found, Session):
            return found
        session = _call(parts, found, is_hasty)
        if session is not None:
            return session
    return Session(reason="stripe_refused")


def _attempt(parts: Parts, tx: Tx, claim_id: str) -> checkouts.Attempt | Session:
    """The attempt to make or to repeat; or the session that is there already."""
    now = parts.clock()
    claim = claims.lock_claim(tx, claim_id)
    if claim is None or claim.state is not State.HELD:
        return Session(reason="not_held")
    latest = checkouts.find_latest(tx, claim_id)
    if latest is not None and latest.state == "open" and latest.expires_at - LINK_MARGIN > now:
        return Session(latest.url)
    if latest is not None and latest.state in ("asked", "open", "complete"):
        return latest if latest.state == "asked" else Session(reason="session_ending")
    if claim.hold_expires_at is not None and claim.hold_expires_at <= now:
        return Session(reason="hold_ended")
    epoch = latest.epoch + 1 if latest else 1
    request = _request(parts, claim, epoch, now)
    checkouts.insert_attempt(tx, claim.brand_id, request, now)
    claims.mark_values(tx, claim.id, session_epoch=epoch)
    made = checkouts.find_latest(tx, claim_id)
    assert made is not None  # it was just inserted
    return made


def _request(parts: Parts, claim: Claim, epoch: int, now: datetime) -> CheckoutRequest:
    book = parts.catalog().brands[claim.brand_id]
    drop = book.drops[claim.drop_id]
    hold_end = claim.hold_expires_at or now + timedelta(minutes=drop.hold_minutes)
    return CheckoutRequest(
        claim_id=claim.id,
        epoch=epoch,
        item_name=item_name(drop, claim),
        unit_price=claim.unit_price,
        quantity=claim.quantity,
        expires_at=expires_clamp(hold_end, now),
        return_url=pay_link(parts, claim),
        image_url=drop.image_url,
        deadline_note=f"Held for you until {local_time(hold_end, book.brand)}, then it goes on.",
        options=drop.options,
    )


def item_name(drop: Drop, claim: Claim) -> str:
    variant = drop.variant(claim.variant_id)
    is_plain = len(drop.variants) == 1
    return drop.name if is_plain else f"{drop.name} ({variant.name or variant.code})"


def local_time(moment: datetime, brand: Brand, form: str = "%H:%M %Z") -> str:
    """`14:35 CET`: the brand's own zone, named."""
    return moment.astimezone(ZoneInfo(brand.timezone)).strftime(form)


def _call(parts: Parts, attempt: checkouts.Attempt, is_hasty: bool) -> Session | None:
    """Ask Stripe. None: this attempt is used up, make another."""
    gateway = parts.gateways.of(attempt.brand_id)
    if gateway is None:
        _alert(parts, attempt.brand_id, "no_stripe_key")
        return Session(reason="no_stripe_key")
    if spend_call(parts, attempt.brand_id) > 0:
        return Session(reason="stripe_busy")
    result = gateway.create(attempt.request, is_hasty)
    return parts.ledger.run(lambda tx: note_created(parts, tx, attempt, result))


def spend_call(parts: Parts, brand_id: str) -> float:
    """Seconds to wait before Stripe may be called for this brand; 0 means go."""
    return parts.budgets.spend(_scope(brand_id), _rule(parts))


def wait_call(parts: Parts, brand_id: str) -> float:
    """The same for work that nobody waits for: it may wait its turn."""
    return parts.budgets.wait_turn(_scope(brand_id), _rule(parts))


def _scope(brand_id: str) -> str:
    return f"stripe:{brand_id}"


def _rule(parts: Parts) -> str:
    return f"{parts.settings.stripe_per_second}/second"


def note_created(parts: Parts, tx: Tx, attempt: checkouts.Attempt, result: CallResult) -> Session | None:
    """Write down how the create call ended."""
    if result.verdict is Verdict.DONE and result.news is not None:
        news = result.news
        checkouts.mark_open(tx, attempt, news.session_id, news.url)
        claims.mark_values(tx, attempt.claim_id, stripe_session_id=news.session_id)
        is_open = news.state is SessionState.OPEN
        return Session(news.url) if is_open else Session(reason="session_ending")
    log.warning("checkout claim=%s %s %s", attempt.claim_id, result.verdict, result.reason)
    if result.is_new_epoch_needed or result.verdict is Verdict.DEAD:
        checkouts.mark_ended(tx, attempt.claim_id, attempt.epoch, "abandoned")
        if result.is_new_epoch_needed:
            return None
        _raise_refused(tx, attempt, result.reason, parts.clock())
        return Session(reason="stripe_refused")
    if result.verdict is Verdict.PARKED:
        raise_stripe_alert(tx, attempt.brand_id, result.reason, parts.clock())
    return Session(reason=result.reason or "stripe_unreachable")


def _raise_refused(tx: Tx, attempt: checkouts.Attempt, reason: str, now: datetime) -> None:
    """A winner who cannot pay is not to be found out by the end of the hold."""
    text = f"Stripe refuses to make a checkout ({reason}); look at the price and the options of the drop"
    alerts.raise_alert(tx, alerts.Alert("checkout", attempt.brand_id, text, attempt.brand_id), now)


def _alert(parts: Parts, brand_id: str, reason: str) -> None:
    with parts.ledger.begin() as tx:
        raise_stripe_alert(tx, brand_id, reason, parts.clock())


def raise_stripe_alert(tx: Tx, brand_id: str, reason: str, now: datetime) -> None:
    text = f"Stripe does not work for this brand ({reason}); mend it or its key, then: claimbot reconcile"
    alerts.raise_alert(tx, alerts.Alert("stripe", brand_id, text, brand_id), now)
