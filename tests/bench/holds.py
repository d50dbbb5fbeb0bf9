"""How long until a thousand holds that end at once are ended, each only after Stripe said so?"""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from claimbot.core.claims import State
from claimbot.core.drops import LinkMode
from claimbot.db.tables import claims
from tests.bench.delivery import PATIENCE_SECONDS, STRIPE_PER_SECOND, NotAnswered, wait_until_answered
from tests.bench.figures import Goal, Row, Sample
from tests.bench.ground import Ground
from tests.bench.stand import Stand, running_stand
from tests.bench.world import LOOK_SECONDS, Pace, running_sandbox

NO_BUDGET = {"SEND_PER_SECOND": "100000", "STRIPE_PER_SECOND": "100000"}


def rows(database: str) -> tuple[Row, ...]:
    return (
        Row(
            f"holds {database}",
            f"1,000 holds ending at once, Stripe 300 ms ({database})",
            "s",
            "1,000 / Stripe's 20 per second",
            (Goal("ratio", at_most=1.15),),
        ),
    )


def play(ground: Ground, database: str) -> Iterator[Sample]:
    holds = ground.pick(1_000, 20)
    with running_stand(ground, database) as stand:
        world = stand.folder / "world"
        drop = stand.drop("LAUNCH", holds, link_mode=LinkMode.DIRECT)
        stand.start_web()
        # Everybody has a session before the time is taken; no limit needs to hold up that.
        with running_sandbox(stand, Pace(0, 0, is_limited=False), world) as sandbox:
            stand.start("worker", **NO_BUDGET)
            sandbox.write_all([f"fan.{number}" for number in range(holds)], "LAUNCH")
            wait_until_answered(stand)
            stand.end("worker")
        with running_sandbox(stand, Pace(), world):
            since = end_all_holds(stand)
            stand.start("worker")
            stand.start("clock")
            wait_until_ended(stand, drop.id)
            with stand.parts.ledger.reading() as tx:
                last_at = tx.execute(select(func.max(claims.c.ended_at))).scalar_one()
            yield Sample(f"holds {database}", (last_at - since).total_seconds(), holds / STRIPE_PER_SECOND)
            stand.check()


def end_all_holds(stand: Stand) -> datetime:
    """They are all due at this moment, which is returned."""
    now = stand.parts.clock()
    over = now - timedelta(seconds=stand.parts.settings.hold_grace_seconds)
    with stand.parts.ledger.begin() as tx:
        tx.execute(update(claims).where(claims.c.state == State.HELD).values(hold_expires_at=over))
    return now


def wait_until_ended(stand: Stand, drop_id: str) -> None:
    """Raises NotAnswered."""
    held = select(func.count()).where(
        claims.c.drop_id == drop_id, claims.c.state.in_((State.HELD, State.EXPIRING))
    )
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends_at:
        with stand.parts.ledger.reading() as tx:
            if tx.execute(held).scalar_one() == 0:
                return
        time.sleep(LOOK_SECONDS)
    raise NotAnswered(f"some holds had not ended after {PATIENCE_SECONDS:.0f} s")
