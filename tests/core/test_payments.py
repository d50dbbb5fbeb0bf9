"""Is money believed only when it is exactly for the offer?"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from claimbot.core.money import Money
from claimbot.core.payments import (
    CheckoutRequest,
    Offer,
    PaymentKeys,
    SessionNews,
    SessionState,
    mismatch,
)

OFFER = Offer("clm_1", Money(12900, "EUR"), quantity=2, livemode=False, account="acct_1")
NEWS = SessionNews(
    session_id="cs_1",
    state=SessionState.COMPLETE_PAID,
    claim_id="clm_1",
    livemode=False,
    amount_subtotal=Money(25800, "EUR"),
    amount_total=Money(25800, "EUR"),
    account="acct_1",
)


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ({}, ""),
        ({"amount_total": Money(30702, "EUR")}, ""),
        ({"amount_total": Money(0, "EUR")}, ""),
        ({"account": ""}, ""),
        ({"recovered_from": "cs_0"}, "recovered_session"),
        ({"claim_id": "clm_2"}, "other_claim"),
        ({"claim_id": ""}, "other_claim"),
        ({"claim_id": "CLM_1"}, "other_claim"),
        ({"livemode": True}, "other_mode"),
        ({"account": "acct_2"}, "other_account"),
        ({"amount_subtotal": Money(25800, "USD")}, "other_currency"),
        ({"amount_subtotal": Money(25799, "EUR")}, "other_amount"),
        ({"amount_subtotal": Money(25801, "EUR")}, "other_amount"),
        ({"amount_subtotal": Money(12900, "EUR")}, "other_amount"),
        ({"amount_subtotal": Money(0, "EUR")}, "other_amount"),
        ({"amount_subtotal": Money(-25800, "EUR")}, "other_amount"),
    ],
)
def test_money_is_for_the_offer_or_says_why_not(about: dict[str, Any], reason: str) -> None:
    assert mismatch(OFFER, replace(NEWS, **about)) == reason


def test_an_offer_without_an_account_takes_any() -> None:
    assert mismatch(replace(OFFER, account=""), NEWS) == ""


def test_a_live_offer_does_not_take_test_money() -> None:
    assert mismatch(replace(OFFER, livemode=True), NEWS) == "other_mode"


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 3000), ("KWD", 3000)])
def test_other_decimals_change_nothing(currency: str, minor: int) -> None:
    offer = replace(OFFER, unit_price=Money(1500, currency))
    assert mismatch(offer, replace(NEWS, amount_subtotal=Money(minor, currency))) == ""


def test_the_idempotency_key_is_made_from_the_claim_and_the_attempt() -> None:
    ends_at = datetime(2026, 11, 27, 12, tzinfo=UTC)
    request = CheckoutRequest("clm_1", 3, "Tee", Money(1, "EUR"), 1, ends_at, "https://brand.example/c/t")
    assert request.idempotency_key == "checkout:clm_1:3"
    assert replace(request, epoch=4).idempotency_key == "checkout:clm_1:4"


def test_payment_keys_are_not_shown() -> None:
    keys = PaymentKeys("brd_1", "sk_test_canary", ("whsec_canary",), livemode=False)
    assert "canary" not in f"{keys!r} {keys}"
