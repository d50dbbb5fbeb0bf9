"""A brand takes a claim back, or moves it to another variant; no unit is lost, and the line goes on."""

import pytest

from claimbot.core.drops import Drop, LinkMode, Variant
from claimbot.core.errors import Refused
from claimbot.core.money import Money
from claimbot.flows.cancel import cancel_claim
from claimbot.flows.launch import restock
from claimbot.flows.move import move_claim
from claimbot.flows.verify import verify
from tests.crowd import at_once
from tests.engine import Engine
from tests.flows.looks import claim_of, state_of
from tests.flows.test_settle import offered

ACTOR = "operator:1"


def finish(engine: Engine) -> None:
    engine.work()
    engine.settle()
    engine.work()


def is_sound(engine: Engine) -> bool:
    return all(one.ok for one in verify(engine.parts, is_at_rest=True))


class TestCancelling:
    def test_stripe_ends_the_session_before_the_next_gets_the_unit(self, engine: Engine) -> None:
        session_id = offered(engine, link_mode=LinkMode.DIRECT)
        engine.dm("ben")

        cancel_claim(engine.parts, ACTOR, claim_of(engine, "ana").id)
        between = (state_of(engine, "ana"), state_of(engine, "ben"))
        finish(engine)

        assert between == ("expiring", "waitlisted")
        assert engine.world.get(f"/stripe/sessions/{session_id}")["status"] == "expired"
        assert (state_of(engine, "ana"), state_of(engine, "ben")) == ("cancelled", "held")
        assert "we had to take this one back" in engine.heard("ana")[-1]
        assert is_sound(engine)

    def test_a_buyer_who_is_faster_keeps_it(self, engine: Engine) -> None:
        offered(engine, link_mode=LinkMode.DIRECT)
        cancel_claim(engine.parts, ACTOR, claim_of(engine, "ana").id)
        engine.pay("ana")
        finish(engine)
        assert state_of(engine, "ana") == "sold"
        assert is_sound(engine)

    def test_who_waits_leaves_the_line_and_is_told(self, engine: Engine) -> None:
        offered(engine, link_mode=LinkMode.DIRECT)
        engine.dm("ben")
        engine.work()
        cancel_claim(engine.parts, ACTOR, claim_of(engine, "ben").id)
        finish(engine)
        assert state_of(engine, "ben") == "cancelled"
        assert "take you off the waitlist" in engine.heard("ben")[-1]
        assert is_sound(engine)

    def test_what_is_paid_or_over_is_refused_with_what_to_do(self, sqlite_engine: Engine) -> None:
        engine = sqlite_engine
        offered(engine, link_mode=LinkMode.DIRECT)
        claim_id = claim_of(engine, "ana").id
        engine.pay("ana")
        with pytest.raises(Refused, match="send the money back instead"):
            cancel_claim(engine.parts, ACTOR, claim_id)
        assert engine.rows("SELECT count(*) FROM audit WHERE action = 'claim_cancelled'") == [(0,)]


def sized(engine: Engine, large: Money | None = None, **changes: int) -> Drop:
    """Links lead straight to Stripe, however slow the machine is."""
    variants = [Variant("var_small", "S", "Small"), Variant("var_large", "L", "Large", (), large)]
    return engine.drop(variants=variants, link_mode=LinkMode.DIRECT, **changes)


