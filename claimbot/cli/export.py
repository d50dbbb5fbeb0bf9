"""How does a brand get its leads?"""

import sys

import click

from claimbot.cli.shared import get_brand, get_drop
from claimbot.cli.surroundings import opened_parts
from claimbot.core.lead_filters import Wanted
from claimbot.flows.export import export_leads


@click.group(epilog="Example: claimbot export leads --brand aurora > leads.csv")
def export() -> None:
    """Write leads as CSV."""


@export.command("leads", epilog="Example: claimbot export leads --brand aurora --qualified > leads.csv")
@click.option("--brand", "slug", required=True, help="Slug of the brand.")
@click.option("--drop", "drop_name", default="", help="Id or name: of this drop only.")
@click.option("--qualified", is_flag=True, help="Only those who meet the drop's rule.")
@click.option("--bom", "with_bom", is_flag=True, help="For spreadsheets that guess the encoding.")
def leads_command(slug: str, drop_name: str, qualified: bool, with_bom: bool) -> None:
    """One line for each lead and drop, to stdout."""
    out = sys.stdout.buffer
    with opened_parts() as parts:
        drop_id = get_drop(parts, drop_name).id if drop_name else None
        brand = get_brand(parts, slug)
        wanted = Wanted(brand.id, drop_id, is_qualified=True if qualified else None)
        for piece in export_leads(parts, wanted, with_bom):
            out.write(piece)
    out.flush()
