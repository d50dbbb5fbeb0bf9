"""Does money that goes back for another payment leave what was sold alone?"""

import pytest

from claimbot.core.money import Money
from claimbot.core.payments import NewsKind, PaymentEvent, RefundNews, SessionState
from claimbot.db.engine import Ledger
from claimbot.flows.settle import hear
from tests.flows.play import Play, make_play
from tests.invariants import assert_invariants


def hear_of(play: Play, kind: NewsKind, payment_intent: str) -> str:
    """Stripe tells of money that went back in full; the payment names the claim either way."""
    news = play.sessions.by_id[play.sessions.list_ids(SessionState.COMPLETE_PAID)[0]]
    refund = RefundNews(payment_intent, news.claim_id, Money(12_900, "EUR"), True, "succeeded")
    event = PaymentEvent("evt_back", "charge.refunded", "ch_1", kind, False, refund=refund)
    return hear(play.parts, play.brand.id, event, "").outcome


@pytest.mark.parametrize(
    ("kind", "payment_intent", "state"),
    [
        pytest.param(NewsKind.REFUND, "pi_cs_test_1", "refunded", id="its own payment"),
        pytest.param(NewsKind.REFUND, "pi_second", "sold", id="a second payment"),
        pytest.param(NewsKind.DISPUTE_OPENED, "pi_second", "sold", id="a dispute about a second payment"),
    ],
)
def test_only_its_own_payment_takes_a_sold_unit_back(
    on_sqlite: Ledger, redis_url: str, kind: NewsKind, payment_intent: str, state: str
) -> None:
    play = make_play(on_sqlite, redis_url)
    play.drop(stock_units=1)
    play.write(("7001", "LAUNCH"))
    play.work_all()
    play.sessions.pay("cs_test_1")
    play.tell(play.sessions.by_id["cs_test_1"])
    hear_of(play, kind, payment_intent)
    assert play.states() == {state: 1}
    assert_invariants(play.parts)
