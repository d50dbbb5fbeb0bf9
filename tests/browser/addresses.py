"""Which pages are there to look at? Every GET route of the engine, with ids that exist."""

import json
from collections.abc import Callable
from contextlib import closing

from werkzeug.routing import Rule

from claimbot.app import create_app
from claimbot.cli.demo import SLUG
from claimbot.parts import make_parts
from claimbot.settings import Settings
from tests.e2e.machine import Machine

# Read by machines; their own tests look at them.
FOR_MACHINES = ("static", "health.")
# A link of an invitation works once: test_people.py walks it.
ONCE = ("admin.look_at_invitation",)


def paths(machine: Machine) -> dict[str, str]:
    """Endpoint → path, as the running engine has them: a new page is looked at without a word here.

    Raises KeyError for a rule that wants an id which IDS does not know yet.
    """
    left = [json.loads((machine.folder / name).read_text("utf-8")) for name in ("secrets.json", "up.json")]
    with closing(make_parts(Settings.from_mapping(left[0] | left[1]))) as parts:
        rules = list(create_app(parts).url_map.iter_rules())
    wanted = [rule for rule in rules if "GET" in (rule.methods or ())]
    people = [rule for rule in wanted if not rule.endpoint.startswith((*FOR_MACHINES, *ONCE))]
    return {rule.endpoint: path_of(rule, machine) for rule in people}


def path_of(rule: Rule, machine: Machine) -> str:
    built = rule.build({name: IDS[name](machine) for name in rule.arguments})
    assert built is not None
    return str(built[1])


def newest(statement: str) -> Callable[[Machine], str]:
    return lambda machine: str(machine.sql(statement)[0][0])


IDS: dict[str, Callable[[Machine], str]] = {
    "slug": lambda machine: SLUG,
    "drop_id": newest("SELECT drop_id FROM claims ORDER BY id DESC"),
    "lead_id": newest("SELECT lead_id FROM claims ORDER BY id DESC"),
    "claim_id": newest("SELECT id FROM claims ORDER BY id DESC"),
    "rehearsal_id": newest("SELECT id FROM rehearsals ORDER BY id DESC"),
    "code": newest("SELECT subject FROM audit WHERE action = 'deletion_asked'"),
    "token": newest("SELECT token FROM claims WHERE state = 'held' ORDER BY id DESC"),
}
