"""How does a run go? Family after family; each plays its rounds, and whatever breaks is told in its rows."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from claimbot.jobs import where
from tests.bench.cores import machine_words
from tests.bench.figures import Result, Row, Sample, results_of
from tests.bench.ground import Ground
from tests.bench.load import client_words

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Family:
    """Benchmarks that share what they stand on."""

    name: str
    about: str
    rows: tuple[Row, ...]
    play: Callable[[Ground], Iterator[Sample]]
    is_usual: bool = True
    """False: only played when it is named, or with --everything."""


def run(ground: Ground, families: Sequence[Family], tell: Tell) -> list[Result]:
    """Every row of every family, measured or with what went wrong; after Ctrl-C those that were played."""
    found: list[Result] = []
    for family in families:
        tell(f"{family.name}: {family.about}")
        began_at = time.monotonic()
        try:
            results = _play(ground, family)
        except KeyboardInterrupt:
            tell("stopped: what was measured until now")
            break
        found += results
        tell(f"{family.name}: {time.monotonic() - began_at:.0f} s{_troubles(results)}")
    return found


def _play(ground: Ground, family: Family) -> list[Result]:
    samples: list[Sample] = []
    trouble = ""
    try:
        samples.extend(family.play(ground))
    except Exception as error:  # a door: the other families can still be measured
        trouble = f"{where(error)}: {error}"
    results = results_of(family.rows, samples, trouble)
    if trouble and all(not one.trouble for one in results):
        # It broke after the last figure: the closing look at the promises.
        return [Result(one.row, one.samples, trouble) for one in results]
    return results


def _troubles(results: Sequence[Result]) -> str:
    return "".join(f"\n  {text}" for text in sorted({one.trouble for one in results if one.trouble}))


def document_of(ground: Ground, results: Sequence[Result]) -> dict[str, Any]:
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine_words(ground.cores),
        "placement": ground.cores.words,
        "client": client_words(),
        "rounds": ground.rounds,
        "load_before": ground.load_before,
        "rows": [one.as_document() for one in results],
    }
