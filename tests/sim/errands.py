"""What do workers, the clock and the brand do? The stories that begin inside the engine."""

import json
from collections.abc import Callable

from claimbot.core.errors import Outside, Refused
from claimbot.core.outbox import OutboxRow
from claimbot.db import brands
from claimbot.flows.deliver import deliver, take
from claimbot.flows.launch import close_drop, open_drop, pause_drop, restock
from claimbot.flows.tokens import connect_account
from tests.sim.program import Step
from tests.sim.stage import Stage

MOST_ROWS = (1, 1, 2, 3, 50)
# Those that end holds, serve lines and mend the gate are due most often.
CHORES = (
    *("holds",) * 3,
    *("lines",) * 2,
    *("gates", "overdue", "events", "redis", "untold", "spool", "close"),
)
OPERATOR = "the simulation"


def work(stage: Stage, step: Step) -> None:
    """A worker takes a few rows, or all; what it cannot write down is left to the lease."""
    try:
        for row in take(stage.parts, MOST_ROWS[step.pick % len(MOST_ROWS)]):
            stage.platform.unclear[row.id] += 1 if _may_break(stage, step) else 0
            _deliver(stage, row)
    except Outside:
        return


def drain(stage: Stage, most: int) -> int:
    """A worker does all that is due; returns how many rows it were, `most` when there is no end."""
    done = 0
    while done < most and (rows := take(stage.parts, 50)):
        for row in rows:
            _deliver(stage, row)
        done += len(rows)
    return done


def _deliver(stage: Stage, row: OutboxRow) -> None:
    stage.points.row_id = row.id
    try:
        deliver(stage.parts, row)
    finally:
        stage.points.row_id = ""


def _may_break(stage: Stage, step: Step) -> bool:
    """May this worker's notes on a call be lost?"""
    return bool(step.cut) or step.fault == "commit_lost" or stage.ledger.loses_commit


def chore(stage: Stage, step: Step) -> None:
    found = next(one for one in stage.chores if one.name == CHORES[step.pick % len(CHORES)])
    try:
        found.run(stage.parts)
    except Outside:
        return


def restock_one(stage: Stage, step: Step) -> None:
    variant = stage.drop.variants[step.pick % len(stage.drop.variants)]
    _as_operator(lambda: restock(stage.parts, OPERATOR, variant.id, step.more % 6))


def pause(stage: Stage, _step: Step) -> None:
    _as_operator(lambda: pause_drop(stage.parts, OPERATOR, stage.drop.id))


def open_again(stage: Stage, _step: Step) -> None:
    _as_operator(lambda: open_drop(stage.parts, OPERATOR, stage.drop.id))


def close(stage: Stage, _step: Step) -> None:
    _as_operator(lambda: close_drop(stage.parts, OPERATOR, stage.drop.id))


def _as_operator(act: Callable[[], None]) -> None:
    try:
        act()
    except (Refused, Outside):
        return


def reconnect(stage: Stage, _step: Step) -> None:
    """The brand connects its account again."""
    stage.platform.is_token_dead = False
    again = brands.NewAccount(
        brand_id=stage.brand.id,
        channel=stage.account.channel,
        variant=stage.account.variant,
        external_id=stage.account.external_id,
        username=stage.account.username,
        token=json.dumps({"made": "again"}),
    )
    try:
        connect_account(stage.parts, OPERATOR, again)
    except Outside:
        return
