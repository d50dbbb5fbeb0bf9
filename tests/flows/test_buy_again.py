"""Who may have a second one, and who came before them?"""

from claimbot.core.drops import DropKind
from claimbot.core.money import Money
from tests.engine import Engine
from tests.flows.looks import outcomes, state_of, taken_units


def test_who_buys_again_at_once_stands_behind_those_who_wait(engine: Engine) -> None:
    """The gate still names the unit of their first claim, and its early number in line."""
    rules = {"kind": DropKind.FREE, "per_follower_limit": 2, "is_partial_allowed": False}
    engine.drop(stock_units=2, price=Money(0, "EUR"), **rules)
    engine.dm("ana", "LAUNCH")
    engine.dm("ben", "LAUNCH x2")
    assert (state_of(engine, "ana"), state_of(engine, "ben")) == ("sold", "waitlisted")

    engine.dm("ana", "LAUNCH")

    assert outcomes(engine) == {"held": 1, "waitlisted": 2}
    assert taken_units(engine) == [1]
