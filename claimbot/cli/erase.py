"""How is one person erased?"""

import click

from claimbot.cli.shared import actor, get_brand
from claimbot.cli.surroundings import opened_parts
from claimbot.core.errors import Refused
from claimbot.core.followers import Lead
from claimbot.db import leads
from claimbot.flows.erase import erase as erase_lead
from claimbot.parts import Parts


@click.command(epilog="Example: claimbot erase --brand aurora led_01m80s8rnfey8mm7eg3qxtz6d7 --yes")
@click.option("--brand", "slug", required=True, help="Slug of the brand.")
@click.argument("who")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask: it cannot be undone.")
def erase(slug: str, who: str, is_sure: bool) -> None:
    """Erase one person: WHO is a lead's id, a name on the platform, or the platform's id."""
    with opened_parts() as parts:
        lead = _find(parts, get_brand(parts, slug).id, who)
        if not is_sure:
            click.confirm(f"Erase {lead.id} for good? What is sold stays in the books", abort=True)
        done = erase_lead(parts, actor(), lead.id)
    click.echo(f"{lead.id} is erased: {done}")
    click.echo("Stripe keeps its own record of payments: delete it there where the law asks for it")


def _find(parts: Parts, brand_id: str, who: str) -> Lead:
    with parts.ledger.reading() as tx:
        found = leads.find_lead_by_person(tx, brand_id, who)
    if len(found) != 1:
        why = "Several people have that name" if found else "There is nobody of that name"
        raise Refused(f"{why}; take the id from: claimbot export leads")
    return found[0]
