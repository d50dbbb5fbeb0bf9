"""What would a launch need, and how long would it take? Played in virtual time with what was measured."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from claimbot.cli.shared import show, show_json
from claimbot.core.capacity import BUDGETS, Database, Forecast, LaunchPlan, SendBudget, Speeds, forecast

SPEEDS_FILE = "speeds.json"
NEVER = "never"
FOLLOWERS, UNITS, MINUTES = 1_000_000, 10_000, 10.0
# What only a rehearsal with real messages has, and what only a simulation has.
ONLY_REAL = ("threads", "duplicates", "batch", "word", "sandbox_url")
ONLY_SIMULATED = ("units", "minutes", "channel", "accounts")

C = TypeVar("C", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked on the command line. `channel` empty: every platform, one below the other."""

    followers: int
    units: int
    minutes: float
    channel: str
    pay_percent: int
    accounts: int


def simulate_options(command: C) -> C:
    """The options of `claimbot storm` that are about a simulation."""
    each = "With --simulate: on this platform; default: each."
    options = (
        click.option("--simulate", "is_simulated", is_flag=True, help="In virtual time; nothing is sent."),
        click.option(
            "--units", type=click.IntRange(1, 1_000_000), default=UNITS, help="With --simulate: of the drop."
        ),
        click.option(
            "--minutes",
            type=click.FloatRange(0.1, 10_080),
            default=MINUTES,
            help="With --simulate: everybody writes within them.",
        ),
        click.option("--channel", type=click.Choice(list(BUDGETS)), help=each),
        click.option(
            "--accounts", type=click.IntRange(1, 1_000), default=1, help="With --simulate: of the brand."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def question_of(ctx: click.Context) -> Question | None:
    """None: the rehearsal is to be a real one. Raises UsageError for options that do not fit together."""
    told = ctx.params
    is_simulated = bool(told["is_simulated"])
    names = ONLY_REAL if is_simulated else ONLY_SIMULATED
    wrong = [name for name in names if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if wrong:
        why = "does not go with --simulate" if is_simulated else "needs --simulate"
        raise click.UsageError(f"--{wrong[0].replace('_', '-')} {why}", ctx)
    if not is_simulated:
        return None
    return Question(
        followers=told["followers"] or FOLLOWERS,
        units=told["units"],
        minutes=told["minutes"],
        channel=told["channel"] or "",
        pay_percent=told["pay"],
        accounts=told["accounts"],
    )


def measured() -> dict[str, Any]:
    """The figures of the last benchmark, with the command that took them."""
    text = resources.files("claimbot.cli").joinpath(SPEEDS_FILE).read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def speeds_of(figures: Mapping[str, Any]) -> Speeds:
    return Speeds(
        dms_per_second={one: float(figures["dms_per_second"][one]) for one in Database},
        sends_per_second=float(figures["sends_per_second"]),
        gate_claims_per_second=float(figures["gate_claims_per_second"]),
    )


def simulate(asked: Question, as_json: bool) -> None:
    """Nothing is sent and nothing is needed: no sandbox, no Redis, no ledger."""
    figures = measured()
    speeds = speeds_of(figures)
    channels = [asked.channel] if asked.channel else list(BUDGETS)
    found = {name: forecast(_plan(asked, BUDGETS[name]), speeds) for name in channels}
    if as_json:
        show_json({"asked": asdict(asked), "measured": figures, "forecast": _documents(found)})
        return
    show(("", *found), list(_rows(found, asked)), "")
    show(
        ("", ""), [("figures", f"{figures['measured_by']}, {figures['taken_at']}, {figures['machine']}")], ""
    )


def _plan(asked: Question, budget: SendBudget) -> LaunchPlan:
    return LaunchPlan(
        followers=asked.followers,
        units=asked.units,
        minutes=asked.minutes,
        budget=budget,
        pay_percent=asked.pay_percent,
        accounts=asked.accounts,
    )


def _documents(found: Mapping[str, Forecast]) -> dict[str, Any]:
    return {name: {"budget": asdict(BUDGETS[name]), **asdict(one)} for name, one in found.items()}


def _rows(found: Mapping[str, Forecast], asked: Question) -> Iterator[Any]:
    alone = [LaunchPlan(asked.followers, asked.units, asked.minutes, BUDGETS[name]) for name in found]
    yield ("the platform takes", *(_budget(plan.budget, asked.accounts) for plan in alone))
    yield ("DMs arrive", *(f"{plan.dms_per_second:,.0f} a second" for plan in alone))
    yield ("every DM acknowledged after", *(span(one.taken_in_seconds) for one in found.values()))
    yield ("every first winner told after", *(span(one.winners_told_seconds) for one in found.values()))
    yield ("their sessions made after", *(span(one.sessions_made_seconds) for one in found.values()))
    yield ("everybody answered after", *(span(one.everybody_answered_seconds) for one in found.values()))
    yield ("answers that come too late", *(f"{one.unanswered:,}" for one in found.values()))
    yield ("most answers waiting", *(f"{one.waited_most:,}" for one in found.values()))
    yield ("every unit sold after", *(span(one.sold_out_seconds) for one in found.values()))
    yield ("units sold in the end", *(f"{one.sold:,}" for one in found.values()))
    yield ("messages sent", *(f"{one.sends:,}" for one in found.values()))
    yield ("database", *(one.needs.database for one in found.values()))
    yield ("web processes", *(one.needs.web_processes for one in found.values()))
    yield ("worker processes", *(one.needs.worker_processes for one in found.values()))
    yield (
        "one Redis is enough for the gate",
        *("no" if one.needs.is_gate_full else "yes" for one in found.values()),
    )


def _budget(budget: SendBudget, accounts: int) -> str:
    a_day = f", {budget.per_day * accounts:,} a day" if budget.per_day else ""
    return f"{budget.sends * accounts:,} per {span(budget.seconds)}{a_day}"


def span(seconds: float | None) -> str:
    """12 s, 4.5 min, 3.2 h, 12 days."""
    if seconds is None:
        return NEVER
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.0f} s"
