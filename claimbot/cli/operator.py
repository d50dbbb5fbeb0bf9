"""Who may see the admin pages?"""

import click

from claimbot.cli.shared import actor, get_brand
from claimbot.cli.surroundings import opened_parts
from claimbot.core.errors import Refused
from claimbot.db import audit, brands
from claimbot.flows.passwords import NewPassword, password_faults
from claimbot.web.admin.passwords import hashed

ROLES = ("owner", "editor", "viewer")


@click.group(epilog="Example: claimbot operator create --email ann@aurora.test --brand aurora")
def operator() -> None:
    """Let people into the admin pages."""


@operator.command(
    epilog="Example: claimbot operator create --email ann@aurora.test --brand aurora --role editor"
)
@click.option("--email", required=True)
@click.option("--brand", "slug", required=True, help="Slug of the brand that they see.")
@click.option("--role", type=click.Choice(ROLES), default="owner", show_default=True)
@click.option(
    "--password",
    envvar="OPERATOR_PASSWORD",
    prompt=True,
    hide_input=True,
    confirmation_prompt=True,
    show_envvar=True,
)
def create(email: str, slug: str, role: str, password: str) -> None:
    """Let one person in; for somebody who is known already, add a brand."""
    if "@" not in email or email != email.strip():
        raise Refused("--email: this is no e-mail address")
    with opened_parts() as parts:
        owner = get_brand(parts, slug)
        with parts.ledger.reading() as tx:
            known = brands.find_operator(tx, email)
        faults = [] if known else password_faults(NewPassword(password, (email, owner.name, slug)))
        if faults:
            raise Refused("\n".join(f"--password: {one}" for one in faults))
        password_hash = "" if known else hashed(password)
        now = parts.clock()
        with parts.ledger.begin() as tx:
            operator_id = str(known["id"]) if known else brands.insert_operator(tx, email, password_hash, now)
            brands.insert_membership(tx, operator_id, owner.id, role)
            audit.insert_line(
                tx, actor(), "operator_created", operator_id, now=now, brand_id=owner.id, role=role
            )
    click.echo(f"{operator_id} may see {slug} as {role}; the password of a known operator stays")
