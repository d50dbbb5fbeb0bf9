"""What befalls the machines? Redis that forgets or is behind, plugs that are pulled, restarts, time."""

from tests.sim.program import Step
from tests.sim.stage import Stage

SPANS_SECONDS = (1, 3, 31, 31, 31, 61, 61, 61, 125, 330, 330, 960, 960, 960, 960, 2_800, 4_000)
# A day and an hour: every window is closed, and every idempotency key is forgotten.
LONG_SECONDS = 90_000


def pass_time(stage: Stage, step: Step) -> None:
    is_long = step.more % 50 == 0
    stage.clock.move(LONG_SECONDS if is_long else SPANS_SECONDS[step.pick % len(SPANS_SECONDS)])


def wipe(stage: Stage, step: Step) -> None:
    stage.redis.wipe()
    if step.pick % 2:
        stage.redis.name = f"server {next(stage.numbers)}"


def photograph(stage: Stage, _step: Step) -> None:
    stage.redis.take_photograph()


def put_back(stage: Stage, step: Step) -> None:
    stage.redis.put_back()
    if step.pick % 2:
        stage.redis.name = f"server {next(stage.numbers)}"


def redis_down(stage: Stage, step: Step) -> None:
    stage.pull("redis", 2 + step.pick % 7)


def sql_down(stage: Stage, step: Step) -> None:
    stage.pull("sql", 2 + step.pick % 4)


def restart(stage: Stage, _step: Step) -> None:
    stage.restart()
