"""How does each of the three processes run? One command for each line of the Procfile."""

import os
import socket

import click
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from claimbot.cli.surroundings import find_values, hand_on, log_config, ready_parts
from claimbot.core.errors import Refused
from claimbot.jobs import ClockLoop, Loop, WorkerLoop, stopped_by_signals

# Longer than any request takes: Stripe and SQL have shorter limits.
STOP_SECONDS = 25


@click.command(epilog="Example: claimbot web --port 8000")
@click.option("--port", type=click.IntRange(1, 65534), help="Default: PORT, or 8000.")
def web(port: int | None) -> None:
    """Take in webhooks and show pages, on HOST and PORT."""
    if port is not None:
        os.environ["PORT"] = str(port)
    with ready_parts() as parts:
        settings = parts.settings
    refuse_taken_port(settings.host, settings.port)
    hand_on(find_values())
    Granian(
        "claimbot.app:create_app",
        factory=True,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        address=settings.host,
        port=settings.port,
        workers=settings.web_workers,
        blocking_threads=settings.web_threads,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        # It warns that 32 threads are many for our cores: they wait for SQL and Redis, and that is fine.
        log_level=LogLevels.error,
        log_dictconfig=log_config(settings.log_level),
    ).serve()


def refuse_taken_port(host: str, port: int) -> None:
    """Two servers may share a port on Linux, and each would get half of the calls."""
    try:
        with socket.create_server((host, port)):
            return
    except PermissionError:
        raise Refused(f"port {port} may not be used by this account: choose another with --port") from None
    except OSError:
        raise Refused(f"port {port} is taken: stop what uses it, or choose another with --port") from None


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
