"""Values with good defaults: a test says only what it is about."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import settings

from claimbot.core.drops import Drop, DropKind, DropState, Variant
from claimbot.core.money import Money

# Enough to find what a table forgot, few enough for a folder that runs in a second.
few = settings(max_examples=25, deadline=None)

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def make_variant(code: str = "M", **about: Any) -> Variant:
    return Variant(**{"id": f"var_{code}", "code": code, "name": f"Size {code}", **about})


def make_drop(*codes: str, **about: Any) -> Drop:
    """A paid, open drop with one variant for each code."""
    defaults: dict[str, Any] = {
        "id": "drp_tee",
        "brand_id": "brd_north",
        "name": "Winter tee",
        "kind": DropKind.PAID,
        "state": DropState.OPEN,
        "price": Money(12900, "EUR"),
        "variants": tuple(make_variant(code) for code in codes or ("ONE",)),
    }
    return Drop(**{**defaults, **about})
