"""What does each step of a program do to the stage? One function for each verb."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tests.sim import errands, grief, letters, money
from tests.sim.program import Step
from tests.sim.stage import Stage

VERBS: Mapping[str, Callable[[Stage, Step], None]] = MappingProxyType(
    {
        "crowd": letters.crowd,
        "write": letters.write,
        "comment": letters.comment,
        "deliver": letters.deliver_one,
        "redeliver": letters.redeliver,
        "work": errands.work,
        "chore": errands.chore,
        "time": grief.pass_time,
        "pay": money.pay,
        "pay_delayed": money.pay_delayed,
        "end_delayed": money.end_delayed,
        "pay_late": money.pay_late,
        "event": money.payment_event,
        "echo": letters.echo,
        "click": money.click,
        "look": money.look,
        "give_back": money.give_back,
        "dispute": money.dispute,
        "end_dispute": money.end_dispute,
        "restock": errands.restock_one,
        "pause": errands.pause,
        "open": errands.open_again,
        "close": errands.close,
        "wipe": grief.wipe,
        "photograph": grief.photograph,
        "put_back": grief.put_back,
        "redis_down": grief.redis_down,
        "sql_down": grief.sql_down,
        "reconnect": errands.reconnect,
        "restart": grief.restart,
    }
)


def do(stage: Stage, step: Step) -> None:
    """One step, cut or met as the program says. Time passes between any two steps."""
    stage.clock.move(0.05 + step.more % 40 / 10)
    outer = stage.change_luck(step.fault)
    before = stage.house, stage.process
    stage.house = stage.houses[step.more // 7 % len(stage.houses)]
    stage.process = stage.processes[step.more // 17 % len(stage.processes)]

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
    stage.house, stage.process = before
    stage.change_luck(outer)
