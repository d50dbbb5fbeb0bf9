"""Are the tables as this version needs them?"""

import click

from claimbot.cli.surroundings import opened_parts
from claimbot.db.migrate import upgrade
from claimbot.db.steps import pending


@click.group(epilog="Example: claimbot db upgrade")
def db() -> None:
    """Make and check the tables."""


@db.command("upgrade", epilog="Example: claimbot db upgrade")
def upgrade_command() -> None:
    """Bring the tables up to date; running processes may go on meanwhile."""
    with opened_parts(takes_old_tables=True) as parts:
        applied = upgrade(parts.ledger)
    click.echo(f"applied: {', '.join(applied)}" if applied else "up to date")


@db.command("status", epilog="Example: claimbot db status")
@click.pass_context
def status_command(ctx: click.Context) -> None:
    """Say which steps are missing; exit 1 when there are any."""
    with opened_parts(takes_old_tables=True) as parts:
        missing = pending(parts.ledger)
    click.echo(f"missing: {', '.join(missing)}; run: claimbot db upgrade" if missing else "up to date")
    ctx.exit(1 if missing else 0)
