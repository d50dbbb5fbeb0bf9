"""How much memory do our processes take when they are busiest?"""

import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import func, select

from claimbot.db.tables import outbox
from tests.bench.bodies import Crowd
from tests.bench.cores import family_of
from tests.bench.delivery import wait_until_answered
from tests.bench.figures import Goal, Row, Sample
from tests.bench.ground import Ground
from tests.bench.load import Storm, throw, write_bodies
from tests.bench.stand import Stand, running_stand
from tests.bench.world import Pace, running_sandbox

IN_FLIGHT = 200
# So slow that all of them are on their way at once.
SEND_SECONDS = 2.0
PATIENCE_SECONDS = 30.0
MIB = 1024

ROWS = (
    Row(
        "memory web",
        "memory of a web process after a storm on 64 connections",
        "MiB",
        goals=(Goal("figure", at_most=120),),
    ),
    Row(
        "memory worker",
        "memory of a worker with 200 sends in flight",
        "MiB",
        goals=(Goal("figure", at_most=150),),
    ),
)


class TooFewInFlight(Exception):
    """The worker never had so many messages on their way."""


def play(ground: Ground) -> Iterator[Sample]:
    people = ground.pick(2 * IN_FLIGHT, 20)
    with running_stand(ground, "postgresql") as stand:
        stand.drop("LAUNCH", 100_000)
        web = stand.start_web()
        lines = Crowd().lines(ground.posts(10_000), "LAUNCH")
        path = write_bodies(stand.folder / "bodies.txt", lines)
        throw(Storm(web.url, path, ground.connections, ground.seconds), ground.cores.client)
        yield Sample("memory web", peak_mib(web.pid))
    hands = {"SENDS_IN_FLIGHT": str(IN_FLIGHT), "SEND_PER_SECOND": "10000"}
    with running_stand(ground, "postgresql", True, **hands) as stand:
        stand.drop("LATE", 0)
        stand.start_web()
        with running_sandbox(stand, Pace(SEND_SECONDS, 0, is_limited=False)) as sandbox:
            sandbox.write_all([f"fan.{number}" for number in range(people)], "LATE")
            stand.start("worker")
            wait_until_in_flight(stand, min(people, IN_FLIGHT))
            yield Sample("memory worker", peak_mib(stand.running["worker"].pid))
            wait_until_answered(stand)
            stand.check()


def wait_until_in_flight(stand: Stand, count: int) -> None:
    """Nine of ten at one moment: the first may have ended when the last begins. Raises TooFewInFlight."""
    calling = select(func.count()).where(outbox.c.state == "running", outbox.c.called_at.is_not(None))
    ends_at = time.monotonic() + PATIENCE_SECONDS
    most = 0
    while time.monotonic() < ends_at:
        with stand.parts.ledger.reading() as tx:
            most = max(most, tx.execute(calling).scalar_one())
        if most >= count * 0.9:
            return
        time.sleep(0.02)
    raise TooFewInFlight(f"{most} of {count}")


def peak_mib(pid: int) -> float:
    """Of the process or of its largest child: granian serves from a child."""
    return max(_peak_kib(one) for one in family_of(pid)) / MIB


def _peak_kib(pid: int) -> int:
    """0 when it has just ended."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text("utf-8").splitlines() if status.is_file() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
