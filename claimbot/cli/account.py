"""Which accounts do we speak for, and are they well?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import click

from claimbot.channels import CHANNELS
from claimbot.cli.shared import actor, get_brand, show
from claimbot.cli.surroundings import opened_parts
from claimbot.core.brands import Account
from claimbot.core.errors import Refused
from claimbot.core.messages import SendingAccount
from claimbot.db import brands
from claimbot.flows.connect import channel_of, said, subscribe
from claimbot.flows.reply import sender_of
from claimbot.flows.tokens import connect_account
from claimbot.parts import Parts

VARIANTS = ("instagram_login", "page")


@click.group(epilog="Example: claimbot account check")
def account() -> None:
    """Connect and check accounts of a platform."""


@account.command(epilog="Example: claimbot account connect --brand aurora --external-id 17841400000000001")
@click.option("--brand", "slug", required=True, help="Slug of the brand.")
@click.option("--channel", type=click.Choice([one.name for one in CHANNELS]), default="instagram")
@click.option("--variant", type=click.Choice(VARIANTS), default="instagram_login", show_default=True)
@click.option("--external-id", required=True, help="The platform's id, as webhooks name it.")
@click.option("--page-id", default="", help="For the variant page.")
@click.option("--token", envvar="ACCOUNT_TOKEN", prompt="Access token", hide_input=True, show_envvar=True)
@click.option(
    "--app-secret", envvar="ACCOUNT_APP_SECRET", default="", help="Of its own app; from the environment."
)
@click.option("--token-days", type=click.IntRange(1, 400), default=60, show_default=True)
@click.option("--check/--no-check", "is_checked", default=True, help="Ask the platform before it is kept.")
def connect(slug: str, token: str, is_checked: bool, token_days: int, **told: str) -> None:
    """Connect an account, or give a known one a new token; what waited for it is sent."""
    if told["variant"] == "page" and not told["page_id"]:
        raise Refused("--page-id: the variant page needs it")
    with opened_parts() as parts:
        ends_at = None if told["variant"] == "page" else datetime.now(UTC) + timedelta(days=token_days)
        brand_id = get_brand(parts, slug).id
        new = brands.NewAccount(brand_id, token=token.strip(), token_expires_at=ends_at, **told)
        if is_checked:
            new = replace(new, username=_greet(parts, new))
        account_id = connect_account(parts, actor(), new)
    click.echo(f"{account_id} is connected")


def _greet(parts: Parts, new: brands.NewAccount) -> str:
    """Subscribe and check; the account's name there. Raises Refused."""
    sender = SendingAccount("", new.channel, new.variant, new.external_id, new.page_id, new.token)
    return subscribe(parts, channel_of(new.channel), sender).username


@account.command("list", epilog="Example: claimbot account list")
def list_command() -> None:
    """Every account, with the end of its token and its last event."""
    with opened_parts() as parts, parts.ledger.reading() as tx:
        slugs = {one.id: one.slug for one in brands.list_brands(tx)}
        found = brands.list_accounts(tx, parts.sealer)
        now = parts.clock()
    rows = [
        (one.id, slugs[one.brand_id], one.channel, one.username, _state(one), *_ages(one, now))
        for one in found
    ]
    columns = ("account", "brand", "channel", "name", "state", "token days", "last event")
    show(columns, rows, "No account yet: claimbot account connect --help")


def _state(one: Account) -> str:
    return "live" if one.is_live else f"parked ({one.reason})"


def _ages(one: Account, now: datetime) -> tuple[str, str]:
    days = str((one.token_expires_at - now).days) if one.token_expires_at else "-"
    return days, one.last_event_at.strftime("%Y-%m-%d %H:%M UTC") if one.last_event_at else "never"


@account.command("check", epilog="Example: claimbot account check")
@click.pass_context
def check(ctx: click.Context) -> None:
    """Ask the platform about every account; exit 1 when one is not well."""
    with opened_parts() as parts:
        with parts.ledger.reading() as tx:
            found = brands.list_accounts(tx, parts.sealer)
        healths = [channel_of(one.channel).check(parts.http, sender_of(one)) for one in found]
    rows = [(one.id, one.username, said(health)) for one, health in zip(found, healths, strict=True)]
    show(("account", "name", "health"), rows, "No account yet: claimbot account connect --help")
    ctx.exit(0 if all(health.ok for health in healths) else 1)
