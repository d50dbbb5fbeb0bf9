"""Which commands are there? Each is imported when it is called; every error is one line with what to do."""

import importlib
import os
from dataclasses import dataclass

import click

from claimbot.core.errors import ClaimbotError, Refused, Setup

# What was asked for cannot be done as it is: the same number as click's own for wrong arguments.
EXIT_USAGE = 2
EXIT_FAILED = 1
# EX_SOFTWARE of sysexits.h: a bug of ours.
EXIT_BUG = 70


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command lives, and what it does in half a line."""

    module: str
    name: str
    about: str


COMMANDS = {
    "up": Place("up", "up", "Run everything on this machine, with a world to play in."),
    "web": Place("web", "web", "Take in webhooks and show pages."),
    "worker": Place("serve", "worker", "Send messages and call Stripe."),
    "clock": Place("serve", "clock", "End holds, serve lines, find what was lost."),
    "db": Place("ledger", "db", "Make and check the tables."),
    "brand": Place("brand", "brand", "Make brands and set their Stripe keys."),
    "account": Place("account", "account", "Connect and check accounts of a platform."),
    "operator": Place("operator", "operator", "Let people into the admin pages."),
    "webhook": Place("webhook", "webhook", "Say where a brand's own systems listen, and try it out."),
    "drop": Place("drop", "drop", "Make, open, pause, close and restock drops."),
    "lead": Place("lead", "lead", "Give a lead back to the machine."),
    "doctor": Place("doctor", "doctor", "Say in words what is missing."),
    "verify": Place("checks", "verify", "Check every promise; exit 1 on a breach."),
    "reconcile": Place("checks", "reconcile", "Rebuild the gates and settle with Stripe."),
    "export": Place("export", "export", "Write leads as CSV."),
    "erase": Place("erase", "erase", "Erase one person."),
    "replay": Place("replay", "replay", "Deliver recorded webhooks, signed."),
    "rehearsals": Place("rehearsals", "rehearsals", "Play the rehearsals that the admin asks for."),
    "storm": Place("storm", "storm", "Rehearse a launch against the sandbox."),
}


class Commands(click.Group):
    """Imports a command when it is called, so that each starts quickly."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        found = getattr(importlib.import_module(f"claimbot.cli.{place.module}"), place.name)
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.about) for name, place in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        try:
            found: object = super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:  # a door: nobody above us would say it in one line
            ctx.exit(say(error))
        return found


def say(error: Exception) -> int:
    """Write what went wrong to stderr, one line for each fault; returns the exit code."""
    if isinstance(error, ClaimbotError):
        for line in error.faults if isinstance(error, Setup) else str(error).splitlines():
            click.echo(f"claimbot: {line}", err=True)
        return EXIT_USAGE if isinstance(error, (Refused, Setup)) else EXIT_FAILED
    if os.environ.get("LOG_LEVEL", "").upper() == "DEBUG":
        raise error
    kind = type(error).__name__
    click.echo(f"claimbot: unexpected {kind}; set LOG_LEVEL=DEBUG for the traceback", err=True)
    return EXIT_BUG


@click.command(
    cls=Commands,
    epilog="Example: claimbot up",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="claimbot", prog_name="claimbot", message="%(prog)s %(version)s")
def claimbot() -> None:
    """A word in a DM, one unit, one checkout link, an answer for everybody."""


def main() -> None:
    claimbot()
