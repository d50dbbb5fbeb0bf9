"""Are amounts whole minor units, written without doubt?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimbot.core.money import THREE_DECIMAL, ZERO_DECIMAL, Money, decimals, plain, read_amount
from tests.core.builders import few


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [
        (0, "EUR", "0.00 EUR"),
        (1, "EUR", "0.01 EUR"),
        (99, "USD", "0.99 USD"),
        (100, "USD", "1.00 USD"),
        (12900, "EUR", "129.00 EUR"),
        (99_999_999, "GBP", "999999.99 GBP"),
        (-5, "EUR", "-0.05 EUR"),
        (-12905, "EUR", "-129.05 EUR"),
        (0, "JPY", "0 JPY"),
        (1500, "JPY", "1500 JPY"),
        (-3, "JPY", "-3 JPY"),
        (50_000, "KRW", "50000 KRW"),
        (5, "KWD", "0.005 KWD"),
        (1234, "KWD", "1.234 KWD"),
        (-1234, "BHD", "-1.234 BHD"),
    ],
)
def test_an_amount_is_written_with_its_currency(minor: int, currency: str, written: str) -> None:
    assert plain(Money(minor, currency)) == written


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("EUR", 2), ("USD", 2), ("JPY", 0), ("VND", 0), ("KWD", 3), ("TND", 3), ("XXX", 2)],
)
def test_a_currency_has_its_number_of_decimals(currency: str, digits: int) -> None:
    assert decimals(currency) == digits


def test_no_currency_has_two_numbers_of_decimals() -> None:
    assert not ZERO_DECIMAL & THREE_DECIMAL


@pytest.mark.parametrize("currency", ["", "eur", "Eur", "EU", "EURO", "€€€", "ЕUR", "123"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(ValueError, match="three capital letters"):
        Money(1, currency)


def test_units_are_multiplied_exactly() -> None:
    assert Money(3333, "EUR").times(3) == Money(9999, "EUR")


@few
@given(st.integers(-(10**12), 10**12), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_the_written_amount_means_the_same_number(minor: int, currency: str) -> None:
    digits = plain(Money(minor, currency)).removesuffix(f" {currency}").replace(".", "")
    assert int(digits) == minor


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("129", "EUR", 12_900),
        ("129.00", "EUR", 12_900),
        (" 129,05 ", "EUR", 12_905),
        ("0", "EUR", 0),
        ("5000", "JPY", 5_000),
        ("1.250", "KWD", 1_250),
    ],
)
def test_an_amount_is_read_as_a_person_types_it(typed: str, currency: str, minor: int) -> None:
    assert read_amount(typed, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("typed", "currency"),
    [
        ("", "EUR"),
        ("-1", "EUR"),
        ("1.5", "EUR"),
        ("1,299.00", "EUR"),
        ("1.299", "EUR"),
        ("129.00", "JPY"),
        ("129 EUR", "EUR"),
        ("１２９", "EUR"),
        ("1e3", "EUR"),
        ("99999999999", "EUR"),
    ],
)
def test_what_could_mean_two_amounts_is_none(typed: str, currency: str) -> None:
    assert read_amount(typed, currency) is None
