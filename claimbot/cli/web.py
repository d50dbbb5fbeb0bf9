"""How do the doors run? granian in front of the application, in as many processes as WEB_WORKERS says."""

import os

import click
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from claimbot.cli.local import refuse_taken_port
from claimbot.cli.surroundings import find_values, hand_on, log_config, ready_parts

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
        "claimbot.cli.following:create_following_app",
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
