"""Who may see the admin pages?"""

import click

from claimbot.cli.shared import actor, get_brand, link_of, show
from claimbot.cli.surroundings import opened_parts
from claimbot.core.errors import Refused
from claimbot.core.operators import Role
from claimbot.db import audit, brands, operators
from claimbot.flows.invite import INVITED_FOR, NewInvite, forget_second_factor, has_people, invite
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
    _address(email)
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


@operator.command("invite", epilog="Example: claimbot operator invite --email ann@aurora.test --brand aurora")
@click.option("--email", default="", help="Whom; without it, the first person of this deployment.")
@click.option("--brand", "slug", default="", help="Slug of the brand that they see.")
@click.option("--role", type=click.Choice(ROLES), default="owner", show_default=True)
def invite_command(email: str, slug: str, role: str) -> None:
    """Print a link by which one person comes in, once, with a password of their own."""
    if bool(email) != bool(slug):
        raise Refused("--email and --brand: give both, or neither for the first person of this deployment")
    with opened_parts() as parts:
        if slug:
            new = NewInvite(get_brand(parts, slug).id, _address(email), Role(role), INVITED_FOR)
        elif has_people(parts):
            raise Refused("somebody is let in already: give --email and --brand")
        else:
            new = NewInvite()
        click.echo(link_of(parts, invite(parts, actor(), new)))


@operator.command("reset", epilog="Example: claimbot operator reset ann@aurora.test --forget-phone")
@click.argument("email")
@click.option("--forget-phone", is_flag=True, help="Also take the second factor away.")
def reset(email: str, forget_phone: bool) -> None:
    """Print a link by which somebody known sets a new password, within a day."""
    with opened_parts() as parts:
        with parts.ledger.reading() as tx:
            known = operators.find_by_email(tx, email)
        if known is None:
            raise Refused("nobody signs in with this address; see: claimbot operator list")
        if forget_phone:
            forget_second_factor(parts, actor(), known.id)
        click.echo(link_of(parts, invite(parts, actor(), NewInvite(email=known.email))))


@operator.command("list", epilog="Example: claimbot operator list")
def list_command() -> None:
    """Everybody who is let in, with brand and role."""
    with opened_parts() as parts, parts.ledger.reading() as tx:
        rows = [
            (one.email, brand.slug, one.role.value, "yes" if one.has_second_factor else "no")
            for brand in brands.list_brands(tx)
            for one in operators.list_colleagues(tx, brand.id)
        ]
    columns = ("e-mail", "brand", "role", "second factor")
    show(columns, rows, "Nobody yet: claimbot operator invite")


def _address(email: str) -> str:
    if "@" not in email or email != email.strip():
        raise Refused("--email: this is no e-mail address")
    return email