class TestMoving:
    def test_who_paid_gets_the_other_and_the_line_gets_the_old(self, engine: Engine) -> None:
        sized(engine, stock_units=1)
        engine.dm("ana", "launch s")
        engine.work()
        engine.pay("ana")
        engine.dm("ben", "launch s")
        engine.work()

        move_claim(engine.parts, ACTOR, claim_of(engine, "ana").id, "var_large")
        finish(engine)

        ana, ben = claim_of(engine, "ana"), claim_of(engine, "ben")
        assert (ana.state, ana.variant_id, ben.state, ben.variant_id) == (
            "sold",
            "var_large",
            "held",
            "var_small",
        )
        assert is_sound(engine)
        engine.dm("cleo", "launch l")
        engine.work()
        assert state_of(engine, "cleo") == "waitlisted"

    def test_who_waits_goes_to_the_end_of_the_other_line_or_gets_a_free_unit(self, engine: Engine) -> None:
        sized(engine, stock_units=1)
        for who in ("ana", "ben", "cleo"):
            engine.dm(who, "launch s")
        engine.work()

        move_claim(engine.parts, ACTOR, claim_of(engine, "cleo").id, "var_large")
        move_claim(engine.parts, ACTOR, claim_of(engine, "ben").id, "var_large")
        finish(engine)

        ben, cleo = claim_of(engine, "ben"), claim_of(engine, "cleo")
        assert (cleo.state, ben.state, ben.place) == ("held", "waitlisted", 1)
        assert is_sound(engine)

    def test_nobody_is_overtaken(self, engine: Engine) -> None:
        sized(engine, stock_units=1)
        for who, word in (("ana", "launch s"), ("ben", "launch l"), ("cleo", "launch l")):
            engine.dm(who, word)
        engine.work()
        engine.pay("ana")
        with pytest.raises(Refused, match="People wait for that variant"):
            move_claim(engine.parts, ACTOR, claim_of(engine, "ana").id, "var_large")
        finish(engine)
        assert is_sound(engine)

    def test_the_last_unit_goes_to_one_of_many_who_move_at_once(self, engine: Engine) -> None:
        drop = sized(engine, stock_units=4)
        people = ("ana", "ben", "cleo", "dan")
        for who in people:
            engine.dm(who, "launch s")
        engine.work()
        for who in people:
            engine.pay(who)
        restock(engine.parts, ACTOR, drop.variants[1].id, 1)

        def move(number: int) -> bool:
            try:
                move_claim(engine.parts, ACTOR, claim_of(engine, people[number]).id, "var_large")
            except Refused:
                return False
            return True

        moved = at_once(4, move)
        finish(engine)

        assert sorted(moved) == [False, False, False, True]
        assert is_sound(engine)

    def test_without_a_free_unit_nothing_changes(self, engine: Engine) -> None:
        sized(engine, stock_units=1, is_waitlist_on=False)
        engine.dm("ana", "launch s")
        engine.dm("ben", "launch l")
        engine.work()
        engine.pay("ana")
        before = claim_of(engine, "ana")
        with pytest.raises(Refused, match="Not enough units"):
            move_claim(engine.parts, ACTOR, before.id, "var_large")
        assert claim_of(engine, "ana") == before
        finish(engine)
        assert is_sound(engine)

    def test_another_price_is_another_offer(self, sqlite_engine: Engine) -> None:
        sized(sqlite_engine, Money(15_000, "EUR"))
        sqlite_engine.dm("ana", "launch s")
        with pytest.raises(Refused, match="different prices"):
            move_claim(sqlite_engine.parts, ACTOR, claim_of(sqlite_engine, "ana").id, "var_large")

    def test_a_payment_page_that_names_the_old_one_stands_in_the_way(self, sqlite_engine: Engine) -> None:
        sized(sqlite_engine)
        sqlite_engine.dm("ana", "launch s")
        sqlite_engine.work()
        with pytest.raises(Refused, match="payment page names the old variant"):
            move_claim(sqlite_engine.parts, ACTOR, claim_of(sqlite_engine, "ana").id, "var_large")

    @pytest.mark.parametrize(
        ("variant_id", "why"), [("var_small", "already"), ("var_other", "no such variant")]
    )
    def test_only_to_another_of_the_same_drop(self, sqlite_engine: Engine, variant_id: str, why: str) -> None:
        sized(sqlite_engine)
        sqlite_engine.dm("ana", "launch s")
        with pytest.raises(Refused, match=why):
            move_claim(sqlite_engine.parts, ACTOR, claim_of(sqlite_engine, "ana").id, variant_id)
