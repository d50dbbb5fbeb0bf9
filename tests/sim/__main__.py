"""Simulate many seeds: python -m tests.sim --seeds 30000 [--from N] [--workers 2]

Prints each failing seed with the fewest steps that still fail; exits with 1 when there was one.
"""

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.sim.run import own_theatre, play, shorten

# More failures than these say nothing new, and each takes a while to be shortened.
FAILURES_MOST = 10


def main(arguments: list[str] | None = None) -> int:
    wanted = _parser().parse_args(arguments)
    began_at = time.monotonic()
    seeds = range(wanted.first, wanted.first + wanted.seeds)
    found = play_all(seeds, wanted.workers)
    for failure in found:
        sys.stdout.write(f"{failure}\n\n")
    seconds = time.monotonic() - began_at
    rate = len(seeds) / seconds
    sys.stdout.write(f"{len(seeds)} seeds, {len(found)} failing, {seconds:.0f} s, {rate:.1f} seeds/s\n")
    return 1 if found else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first one")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    return parser


def play_all(seeds: Sequence[int], workers: int) -> list[str]:
    """Every failure, shortened; each process has a Redis and a SQLite of its own."""
    parts = [seeds[number::workers] for number in range(workers)]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        return [failure for found in pool.map(play_some, parts) for failure in found]


def play_some(seeds: Sequence[int]) -> list[str]:
    logging.disable(logging.CRITICAL)
    found: list[str] = []
    with own_theatre() as theatre:
        for seed in seeds:
            if play(theatre, seed):
                found.append(str(shorten(theatre, seed)))
            if len(found) >= FAILURES_MOST:
                break
    return found


if __name__ == "__main__":
    sys.exit(main())
