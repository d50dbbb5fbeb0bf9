"""What does each step of a program do to the stage? One function for each verb."""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from sqlalchemy import text

from claimbot.core.errors import Outside, Refused
from claimbot.core.outbox import OutboxRow
from claimbot.core.payments import SessionState
from claimbot.db import brands
from claimbot.flows.checkout import ensure_session
from claimbot.flows.deliver import deliver, take
from claimbot.flows.launch import close_drop, open_drop, pause_drop, restock
from claimbot.flows.poll import ask_about_session
from claimbot.flows.receive import Signed
from claimbot.flows.settle import hear
from claimbot.flows.take_in import take_in
from claimbot.flows.tokens import connect_account
from claimbot.sandbox.meta_webhooks import body_of, envelope, event
from tests.sim.program import Step
from tests.sim.stage import Letter, Stage

T = TypeVar("T")
WISHES = (*("LAUNCH {}",) * 8, "launch {} x2", "2 LAUNCH {}", "LAUNCH {} x3")
OTHER_WORDS = ("PASS", "PASS", "STOP", "START", "START", "hello", "HUMAN", "LAUNCH")
MOST_ROWS = (1, 1, 2, 3, 50)
SPANS_SECONDS = (1, 3, 31, 31, 31, 61, 61, 61, 125, 330, 330, 960, 960, 960, 960, 2_800, 4_000)
# A day and an hour: every window is closed, and every idempotency key is forgotten.
LONG_SECONDS = 90_000
# Those that end holds, serve lines and mend the gate are due most often.
CHORES = (
    "holds",
    "holds",
    "holds",
    "lines",
    "lines",
    "gates",
    "overdue",
    "events",
    "redis",
    "untold",
    "spool",
    "close",
)
OPERATOR = "the simulation"


def one_of(found: list[T], pick: int) -> T | None:
    return found[pick % len(found)] if found else None


