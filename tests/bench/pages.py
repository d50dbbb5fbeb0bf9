"""How long does a brand wait for a page of its list, when a million people wrote?"""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from claimbot.core.lead_filters import Wanted
from claimbot.flows.show import count_leads, show_leads
from claimbot.parts import Parts
from tests.bench.crowd import BEGAN, Crowd, make_crowd
from tests.bench.figures import Goal, Row, Sample
from tests.bench.ground import Ground
from tests.bench.stand import running_stand

LEADS = 1_000_000


def rows(database: str) -> tuple[Row, ...]:
    people = f"of {LEADS:,} leads ({database})"
    return (
        Row(f"page {database}", f"the first page {people}", "ms", goals=(Goal("figure", at_most=200),)),
        Row(f"filter {database}", f"the slowest filter {people}", "ms", goals=(Goal("figure", at_most=500),)),
    )


def play(ground: Ground, database: str) -> Iterator[Sample]:
    with running_stand(ground, database) as stand:
        crowd = make_crowd(stand.parts.ledger, ground.pick(LEADS, 5_000))
        stand.parts.catalog(is_fresh=True)
        for _ in range(ground.rounds):
            yield Sample(f"page {database}", page_ms(stand.parts, Wanted(crowd.brand.id)))
            found = {name: page_ms(stand.parts, wanted) for name, wanted in filters(crowd).items()}
            yield Sample(f"filter {database}", max(found.values()), parts=found)


def page_ms(parts: Parts, wanted: Wanted) -> float:
    """The lines and their number, as the page asks for them."""
    began_at = time.perf_counter()
    show_leads(parts, wanted, None)
    count_leads(parts, wanted)
    return (time.perf_counter() - began_at) * 1000


def filters(crowd: Crowd) -> dict[str, Wanted]:
    """Frequent and rare ones, and the drop whose leads stand farthest back."""
    oldest: dict[str, Any] = {"drop_id": crowd.drop_ids[0]}
    asked: dict[str, dict[str, Any]] = {
        "drop": oldest,
        "outcome": {"outcome": "held"},
        "outcome in drop": {**oldest, "outcome": "sold_out"},
        "state": {"state": "sold"},
        "state in drop": {**oldest, "state": "waitlisted"},
        "qualified": {"is_qualified": True},
        "not qualified in drop": {**oldest, "is_qualified": False},
        "consent": {"has_consented": True},
        "tag": {"tag": "vip"},
        "no such tag": {"tag": "none"},
        "name": {"search": "lima"},
        "no such name": {"search": "nobody"},
        "dates": {"seen_from": BEGAN, "seen_before": day_two()},
    }
    return {name: Wanted(crowd.brand.id, **words) for name, words in asked.items()}


def day_two() -> datetime:
    return BEGAN.replace(day=2)
