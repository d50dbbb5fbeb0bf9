"""How soon does a follower hear from us, with the latencies and budgets of the real platform and Stripe?"""

import time
from collections.abc import Iterator, Sequence

from sqlalchemy import func, select

from claimbot.core.outbox import Work
from claimbot.db.tables import claims, outbox
from tests.bench.figures import Goal, Row, Sample
from tests.bench.ground import Ground
from tests.bench.stand import Stand, running_stand
from tests.bench.world import LOOK_SECONDS, SEND_SECONDS, STRIPE_SECONDS, Pace, Sandbox, running_sandbox

LATENCIES_MS = (SEND_SECONDS + STRIPE_SECONDS) * 1000
DMS_PER_SECOND = 50.0
# Of ten who write, so many get a unit: fifteen sessions a second, which Stripe allows.
WINNERS_OF_TEN = 3
SENDS_PER_SECOND = 100
STRIPE_PER_SECOND = 20
PATIENCE_SECONDS = 150.0


class NotAnswered(Exception):
    """Somebody still waited after PATIENCE_SECONDS."""


def told_rows(database: str) -> tuple[Row, ...]:
    latencies = "platform 200 ms and Stripe 300 ms"
    bounds = (Goal("ratio", at_most=1.2), Goal("p99_ratio", at_most=2))
    return (
        Row(
            f"told {database}",
            f"told: a winner's commit → send accepted, 50 DMs/s, 15 winners/s ({database})",
            "ms",
            latencies,
            bounds,
        ),
        Row(f"told all {database}", f"told: the same when all 50 DMs/s win ({database})", "ms", latencies),
    )


def storm_rows(database: str) -> tuple[Row, ...]:
    what = "5,000 DMs, 500 units, 100 sends/s, one worker"
    return (
        Row(
            f"storm winners {database}",
            f"{what}: all winners told ({database})",
            "s",
            "500 / Stripe's 20 per second",
            (Goal("ratio", at_most=1.1),),
        ),
        Row(
            f"storm everybody {database}",
            f"{what}: everybody answered ({database})",
            "s",
            "5,000 / 100 sends per second",
            (Goal("ratio", at_most=1.1),),
        ),
    )


def play_told(ground: Ground, database: str) -> Iterator[Sample]:
    count = round(DMS_PER_SECOND * ground.pick(15, 2))
    with running_stand(ground, database) as stand, running_sandbox(stand, Pace()) as sandbox:
        stand.drop("LAUNCH", 4 * count)
        stand.drop("LATE", 0)
        stand.start_web()
        stand.start("worker")
        warm_up(stand, sandbox)
        for name, winners in ((f"told {database}", WINNERS_OF_TEN), (f"told all {database}", 10)):
            wishes = [
                (f"{name[:8].replace(' ', '.')}.{number}", "LAUNCH" if number % 10 < winners else "LATE")
                for number in range(count)
            ]
            since = stand.parts.clock()
            sandbox.write_at_pace(wishes, DMS_PER_SECOND)
            wait_until_answered(stand)
            yield _told(name, told_ms(stand, since, Work.OFFER))
        stand.check()


def _told(name: str, waits_ms: Sequence[float]) -> Sample:
    ordered = sorted(waits_ms)
    p50, p99 = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
    return Sample(name, p50, LATENCIES_MS, {"p99_ms": p99, "p99_ratio": p99 / LATENCIES_MS})


def warm_up(stand: Stand, sandbox: Sandbox) -> None:
    """The first message pays for connections and imports."""
    sandbox.write("warm.up", "LAUNCH")
    wait_until_answered(stand)


def wait_until_answered(stand: Stand) -> None:
    """Raises NotAnswered."""
    open_rows = select(func.count()).where(outbox.c.state.in_(("ready", "running")))
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends_at:
        with stand.parts.ledger.reading() as tx:
            if tx.execute(open_rows).scalar_one() == 0:
                return
        time.sleep(LOOK_SECONDS)
    raise NotAnswered(f"there was still work to do after {PATIENCE_SECONDS:.0f} s")


def told_ms(stand: Stand, since: object, kind: Work | None = None) -> list[float]:
    """From the webhook's arrival to the platform's yes, of every message since then."""
    sent = select(outbox.c.created_at, outbox.c.done_at).where(
        outbox.c.state == "done", outbox.c.created_at >= since, outbox.c.kind.in_((Work.OFFER, Work.REPLY))
    )
    if kind is not None:
        sent = sent.where(outbox.c.kind == kind)
    with stand.parts.ledger.reading() as tx:
        return [(row.done_at - row.created_at).total_seconds() * 1000 for row in tx.execute(sent)]


def play_storm(ground: Ground, database: str) -> Iterator[Sample]:
    followers, units = ground.pick(5_000, 100), ground.pick(500, 10)
    with running_stand(ground, database) as stand, running_sandbox(stand, Pace()) as sandbox:
        drop = stand.drop("LAUNCH", units + 1)
        stand.start_web()
        stand.start("worker")
        warm_up(stand, sandbox)
        since = stand.parts.clock()
        sandbox.write_all([f"fan.{number}" for number in range(followers)], "LAUNCH")
        wait_until_answered(stand)
        with stand.parts.ledger.reading() as tx:
            told = select(func.max(claims.c.told_at)).where(
                claims.c.drop_id == drop.id, claims.c.hold_expires_at.is_not(None)
            )
            winners_at = tx.execute(told).scalar_one()
            last_at = tx.execute(select(func.max(outbox.c.done_at))).scalar_one()
        for name, at, floor in (
            (f"storm winners {database}", winners_at, units / STRIPE_PER_SECOND),
            (f"storm everybody {database}", last_at, followers / SENDS_PER_SECOND),
        ):
            yield Sample(name, (at - since).total_seconds(), floor)
        stand.check(is_at_rest=True)
