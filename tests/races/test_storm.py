"""Does a launch end well? A thousand followers, fifty units, three in ten messages delivered twice."""

from claimbot.db.engine import Ledger
from tests.engine import Engine, running_engine
from tests.flows.crowds import handles, notes_of, post_all, with_repeats, work_together
from tests.invariants import assert_invariants

FOLLOWERS = 1_000
STOCK = 50
NO_PACE = {"SEND_PER_SECOND": "100000", "STRIPE_PER_SECOND": "100000"}


def answers(engine: Engine, crowd: list[str]) -> set[int]:
    """How many answers somebody of the crowd has on their phone."""
    return {len(engine.world.world.followers.phone(who)) for who in crowd}


def test_a_thousand_followers_get_fifty_units_and_an_answer_each(ledger: Ledger, redis_url: str) -> None:
    crowd = handles(FOLLOWERS)
    with running_engine(ledger, redis_url, **NO_PACE) as engine:
        engine.drop(stock_units=STOCK)
        # Echoes have tests of their own; here they would only be another thousand posts.
        engine.world.fault("graph", "echo_none", times=FOLLOWERS)
        statuses = post_all(engine, with_repeats(notes_of(engine, crowd), 0.3))
        assert set(statuses) == {200}
        assert engine.states() == {"held": STOCK, "waitlisted": FOLLOWERS - STOCK}
        assert engine.outcomes() == {"held": STOCK, "waitlisted": FOLLOWERS - STOCK}
        work_together(engine.parts)
        assert answers(engine, crowd) == {1}
        assert_invariants(engine.parts, is_at_rest=True)
