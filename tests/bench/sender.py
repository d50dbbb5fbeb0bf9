"""How many messages a second does one worker send when nobody limits it? A simulation counts by that."""

from collections.abc import Iterator

from sqlalchemy import func, select

from claimbot.db.tables import outbox
from tests.bench.delivery import wait_until_answered
from tests.bench.figures import Row, Sample
from tests.bench.ground import Ground
from tests.bench.stand import running_stand
from tests.bench.world import SEND_SECONDS, Pace, running_sandbox

NO_BUDGET = {"SEND_PER_SECOND": "100000", "STRIPE_PER_SECOND": "100000"}


def rows(database: str) -> tuple[Row, ...]:
    what = f"one worker without a budget, platform 200 ms ({database}); the sandbox may be what limits it"
    return (Row(f"sender {database}", what, "sends/s"),)


def play(ground: Ground, database: str) -> Iterator[Sample]:
    people = ground.pick(2_000, 40)
    with running_stand(ground, database, True, **NO_BUDGET) as stand:
        stand.drop("LATE", 0)
        stand.start_web()
        with running_sandbox(stand, Pace(SEND_SECONDS, 0, is_limited=False)) as sandbox:
            sandbox.write_all([f"fan.{number}" for number in range(people)], "LATE")
            stand.start("worker")
            wait_until_answered(stand)
            # From the first that was done: the worker's start does not count.
            done = select(func.min(outbox.c.done_at), func.max(outbox.c.done_at))
            with stand.parts.ledger.reading() as tx:
                first_at, last_at = tx.execute(done).one()
            yield Sample(f"sender {database}", (people - 1) / (last_at - first_at).total_seconds())
            stand.check(is_at_rest=True)
