"""How do the two processes in the background run?"""

import os

import click

from claimbot.cli.surroundings import ready_parts
from claimbot.jobs import ClockLoop, Loop, WorkerLoop, stopped_by_signals


@click.command(epilog="Example: claimbot worker")
def worker() -> None:
    """Send messages, make and end checkouts, send money back. Run as many as you like."""
    with ready_parts() as parts:
        run(WorkerLoop(parts))


@click.command(epilog="Example: claimbot clock")
def clock() -> None:
    """End holds, serve lines, ask Stripe, watch Redis. One is enough, two do no harm."""
    with ready_parts() as parts:
        run(ClockLoop(parts))


def run(loop: Loop) -> None:
    with stopped_by_signals(loop):
        is_done = loop.run()
    if not is_done:
        # A call hangs beyond its time limit. Its row's lease ends and another worker takes it.
        os._exit(0)
