"""How does one seed end? Every step is checked, then the rest; a failing program is made short."""

import logging
import shutil
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from claimbot.stock import server
from tests.ledgers import migrated_file
from tests.redis_server import running_redis
from tests.sim.checks import NOTHING, breaches, look_at
from tests.sim.grounds import quick_folder
from tests.sim.program import Step, make_program, minimise
from tests.sim.rest import breaches_at_rest, come_to_rest
from tests.sim.stage import Stage, Theatre, migrated_url, open_theatre
from tests.sim.verbs import do

# Whoever waits sees after each block how it stands.
BLOCK_SEEDS = 100
# More failures of one block than these say nothing new, and each takes a while to be shortened.
FAILURES_MOST = 3


@dataclass(frozen=True, slots=True)
class Failure:
    """A seed that broke a promise."""

    seed: int
    why: str
    program: tuple[Step, ...]

    def __str__(self) -> str:
        lines = [f"{number:3d}  {step}" for number, step in enumerate(self.program, 1)]
        return "\n".join([f"seed {self.seed}: {self.why}", *lines])


def play(theatre: Theatre, seed: int, program: Sequence[Step] | None = None) -> str:
    """Why this seed fails; empty when it does not."""
    stage = theatre.set_stage(seed)
    try:
        return _play(stage, make_program(seed) if program is None else program)
    except Exception as trouble:  # whatever the engine raises is a finding
        return _describe(trouble)


def _play(stage: Stage, program: Sequence[Step]) -> str:
    before = NOTHING
    for number, step in enumerate(program, 1):
        do(stage, step)
        stage.count_down()
        after = look_at(stage, before)
        stage.remember({one.id: one.state for one in after.claims.values()})
        found = breaches(stage, before, after)
        if found:
            return f"after step {number}: {'; '.join(found)}"
        before = after
    come_to_rest(stage)
    found = breaches_at_rest(stage)
    return f"at rest: {'; '.join(found)}" if found else ""


def _describe(trouble: BaseException) -> str:
    places = [
        f"{Path(one.filename).name}:{one.lineno}" for one in traceback.extract_tb(trouble.__traceback__)
    ]
    return f"{type(trouble).__name__}: {trouble} ({' < '.join(reversed(places[-6:]))})"


def kind_of(why: str) -> str:
    """What a failure is about: two programs that fail differently are two failures."""
    words = why.partition(": ")[2] if why.startswith(("after", "at rest")) else why
    return words.split(maxsplit=1)[0] if words else ""


def shorten(theatre: Theatre, seed: int, first: str) -> Failure:
    """The failure of this seed with the fewest steps that we find; `first`: how it failed before."""
    program = make_program(seed)
    why = play(theatre, seed, program)
    if not why:
        return Failure(seed, f"did not fail again; the first time: {first}", program)
    program = minimise(program, lambda some: kind_of(play(theatre, seed, some)) == kind_of(why))
    return Failure(seed, play(theatre, seed, program), program)


def first_failure(theatre: Theatre, seeds: Sequence[int]) -> int | None:
    return next((seed for seed in seeds if play(theatre, seed)), None)


@contextmanager
def own_theatre() -> Iterator[Theatre]:
    """A Redis and a SQLite of this process alone, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="sim", dir=quick_folder()))
    try:
        with running_redis(folder / "redis") as redis:
            redis.config_set("appendonly", "no")
            url = migrated_url(migrated_file(folder))
            with open_theatre(url, redis, server.url(folder / "redis")) as theatre:
                yield theatre
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def play_all(seeds: Sequence[int], workers: int) -> Iterator[str]:
    """Every failure, shortened, as it is found; each process has a Redis and a SQLite of its own."""
    size = max(1, min(BLOCK_SEEDS, -(-len(seeds) // workers)))
    blocks = [seeds[start : start + size] for start in range(0, len(seeds), size)]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for found in pool.map(play_some, blocks):
            yield from found


def play_some(seeds: Sequence[int]) -> list[str]:
    logging.disable(logging.CRITICAL)
    with own_theatre() as theatre:
        failing = [(seed, why) for seed in seeds if (why := play(theatre, seed))]
        return [str(shorten(theatre, seed, why)) for seed, why in failing[:FAILURES_MOST]]
