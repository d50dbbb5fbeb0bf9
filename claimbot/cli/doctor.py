"""What would a good colleague look at before a launch?"""

import click

from claimbot.cli.shared import show, show_json
from claimbot.cli.surroundings import opened_parts
from claimbot.flows.diagnose import Light, Sign, diagnose


@click.command(epilog="Example: claimbot doctor --json")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Say in words what is missing; exit 1 when a launch would not work."""
    with opened_parts() as parts:
        signs = diagnose(parts)
    if as_json:
        show_json([{"light": one.light, "about": one.about, "text": one.text} for one in signs])
    else:
        show(("", "about", "what"), [_row(one) for one in signs], "")
    ctx.exit(1 if any(one.light is Light.RED for one in signs) else 0)


def _row(sign: Sign) -> tuple[str, str, str]:
    return sign.light.upper(), sign.about, sign.text
