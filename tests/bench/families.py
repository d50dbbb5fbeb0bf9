"""Which benchmarks are there? One line each; `python -m tests.bench NAME …` plays those that are named."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

from tests.bench import (
    batch,
    buyers,
    claims,
    delivery,
    export,
    gate,
    holds,
    keywords,
    large_body,
    memory,
    pages,
    parts,
    rebuild,
    sender,
    startup,
    webhook,
)
from tests.bench.figures import Row, Sample
from tests.bench.ground import DATABASES, Ground
from tests.bench.run import Family


class Play(Protocol):
    def __call__(self, ground: Ground, database: str) -> Iterator[Sample]: ...


def on_each(name: str, about: str, rows: Callable[[str], tuple[Row, ...]], play: Play) -> Iterator[Family]:
    for database in DATABASES:
        told = f"{about}, {database}"
        full = f"{name}-{database}"
        is_usual = full not in ONLY_WHEN_NAMED
        yield Family(full, told, rows(database), partial(play, database=database), is_usual)


# The same on the other database takes minutes and says little more.
ONLY_WHEN_NAMED = frozenset(
    """buyers-sqlite claims-postgresql told-sqlite storm-postgresql sender-sqlite holds-postgresql""".split()
)
FAMILIES = (
    *on_each("webhook", "single DMs against a no-op Flask POST", webhook.rows, webhook.play),
    *on_each("parts", "where the time of one DM goes", parts.rows, parts.play),
    *on_each("batch", "a hundred DMs in a POST against a plain bulk insert", batch.rows, batch.play),
    Family("gate", "the claim script in batches and one by one", gate.ROWS, gate.play),
    *on_each("buyers", "5,000 buyers, 500 units, two web processes", buyers.rows, buyers.play),
    Family("keywords", "one message against 100,000 keywords", keywords.ROWS, keywords.play),
    *on_each("claims", "a claim among five million others", claims.rows, claims.play),
    *on_each("told", "from the commit to the follower's phone", delivery.told_rows, delivery.play_told),
    *on_each("storm", "5,000 DMs, 500 units, one worker", delivery.storm_rows, delivery.play_storm),
    *on_each("sender", "one worker without a budget", sender.rows, sender.play),
    *on_each("holds", "1,000 holds that end at once", holds.rows, holds.play),
    *on_each("rebuild", "a lost gate", rebuild.rows, rebuild.play),
    *on_each("export", "a million leads as CSV", export.rows, export.play),
    *on_each("pages", "the list of a million leads", pages.rows, pages.play),
    Family("large", "the largest bodies that a platform signs", large_body.ROWS, large_body.play),
    Family("startup", "the first page and the list of commands", startup.ROWS, startup.play),
    Family("memory", "our processes when they are busiest", memory.ROWS, memory.play),
)
