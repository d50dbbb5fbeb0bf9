"""What does this message say? The brand's wording with everything we know filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from claimbot.core.brands import BrandBook
from claimbot.core.claims import Claim
from claimbot.core.drops import Drop
from claimbot.core.followers import Lead
from claimbot.core.messages import Choice, Link, Reply, ReplyLimits
from claimbot.core.money import plain
from claimbot.core.outbox import Work
from claimbot.core.replies import compose, first_name, fit
from claimbot.core.texts import DEFAULT_TEXTS, TextKey
from claimbot.flows.checkout import local_time

DAY_FORMAT = "%d %b %Y, %H:%M %Z"


@dataclass(frozen=True, slots=True)
class Occasion:
    """Everything that a wording may speak of."""

    kind: Work
    payload: Mapping[str, Any]
    book: BrandBook
    lead: Lead
    now: datetime
    drop: Drop | None = None
    claim: Claim | None = None
    stock_units: int | None = None


def write_reply(occasion: Occasion, url: str, limits: ReplyLimits) -> Reply:
    """The message, with its button when there is a `url`; fits the channel."""
    if occasion.kind is Work.PERSONAL:
        return Reply(text=fit(occasion.payload["words"], limits.text_bytes))
    texts: dict[str, str] = dict(occasion.book.brand.texts)
    texts |= occasion.drop.texts if occasion.drop else {}
    values = {**_values(occasion), "link": url or None, **occasion.payload.get("values", {})}
    text = compose(TextKey(occasion.payload["text"]), texts, values, limits.text_bytes)
    title = texts.get(TextKey.PAY_BUTTON) or DEFAULT_TEXTS[TextKey.PAY_BUTTON]
    choices = tuple(
        Choice(name[: limits.choice_title_chars], payload)
        for name, payload in occasion.payload.get("choices", ())
    )
    return Reply(
        text=fit(text, limits.text_bytes),
        link=Link(title[: limits.button_title_chars], url) if url else None,
        choices=choices[: limits.choices_max],
        image_url=occasion.drop.image_url if occasion.drop and url else "",
        comment_id=occasion.payload.get("comment_id"),
    )


def _values(occasion: Occasion) -> dict[str, str | None]:
    brand, lead = occasion.book.brand, occasion.lead
    return {
        "brand": brand.name,
        "first_name": first_name(lead.name),
        "username": lead.username or None,
        "time": occasion.now.strftime("%H:%M:%S UTC"),
        **_of_drop(occasion),
        **_of_claim(occasion),
    }


def _of_drop(occasion: Occasion) -> dict[str, str | None]:
    drop = occasion.drop
    if drop is None:
        return {}
    words = occasion.book.words.get(drop.id, ())
    opens = local_day(drop.opens_at, occasion) if drop.opens_at else None
    return {
        "item": drop.name,
        "price": plain(drop.price),
        "minutes": str(drop.hold_minutes),
        "word": words[0] if words else None,
        "words": words[0] if words else None,
        "opens_at": opens,
        "stock": str(occasion.stock_units) if occasion.stock_units else None,
    }


def _of_claim(occasion: Occasion) -> dict[str, str | None]:
    claim, drop = occasion.claim, occasion.drop
    if claim is None or drop is None:
        return {}
    variant = drop.variant(claim.variant_id)
    has_choice = len(drop.variants) > 1
    # The clock starts when this very message arrives, so the deadline is counted from now.
    ends = claim.hold_expires_at
    if ends is None and occasion.kind is Work.OFFER:
        ends = occasion.now + timedelta(minutes=drop.hold_minutes)
    return {
        "variant": (variant.name or variant.code) if has_choice else None,
        "quantity": str(claim.quantity),
        "price": plain(claim.unit_price),
        "total": plain(claim.unit_price.times(claim.quantity)),
        "place": str(claim.place) if claim.place else None,
        "deadline": local_time(ends, occasion.book.brand) if ends else None,
    }


def local_day(moment: datetime, occasion: Occasion) -> str:
    return local_time(moment, occasion.book.brand, DAY_FORMAT)
