"""How long does a person wait for the first page, and for the list of commands?"""

import subprocess
import time
from collections.abc import Iterator

from tests.bench.figures import Goal, Row, Sample
from tests.bench.ground import Ground
from tests.e2e.machine import command, environment, running_up

HELPS = 5

ROWS = (
    Row("up", "`claimbot up` ready, in a new folder", "s", goals=(Goal("figure", at_most=3),)),
    Row("help", "`claimbot --help`", "ms", goals=(Goal("figure", at_most=300),)),
)


def play(ground: Ground) -> Iterator[Sample]:
    """On all cores, like at home."""
    with ground.unpinned():
        for _ in range(ground.rounds):
            began_at = time.perf_counter()
            with running_up(ground.new_folder("up") / "data"):
                yield Sample("up", time.perf_counter() - began_at)
            for _ in range(HELPS):
                yield Sample("help", help_ms())


def help_ms() -> float:
    began_at = time.perf_counter()
    subprocess.run(command("--help"), env=environment(), check=True, capture_output=True, timeout=30)
    return (time.perf_counter() - began_at) * 1000
