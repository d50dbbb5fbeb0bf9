"""How does the machine get a lead back that a person has answered?"""

import click

from claimbot.cli.shared import actor
from claimbot.cli.surroundings import opened_parts
from claimbot.flows.mend import resume_lead


@click.group(epilog="Example: claimbot lead resume led_01m80s8rnfey8mm7eg3qxtz6d7")
def lead() -> None:
    """Give a lead back to the machine."""


@lead.command(epilog="Example: claimbot lead resume led_01m80s8rnfey8mm7eg3qxtz6d7")
@click.argument("lead_id")
def resume(lead_id: str) -> None:
    """After a person has answered: the machine answers this lead again."""
    with opened_parts() as parts:
        resume_lead(parts, actor(), lead_id)
    click.echo("resumed")