def write(stage: Stage, step: Step) -> None:
    """A follower writes; mostly it is delivered at once."""
    who = stage.followers[step.pick % len(stage.followers)]
    words = _words(stage, step.more)
    mid = f"mid.{next(stage.numbers)}"
    message = {"mid": mid, "text": words}
    body = _body(stage, who, stage.account.external_id, message)
    stage.platform.wrote_at[who] = stage.clock()
    letter = Letter(body, who, mid)
    stage.letters.append(letter)
    stage.waiting.append(letter)
    if (step.pick // 7) % 6:
        _post(stage, letter, is_heard=bool((step.more // 31) % 12))


def _words(stage: Stage, more: int) -> str:
    """Mostly a wish for one of the variants."""
    if more % 6 == 0:
        return OTHER_WORDS[more // 6 % len(OTHER_WORDS)]
    variant = stage.drop.variants[more // 6 % len(stage.drop.variants)]
    return WISHES[more // 12 % len(WISHES)].format(variant.code)


def _body(stage: Stage, sender: str, recipient: str, message: object) -> bytes:
    at_seconds = stage.clock().timestamp()
    one = event(sender, recipient, at_seconds, message=message)
    return body_of(envelope(stage.account.external_id, at_seconds, [one]))


def _post(stage: Stage, letter: Letter, is_heard: bool = True) -> None:
    """One delivery. Without a 200, or when it is lost, the platform tries again some day."""
    try:
        take_in(stage.parts, letter.body, Signed())
    except Outside:
        return
    letter.is_acked = True
    if is_heard and letter in stage.waiting:
        stage.waiting.remove(letter)


def deliver_one(stage: Stage, step: Step) -> None:
    letter = one_of(stage.waiting, step.pick)
    if letter is not None:
        _post(stage, letter)


def redeliver(stage: Stage, step: Step) -> None:
    letter = one_of(stage.letters, step.pick)
    if letter is not None:
        _post(stage, letter)


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


def pass_time(stage: Stage, step: Step) -> None:
    is_long = step.more % 50 == 0
    stage.clock.move(LONG_SECONDS if is_long else SPANS_SECONDS[step.pick % len(SPANS_SECONDS)])


def pay(stage: Stage, step: Step) -> None:
    session_id = one_of(stage.stripe.list_ids(SessionState.OPEN), step.pick)
    if session_id is not None:
        stage.stripe.pay(session_id)


def pay_delayed(stage: Stage, step: Step) -> None:
    session_id = one_of(stage.stripe.list_ids(SessionState.OPEN), step.pick)
    if session_id is not None:
        stage.stripe.pay(session_id, is_delayed=True)


def end_delayed(stage: Stage, step: Step) -> None:
    session_id = one_of(stage.stripe.list_delayed(), step.pick)
    if session_id is not None:
        stage.stripe.end_delayed(session_id, is_paid=step.more % 3 > 0)


def pay_late(stage: Stage, step: Step) -> None:
    """Against Stripe's own word, money comes for a session that has expired."""
    session_id = one_of(stage.stripe.list_ids(SessionState.EXPIRED), step.pick)
    if session_id is not None:
        stage.stripe.pay(session_id)


def payment_event(stage: Stage, step: Step) -> None:
    """One of Stripe's events: once, again later, under a second id, or never."""
    told = one_of(stage.stripe.undelivered, step.pick)
    if told is None:
        return
    how = step.more % 8
    if how == 0:
        stage.stripe.undelivered.remove(told)
        return
    try:
        hear(stage.parts, stage.brand.id, told, "")
        if how == 1:
            hear(stage.parts, stage.brand.id, stage.stripe.another_id(told), "")
    except Outside:
        return
    if how > 2 and told in stage.stripe.undelivered:
        stage.stripe.undelivered.remove(told)


def echo(stage: Stage, step: Step) -> None:
    """The platform shows us one of our own messages; or never does."""
    sent = one_of(stage.platform.echoes, step.pick)
    if sent is None:
        return
    stage.platform.echoes.remove(sent)
    if step.more % 4 == 0:
        return
    message = {"mid": sent.mid, "is_echo": True, **({"text": sent.text} if sent.text else {})}
    letter = Letter(_body(stage, stage.account.external_id, sent.who, message), sent.who, sent.mid)
    stage.letters.append(letter)
    stage.waiting.append(letter)
    _post(stage, letter)


def click(stage: Stage, step: Step) -> None:
    """A follower opens their pay link."""
    claim_id = one_of(_claim_ids(stage), step.pick)
    try:
        if claim_id is not None:
            ensure_session(stage.parts, claim_id)
    except Outside:
        return


def look(stage: Stage, step: Step) -> None:
    """A buyer came back from Stripe."""
    claim_id = one_of(_claim_ids(stage), step.pick)
    try:
        if claim_id is not None:
            ask_about_session(stage.parts, claim_id)
    except Outside:
        return


def _claim_ids(stage: Stage) -> list[str]:
    with stage.ledger.engine.connect() as tx:
        return list(tx.execute(text("SELECT id FROM claims ORDER BY line, id")).scalars())


def give_back(stage: Stage, step: Step) -> None:
    """The brand sends money back in Stripe's dashboard."""
    paid = stage.stripe.list_ids(SessionState.COMPLETE_PAID)
    session_id = one_of([one for one in paid if one not in stage.stripe.refunds], step.pick)
    if session_id is not None:
        stage.stripe.give_back(session_id)


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


def restart(stage: Stage, _step: Step) -> None:
    stage.restart()


VERBS: Mapping[str, Callable[[Stage, Step], None]] = MappingProxyType(
    {
        "write": write,
        "deliver": deliver_one,
        "redeliver": redeliver,
        "work": work,
        "chore": chore,
        "time": pass_time,
        "pay": pay,
        "pay_delayed": pay_delayed,
        "end_delayed": end_delayed,
        "pay_late": pay_late,
        "event": payment_event,
        "echo": echo,
        "click": click,
        "look": look,
        "give_back": give_back,
        "restock": restock_one,
        "pause": pause,
        "open": open_again,
        "close": close,
        "wipe": wipe,
        "photograph": photograph,
        "put_back": put_back,
        "redis_down": redis_down,
        "sql_down": sql_down,
        "reconnect": reconnect,
        "restart": restart,
    }
)


def do(stage: Stage, step: Step) -> None:
    """One step, cut or met as the program says. Time passes between any two steps."""
    stage.clock.move(0.05 + step.more % 40 / 10)
    outer = stage.change_luck(step.fault)

    def story() -> None:
        VERBS[step.verb](stage, step)

    def rivals() -> None:
        for rival in step.rivals:
            do(stage, rival)

    if step.cut == "killed":
        stage.points.kill(story, step.at)
    elif step.cut:
        stage.points.meet(story, step.at, rivals, is_killed=step.cut == "met_killed")
    else:
        story()
    stage.change_luck(outer)
