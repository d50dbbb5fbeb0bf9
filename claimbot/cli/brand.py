"""How does a brand come in, and how does it get paid?"""

import click

from claimbot.cli.shared import actor, get_brand, show
from claimbot.cli.surroundings import opened_parts
from claimbot.core.brands import Brand, brand_faults
from claimbot.core.errors import Refused
from claimbot.core.payments import PaymentKeys
from claimbot.db import brands
from claimbot.flows.configure import set_keys
from claimbot.flows.launch import create_brand
from claimbot.payments.keys import is_live_key


@click.group(epilog="Example: claimbot brand list")
def brand() -> None:
    """Make brands and set their Stripe keys."""


@brand.command(epilog="Example: claimbot brand create --slug aurora --name Aurora --timezone Europe/Berlin")
@click.option("--slug", required=True, help="Small letters, digits and dashes; stands in addresses.")
@click.option("--name", required=True, help="As followers know it.")
@click.option("--timezone", default="UTC", show_default=True, help="For times in messages and pages.")
@click.option("--locale", default="en", show_default=True, help="Language of the messages.")
def create(slug: str, name: str, timezone: str, locale: str) -> None:
    """Make a brand."""
    new = Brand("", slug, name, timezone, locale, livemode=False)
    faults = [f"--{field}: {words}" for field, words in brand_faults(new).items()]
    if faults:
        raise Refused("\n".join(faults))
    with opened_parts() as parts:
        made = create_brand(parts, actor(), new)
    click.echo(f"{made.id}; next: claimbot brand stripe-keys {slug}")


@brand.command("list", epilog="Example: claimbot brand list")
def list_command() -> None:
    """Every brand, and whether it can be paid."""
    with opened_parts() as parts, parts.ledger.reading() as tx:
        found = brands.list_brands(tx)
        keys = {one.id: brands.find_payment_keys(tx, parts.sealer, one.id) for one in found}
    rows = [(one.slug, one.name, one.timezone, one.locale, _mode(keys[one.id])) for one in found]
    show(("slug", "name", "timezone", "locale", "stripe"), rows, "No brand yet: claimbot brand create --help")


def _mode(keys: PaymentKeys | None) -> str:
    if keys is None:
        return "no keys"
    return "live" if keys.livemode else "test"


@brand.command("stripe-keys", epilog="Example: claimbot brand stripe-keys aurora")
@click.argument("slug")
@click.option(
    "--secret-key", envvar="STRIPE_SECRET_KEY", prompt="Secret key", hide_input=True, show_envvar=True
)
@click.option(
    "--webhook-secret",
    envvar="STRIPE_WEBHOOK_SECRET",
    prompt="Webhook secret",
    hide_input=True,
    show_envvar=True,
    help="Two, divided by a comma, while one is being replaced.",
)
@click.option("--account", default="", help="The Stripe account (acct_…), for platforms.")
def stripe_keys(slug: str, secret_key: str, webhook_secret: str, account: str) -> None:
    """Set a brand's Stripe keys: from the environment, or typed without being shown."""
    hooks = tuple(word.strip() for word in webhook_secret.split(",") if word.strip())
    with opened_parts() as parts:
        owner = get_brand(parts, slug)
        keys = PaymentKeys(owner.id, secret_key.strip(), hooks, is_live_key(secret_key.strip()), account)
        set_keys(parts, actor(), keys)
        url = f"{parts.settings.own_url}/webhooks/stripe/{slug}"
    click.echo(f"{_mode(keys)} keys set; Stripe must send its events to {url}")
