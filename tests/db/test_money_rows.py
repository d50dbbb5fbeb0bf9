"""Checkout attempts and payment events: what was asked of Stripe, and what it said."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from claimbot.core.claims import Claim
from claimbot.core.payments import CheckoutOptions, CheckoutRequest
from claimbot.db import checkouts, payments
from claimbot.db.checkouts import Attempt
from claimbot.db.engine import Ledger
from claimbot.db.payments import Heard
from tests.builders import NOW, PRICE, World, make_claim
from tests.crowd import at_once

ENDS = NOW + timedelta(minutes=35)


@pytest.fixture
def claim(world: World) -> Claim:
    return make_claim(world.ledger, world.drop(), world.first)


def request_of(claim: Claim, epoch: int = 1) -> CheckoutRequest:
    options = CheckoutOptions(collect_phone=True, shipping_countries=("DE", "AT"))
    return CheckoutRequest(
        claim.id,
        epoch,
        "Night Jacket",
        PRICE,
        1,
        ENDS,
        "https://shop.example/c/x",
        "",
        "Until 18:35",
        options,
    )


def ask(ledger: Ledger, claim: Claim, epoch: int = 1) -> Attempt:
    with ledger.begin() as tx:
        checkouts.insert_attempt(tx, claim.brand_id, request_of(claim, epoch), NOW)
        found = checkouts.find_latest(tx, claim.id)
    assert found is not None
    return found


def heard(event_id: str = "evt_1", object_id: str = "cs_1", brand_id: str = "") -> Heard:
    return Heard(event_id, brand_id, "checkout.session.completed", object_id, "{}")


def test_an_attempt_is_read_as_it_was_asked(ledger: Ledger, claim: Claim) -> None:
    attempt = ask(ledger, claim)
    assert attempt.request == request_of(claim)
    assert (attempt.state, attempt.session_id, attempt.expires_at) == ("asked", "", ENDS)


def test_an_epoch_is_asked_once(ledger: Ledger, claim: Claim) -> None:
    ask(ledger, claim)
    with pytest.raises(IntegrityError):
        ask(ledger, claim)


def test_the_latest_attempt_counts(ledger: Ledger, claim: Claim) -> None:
    ask(ledger, claim, epoch=1)
    assert ask(ledger, claim, epoch=2).epoch == 2
    with ledger.reading() as tx:
        assert [one.epoch for one in checkouts.list_attempts(tx, claim.id)] == [1, 2]
        assert checkouts.find_latest(tx, "clm_none") is None


def test_an_answer_opens_the_attempt_once(ledger: Ledger, claim: Claim) -> None:
    attempt = ask(ledger, claim)
    with ledger.begin() as tx:
        checkouts.mark_open(tx, attempt, "cs_1", "https://pay.example/cs_1")
        checkouts.mark_open(tx, attempt, "cs_2", "https://pay.example/cs_2")
        found = checkouts.find_by_session(tx, "cs_1")
        assert checkouts.find_by_session(tx, "cs_2") is None
    assert found is not None
    assert (found.state, found.url) == ("open", "https://pay.example/cs_1")


def test_attempts_without_an_answer_do_not_collide(ledger: Ledger, claim: Claim, world: World) -> None:
    other = make_claim(ledger, world.drop(words=("OTHER",)), world.first)
    assert (ask(ledger, claim).session_id, ask(ledger, other).session_id) == ("", "")


def test_attempts_that_should_have_ended_are_overdue(ledger: Ledger, claim: Claim) -> None:
    ask(ledger, claim, epoch=1)
    ask(ledger, claim, epoch=2)
    with ledger.begin() as tx:
        checkouts.mark_ended(tx, claim.id, 1, "abandoned")
        assert checkouts.list_overdue(tx, ENDS, 10) == []
        assert [one.epoch for one in checkouts.list_overdue(tx, ENDS + timedelta(seconds=1), 10)] == [2]


def test_a_session_ends_by_its_id(ledger: Ledger, claim: Claim) -> None:
    attempt = ask(ledger, claim)
    with ledger.begin() as tx:
        checkouts.mark_open(tx, attempt, "cs_1", "")
        assert checkouts.mark_session_ended(tx, "cs_1", "expired")
        assert not checkouts.mark_session_ended(tx, "cs_none", "expired")
        assert checkouts.list_overdue(tx, ENDS + timedelta(days=1), 10) == []


def test_a_payment_event_is_new_once(ledger: Ledger, world: World) -> None:
    with ledger.begin() as tx:
        assert payments.insert_new(tx, heard(brand_id=world.brand.id), NOW)
        assert not payments.insert_new(tx, heard(brand_id=world.brand.id), NOW)


def test_the_same_fact_in_another_event_is_not_new(ledger: Ledger, world: World) -> None:
    with ledger.begin() as tx:
        assert payments.insert_new(tx, heard("evt_1", brand_id=world.brand.id), NOW)
        assert not payments.insert_new(tx, heard("evt_2", brand_id=world.brand.id), NOW)
        assert payments.insert_new(tx, heard("evt_3", "cs_2", brand_id=world.brand.id), NOW)
        assert payments.insert_new(tx, heard("evt_4", brand_id=world.other_brand.id), NOW)


def test_thirty_two_deliveries_of_one_payment_event_make_one(ledger: Ledger, world: World) -> None:
    def deliver(number: int) -> bool:
        with ledger.begin() as tx:
            return payments.insert_new(tx, heard(f"evt_{number}", brand_id=world.brand.id), NOW)

    assert sum(at_once(32, deliver)) == 1


def test_events_that_wait_for_a_person_are_listed_for_their_brand(ledger: Ledger, claim: Claim) -> None:
    with ledger.begin() as tx:
        payments.insert_new(tx, heard("evt_1", "cs_1", claim.brand_id), NOW)
        payments.insert_new(tx, heard("evt_2", "cs_2", claim.brand_id), NOW)
        payments.mark_ended(tx, "evt_1", "review", "other_amount", claim.id)
        payments.mark_ended(tx, "evt_2", "applied", "", claim.id)
        reviews = payments.list_reviews(tx, claim.brand_id)
    assert reviews == [("evt_1", "checkout.session.completed", "other_amount")]
