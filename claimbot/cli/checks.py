"""Is every promise kept, and what does an operator do when one is not?"""

import click

from claimbot.cli.shared import show, show_json
from claimbot.cli.surroundings import opened_parts
from claimbot.flows.books import settle_lost
from claimbot.flows.diagnose import Light, Sign, diagnose_books
from claimbot.flows.mend import mend
from claimbot.flows.verify import Finding
from claimbot.flows.verify import verify as check

# A broken table could list every row: the first ones say enough, --json has them all.
SHOWN_MOST = 10


@click.command(epilog="Example: claimbot verify --json")
@click.option("--json", "as_json", is_flag=True, help="Every breach, for machines.")
@click.option("--at-rest", is_flag=True, help="Also demand that no due work is left.")
@click.pass_context
def verify(ctx: click.Context, as_json: bool, at_rest: bool) -> None:
    """Check every promise against the ledger; exit 1 on a breach."""
    with opened_parts() as parts:
        findings = check(parts, at_rest)
        books = diagnose_books(parts)
    if as_json:
        show_json([*(document(one) for one in findings), *map(books_document, books)])
    else:
        rows = [(one.invariant, one.name, "ok" if one.ok else "BROKEN", one.statement) for one in findings]
        show(("id", "name", "state", "promise"), rows, "")
        for one in findings:
            for breach in one.breaches[:SHOWN_MOST]:
                click.echo(f"{one.invariant} {breach}")
        for sign in books:
            click.echo(f"{sign.about}: {sign.text}")
    is_well = all(one.ok for one in findings) and all(one.light is not Light.RED for one in books)
    ctx.exit(0 if is_well else 1)


def document(one: Finding) -> dict[str, object]:
    return {"invariant": one.invariant, "name": one.name, "ok": one.ok, "breaches": list(one.breaches)}


def books_document(one: Sign) -> dict[str, object]:
    return {"invariant": "I4", "name": one.about, "ok": one.light is not Light.RED, "breaches": [one.text]}


@click.command(epilog="Example: claimbot reconcile")
@click.option(
    "--restored",
    is_flag=True,
    help="SQL came from a backup: end or refund the sessions that Stripe knows and it does not.",
)
@click.pass_context
def reconcile(ctx: click.Context, restored: bool) -> None:
    """Rebuild every gate from SQL, ask Stripe what we have not heard, resume parked payment work."""
    with opened_parts() as parts:
        done = mend(parts)
        lost = settle_lost(parts) if restored else None
    if lost is not None:
        click.echo(
            f"lost sessions ended: {lost.ended}; refunded: {lost.refunded}; to be asked again: {lost.left};"
            " open the drops again with: claimbot drop open"
        )
    click.echo(
        f"gates rebuilt: {done.gates}; sessions asked about: {done.sessions}; new events: {done.events};"
        f" work resumed: {done.unparked}"
    )
    if done.silent_gates:
        click.echo("Redis does not answer: claims are taken from SQL until it does", err=True)
        ctx.exit(1)
