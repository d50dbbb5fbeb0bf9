"""How is a recorded webhook delivered again? Signed with our app secret, to our own doors."""

from collections.abc import Sequence
from pathlib import Path

import click
import httpx
from rich.console import Console
from rich.progress import track

from claimbot.channels.signing import sign_meta
from claimbot.cli.shared import show
from claimbot.cli.surroundings import find_settings
from claimbot.core.errors import Refused

PATH = "/webhooks/meta"
TIMEOUT_SECONDS = 15.0


@click.command(epilog="Example: claimbot replay recorded/*.json")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option("--url", default="", help=f"Default: {PATH} on this machine's PORT.")
@click.pass_context
def replay(ctx: click.Context, files: Sequence[Path], url: str) -> None:
    """Deliver recorded webhooks of Meta, in this order. Delivering twice changes nothing."""
    settings = find_settings()
    if not settings.app_secrets:
        raise Refused("META_APP_SECRETS is missing: nothing can be signed")
    address = url or f"http://{settings.host}:{settings.port}{PATH}"
    secret = settings.app_secrets[0]
    with httpx.Client(timeout=TIMEOUT_SECONDS) as client:
        seen = track(files, "Delivering", console=Console(stderr=True), disable=len(files) == 1)
        rows = [(path.name, _deliver(client, address, path.read_bytes(), secret)) for path in seen]
    show(("file", "status"), rows, "")
    ctx.exit(0 if all(status == "200" for _, status in rows) else 1)


def _deliver(client: httpx.Client, address: str, body: bytes, secret: str) -> str:
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": sign_meta(body, secret)}
    try:
        return str(client.post(address, content=body, headers=headers).status_code)
    except httpx.HTTPError as trouble:
        return type(trouble).__name__
    except httpx.InvalidURL:
        raise Refused("--url: this is no address") from None
