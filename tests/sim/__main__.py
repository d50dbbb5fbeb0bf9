"""Simulate many seeds: python -m tests.sim --seeds 30000 [--from N] [--workers 2]

Prints each failing seed with the fewest steps that still fail; exits with 1 when there was one.
"""

import argparse
import sys
import time

from tests.sim.run import play_all


def main(arguments: list[str] | None = None) -> int:
    wanted = _parser().parse_args(arguments)
    began_at = time.monotonic()
    seeds = range(wanted.first, wanted.first + wanted.seeds)
    failing = 0
    for failure in play_all(seeds, wanted.workers):
        failing += 1
        sys.stdout.write(f"{failure}\n\n")
        sys.stdout.flush()
    seconds = time.monotonic() - began_at
    rate = len(seeds) / seconds
    sys.stdout.write(f"{len(seeds)} seeds, {failing} failing, {seconds:.0f} s, {rate:.1f} seeds/s\n")
    return 1 if failing else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first one")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
