"""python -m tests.bench [NAME …]: how fast is claimbot beside the floors of this machine?

Every figure is measured beside its floor in the same run, round by round; each run of an engine ends with
`claimbot verify`. Loopback only, bounded in count and time, about ten minutes for everything.
"""

import argparse
import json
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.bench.charts import draw_all
from tests.bench.families import FAMILIES
from tests.bench.ground import prepared_ground
from tests.bench.readme import keep
from tests.bench.run import Family, document_of, run
from tests.bench.table import missed, show
from tests.readme_tables import README, written

ROUNDS = 3


def main(told: Sequence[str] | None = None) -> int:
    """0 when everything was measured and every promise kept, whether goals are met or not."""
    arguments = _parser().parse_args(told)
    logging.basicConfig(level=logging.ERROR)
    chosen = _chosen(arguments.names, arguments.everything)
    console = Console(stderr=True)
    console.print(f"left out: {', '.join(one.name for one in FAMILIES if one not in chosen) or 'nothing'}")
    rounds = 1 if arguments.quick else arguments.rounds
    with prepared_ground(rounds, arguments.quick) as ground:
        results = run(ground, chosen, lambda text: console.print(text, highlight=False))
        document = document_of(ground, results)
    show(document, Console(width=None if sys.stdout.isatty() else 240))
    if arguments.json:
        arguments.json.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if arguments.charts:
        drawn = draw_all(document, arguments.charts)
        console.print(f"{len(drawn)} charts in {arguments.charts}")
    if arguments.readme:
        keep(document)
        README.write_text(written(README.read_text("utf-8")), "utf-8")
    console.print(f"missed: {', '.join(missed(document)) or 'nothing'}")
    return 1 if any(one.trouble for one in results) else 0


def _parser() -> argparse.ArgumentParser:
    names = ", ".join(one.name for one in FAMILIES)
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"any of {names}")
    parser.add_argument("--everything", action="store_true", help="also what is long and says little more")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="default %(default)s")
    parser.add_argument("--quick", action="store_true", help="one short round: shows that the bench works")
    parser.add_argument("--readme", action="store_true", help="keep the figures and write README's table")
    parser.add_argument("--charts", type=Path, help="draw SVG charts into this folder")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser


def _chosen(names: Sequence[str], is_everything: bool) -> list[Family]:
    unknown = set(names) - {one.name for one in FAMILIES}
    if unknown:
        named = ", ".join(sorted(unknown))
        raise SystemExit(f"no such benchmark: {named}; see: python -m tests.bench --help")
    if names:
        return [one for one in FAMILIES if one.name in names]
    return [one for one in FAMILIES if one.is_usual or is_everything]


if __name__ == "__main__":
    # Whoever ends us lets us end what we started, and say what we know.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
