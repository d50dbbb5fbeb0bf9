"""Is every promise kept, whatever happens and in whatever order? Random programs with real SQL and Redis.

More of them: python -m tests.sim --seeds 30000
"""

from collections.abc import Sequence
from pathlib import Path

import pytest
from redis import Redis

from claimbot.db.engine import Ledger
from tests.sim.program import Step, make_program, minimise
from tests.sim.run import play, play_all
from tests.sim.stage import open_theatre

# A quarter of a minute on two processor cores; the long run has a command of its own.
SEEDS = 60
POSTGRESQL_SEEDS = range(1_000_000, 1_000_003)
PAST = Path(__file__).with_name("seeds.txt")


def past_seeds() -> list[int]:
    lines = PAST.read_text().splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


def test_no_program_breaks_a_promise() -> None:
    assert list(play_all(range(SEEDS), workers=2)) == []


def test_what_once_failed_does_not_fail_again() -> None:
    assert list(play_all(past_seeds(), workers=1)) == []


def test_postgresql_keeps_the_same_promises(
    on_postgresql: Ledger, redis_client: Redis, redis_url: str
) -> None:
    url = on_postgresql.engine.url.render_as_string(hide_password=False)
    with open_theatre(url, redis_client, redis_url) as theatre:
        assert [play(theatre, seed) for seed in POSTGRESQL_SEEDS] == [""] * len(POSTGRESQL_SEEDS)


def test_a_seed_is_always_the_same_program() -> None:
    assert make_program(7) == make_program(7)


@pytest.mark.parametrize("needed", [("pay",), ("pay", "time"), ("write", "work", "pay")])
def test_a_failing_program_is_reduced_to_the_steps_that_matter(needed: tuple[str, ...]) -> None:
    program = tuple(Step(verb) for verb in ("write", "chore", "work", "echo", "pay", "click", "time", "wipe"))

    def fails(some: Sequence[Step]) -> bool:
        return set(needed) <= {step.verb for step in some}

    assert tuple(step.verb for step in minimise(program, fails)) == needed
