"""A brand gives money back: Stripe does it once, and only then the claim changes."""

import pytest

from claimbot.core.drops import DropKind, LinkMode
from claimbot.core.errors import Refused
from claimbot.core.money import Money
from claimbot.flows.give_back import ask_refund
from claimbot.flows.verify import verify
from tests.builders import PRICE
from tests.crowd import at_once
from tests.engine import Engine
from tests.flows.looks import claim_of, open_alerts, refunds, rows_of, state_of, taken_units
from tests.flows.test_settle import offered

ACTOR = "operator:1"


def bought(engine: Engine, **changes: object) -> str:
    """Ana has bought the only unit; the id of her claim."""
    offered(engine, link_mode=LinkMode.DIRECT, **changes)
    engine.pay("ana")
    engine.work()
    return claim_of(engine, "ana").id


def finish(engine: Engine) -> None:
    engine.work()
    engine.settle()
    engine.work()


def is_sound(engine: Engine) -> bool:
    return all(one.ok for one in verify(engine.parts, is_at_rest=True))


def audited(engine: Engine) -> list[str]:
    return [row[0] for row in engine.rows("SELECT action FROM audit ORDER BY id")]


class TestAllOfIt:
    def test_the_unit_goes_to_the_next_in_line_when_the_money_is_back(self, engine: Engine) -> None:
        claim_id = bought(engine)
        engine.dm("ben")

        ask_refund(engine.parts, ACTOR, claim_id, None)
        before = state_of(engine, "ana")
        finish(engine)

        assert (before, state_of(engine, "ana"), state_of(engine, "ben")) == ("sold", "refunded", "held")
        assert claim_of(engine, "ana").refunded_minor == 12_900
        assert (refunds(engine), taken_units(engine)) == (1, [1])
        assert "all of your money back: 129.00 EUR" in engine.heard("ana")[-1]
        assert audited(engine)[-1] == "refund_asked"
        assert is_sound(engine)

    def test_a_unit_that_is_not_for_sale_again_is_retired(self, engine: Engine) -> None:
        claim_id = bought(engine, is_restocked_on_refund=False)
        engine.dm("ben")
        ask_refund(engine.parts, ACTOR, claim_id, None)
        finish(engine)
        assert (state_of(engine, "ana"), state_of(engine, "ben")) == ("refunded", "waitlisted")
        assert is_sound(engine)

    def test_asking_twice_is_one_refund(self, engine: Engine) -> None:
        claim_id = bought(engine)
        ask_refund(engine.parts, ACTOR, claim_id, None)
        with pytest.raises(Refused, match="on its way already"):
            ask_refund(engine.parts, ACTOR, claim_id, None)
        finish(engine)
        with pytest.raises(Refused, match="back with the buyer already"):
            ask_refund(engine.parts, ACTOR, claim_id, None)
        assert refunds(engine) == 1

    def test_eight_who_ask_at_once_are_one_refund(self, engine: Engine) -> None:
        claim_id = bought(engine)

        def ask(_number: int) -> str:
            try:
                ask_refund(engine.parts, ACTOR, claim_id, None)
            except Refused as refused:
                return str(refused)
            return "asked"

        answers = at_once(8, ask)
        finish(engine)

        assert sorted(answers).count("asked") == 1
        assert (refunds(engine), state_of(engine, "ana")) == (1, "refunded")
        assert is_sound(engine)

    def test_what_stripe_refuses_leaves_the_claim_sold_and_tells_a_person(self, engine: Engine) -> None:
        claim_id = bought(engine)
        engine.world.fault("stripe", "refund_failed")
        ask_refund(engine.parts, ACTOR, claim_id, None)
        finish(engine)
        assert (state_of(engine, "ana"), open_alerts(engine)) == ("sold", ["refund"])
        assert rows_of(engine, "refund") == [("dead", "refund_failed", 0)]
        with pytest.raises(Refused, match="in Stripe's dashboard"):
            ask_refund(engine.parts, ACTOR, claim_id, None)

    def test_stripes_own_news_may_come_first(self, engine: Engine) -> None:
        claim_id = bought(engine)
        ask_refund(engine.parts, ACTOR, claim_id, None)
        engine.world.api(f"/stripe/sessions/{engine.session_of('ana')}/refund")
        engine.settle()
        finish(engine)
        assert (state_of(engine, "ana"), refunds(engine)) == ("refunded", 1)
        assert is_sound(engine)

    def test_a_free_unit_is_taken_back_without_stripe(self, engine: Engine) -> None:
        engine.drop(kind=DropKind.FREE, price=Money(0, "EUR"), stock_units=1)
        engine.dm("ana")
        engine.dm("ben")
        engine.work()
        ask_refund(engine.parts, ACTOR, claim_of(engine, "ana").id, None)
        finish(engine)
        assert (state_of(engine, "ana"), state_of(engine, "ben")) == ("refunded", "sold")
        assert is_sound(engine)


class TestPartOfIt:
    def test_a_part_is_noted_and_the_unit_stays(self, engine: Engine) -> None:
        claim_id = bought(engine)
        ask_refund(engine.parts, ACTOR, claim_id, Money(2_900, "EUR"))
        finish(engine)
        claim = claim_of(engine, "ana")
        assert (claim.state, claim.refunded_minor, taken_units(engine)) == ("sold", 2_900, [1])
        assert "we send you 29.00 EUR back" in engine.heard("ana")[-1]
        assert is_sound(engine)

    def test_the_same_part_again_is_another_refund(self, engine: Engine) -> None:
        claim_id = bought(engine)
        for _ in range(2):
            ask_refund(engine.parts, ACTOR, claim_id, Money(2_900, "EUR"))
            finish(engine)
        assert (claim_of(engine, "ana").refunded_minor, refunds(engine)) == (5_800, 2)

    def test_the_rest_after_a_part_is_all_of_it(self, engine: Engine) -> None:
        claim_id = bought(engine)
        ask_refund(engine.parts, ACTOR, claim_id, Money(2_900, "EUR"))
        finish(engine)
        ask_refund(engine.parts, ACTOR, claim_id, Money(10_000, "EUR"))
        finish(engine)
        claim = claim_of(engine, "ana")
        assert (claim.state, claim.refunded_minor, taken_units(engine)) == ("refunded", 12_900, [])
        assert is_sound(engine)

    @pytest.mark.parametrize("amount", [Money(0, "EUR"), Money(12_901, "EUR"), Money(100, "USD")])
    def test_more_than_was_paid_is_refused_with_what_is_left(self, engine: Engine, amount: Money) -> None:
        claim_id = bought(engine)
        with pytest.raises(Refused, match=r"between zero and 129\.00 EUR"):
            ask_refund(engine.parts, ACTOR, claim_id, amount)
        assert rows_of(engine, "refund") == []


def test_what_was_not_paid_has_no_money_to_send_back(sqlite_engine: Engine) -> None:
    offered(sqlite_engine)
    claim_id = claim_of(sqlite_engine, "ana").id
    with pytest.raises(Refused, match="Nothing was paid"):
        ask_refund(sqlite_engine.parts, ACTOR, claim_id, PRICE)
    with pytest.raises(Refused, match="no such claim"):
        ask_refund(sqlite_engine.parts, ACTOR, "clm_nobody", None)
