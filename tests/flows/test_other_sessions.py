"""What does news of one session mean for a claim that lives of another?"""

from tests.engine import Engine
from tests.flows.deliveries import post_stripe
from tests.flows.looks import state_of, taken_units
from tests.flows.test_settle import offered, session_event
from tests.invariants import assert_invariants

FAILED = "checkout.session.async_payment_failed"


def test_the_failure_of_another_session_leaves_a_pending_payment_alone(engine: Engine) -> None:
    session_id = offered(engine)
    engine.pay("ana", delayed=True)
    told = session_event(engine, session_id, "evt_9", payment_status="unpaid")
    older = {**told["data"]["object"], "id": "cs_test_older"}

    assert post_stripe(engine, {**told, "type": FAILED, "data": {"object": older}}) == 200

    assert (state_of(engine, "ana"), taken_units(engine)) == ("pending", [1])
    assert_invariants(engine.parts)
