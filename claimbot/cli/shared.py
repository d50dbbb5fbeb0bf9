"""What do several commands need? A brand by its slug, a drop by its id or name, a table, who is asking."""

import getpass
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from claimbot.core.brands import Brand
from claimbot.core.drops import Drop
from claimbot.core.errors import Refused
from claimbot.db import brands, drops
from claimbot.parts import Parts

# Wide enough for an id and a sentence when nobody looks at it on a terminal.
PLAIN_COLUMNS = 160


def actor() -> str:
    """Who stands in the audit: this machine's account."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


def get_brand(parts: Parts, slug: str) -> Brand:
    """Raises Refused."""
    with parts.ledger.reading() as tx:
        brand = brands.find_brand(tx, slug)
    if brand is None:
        raise Refused(f"There is no brand {slug}; see: claimbot brand list")
    return brand


def get_drop(parts: Parts, named: str) -> Drop:
    """By id, or by a name that only one drop has. Raises Refused."""
    with parts.ledger.reading() as tx:
        found = [drop for drop in drops.list_drops(tx) if named in (drop.id, drop.name)]
    if len(found) != 1:
        why = "Several drops have that name" if found else "There is no such drop"
        raise Refused(f"{why}; take the id from: claimbot drop list")
    return found[0]


def link_of(parts: Parts, token: str) -> str:
    """Where an invitation is taken up."""
    return f"{parts.settings.own_url}/admin/join/{token}"


def show(columns: Sequence[str], rows: Sequence[Sequence[object]], nothing: str) -> None:
    """A table, or one sentence that says what to do."""
    if not rows:
        click.echo(nothing)
        return
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console = Console(file=sys.stdout, width=PLAIN_COLUMNS)
    console.print(table)


def show_json(document: Mapping[str, Any] | Sequence[Any]) -> None:
    click.echo(json.dumps(document, indent=2, default=str, ensure_ascii=False))
