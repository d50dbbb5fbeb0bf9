"""Where do a brand's own systems listen, and do they hear? The same as the page Settings, Webhooks."""

import click

from claimbot.cli.shared import actor, get_brand, show
from claimbot.cli.surroundings import opened_parts
from claimbot.core.errors import Refused
from claimbot.core.webhooks import FAILURES_MOST, Endpoint, EndpointState
from claimbot.db.webhooks import Backlog
from claimbot.flows import endpoints
from claimbot.parts import Parts

COLUMNS = ("id", "address", "state", "waiting", "given up")


@click.group(epilog="Example: claimbot webhook list --brand aurora")
def webhook() -> None:
    """Say where a brand's own systems listen, and try it out."""


@webhook.command(epilog="Example: claimbot webhook add https://shop.example/claimbot --brand aurora")
@click.argument("url")
@click.option("--brand", "slug", required=True, help="The brand's slug.")
def add(url: str, slug: str) -> None:
    """Call this address from now on. Prints the secret that signs, which is shown this once."""
    with opened_parts() as parts:
        made = endpoints.add_endpoint(parts, actor(), get_brand(parts, slug), url.strip())
    click.echo(f"{made.id} listens; its secret, shown this once: {made.secrets[0]}")


@webhook.command("list", epilog="Example: claimbot webhook list --brand aurora")
@click.option("--brand", "slug", required=True, help="The brand's slug.")
def list_command(slug: str) -> None:
    """Every address, and how many events wait for it."""
    with opened_parts() as parts:
        found = endpoints.find_listening(parts, get_brand(parts, slug).id).backlogs
    rows = [_row(one) for one in found]
    show(COLUMNS, rows, "Nobody listens yet: claimbot webhook add --help")


def _row(one: Backlog) -> tuple[object, ...]:
    endpoint = one.endpoint
    is_away = endpoint.state is EndpointState.LIVE and endpoint.failures >= FAILURES_MOST
    state = "does not accept events" if is_away else endpoint.state.value
    return endpoint.id, endpoint.url, state, one.waiting, one.given_up


@webhook.command(epilog="Example: claimbot webhook test end_01m80s8rnfey8mm7eg3qxtz6d7 --brand aurora")
@click.argument("endpoint_id")
@click.option("--brand", "slug", required=True, help="The brand's slug.")
def test(endpoint_id: str, slug: str) -> None:
    """Send an event that means nothing; a worker delivers it."""
    with opened_parts() as parts:
        endpoints.send_test(parts, actor(), _get(parts, slug, endpoint_id))
    click.echo(f"on its way; see: claimbot webhook list --brand {slug}")


@webhook.command(epilog="Example: claimbot webhook remove end_01m80s8rnfey8mm7eg3qxtz6d7 --brand aurora")
@click.argument("endpoint_id")
@click.option("--brand", "slug", required=True, help="The brand's slug.")
@click.confirmation_option(prompt="Nothing more is sent there, and its secret is forgotten. Remove it?")
def remove(endpoint_id: str, slug: str) -> None:
    """Never call this address again."""
    with opened_parts() as parts:
        endpoints.remove(parts, actor(), _get(parts, slug, endpoint_id))
    click.echo("removed")


def _get(parts: Parts, slug: str, endpoint_id: str) -> Endpoint:
    found = endpoints.find_endpoint(parts, get_brand(parts, slug).id, endpoint_id)
    if found is None:
        raise Refused(f"This brand has no such endpoint; see: claimbot webhook list --brand {slug}")
    return found
