"""Countries are typed as letters; the list is Stripe's own."""

import re
from typing import get_type_hints

import pytest
from stripe.params.checkout import SessionCreateParamsShippingAddressCollection

from claimbot.core.countries import COUNTRIES, GROUPS, read_countries


def test_the_list_is_the_one_of_stripe() -> None:
    hints = get_type_hints(SessionCreateParamsShippingAddressCollection)
    assert set(re.findall(r"'([A-Z]{2})'", str(hints["allowed_countries"]))) == COUNTRIES


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("", ()),
        (" de, AT;ch\nfr ", ("DE", "AT", "CH", "FR")),
        ("DE, de", ("DE",)),
        ("EU", GROUPS["EU"]),
        ("CH, eu", ("CH", *GROUPS["EU"])),
        ("Narnia", ("NARNIA",)),
    ],
)
def test_they_are_read_as_people_type_them(typed: str, read: tuple[str, ...]) -> None:
    assert read_countries(typed) == read


def test_a_group_names_countries_of_the_list() -> None:
    assert set(GROUPS["EU"]) < COUNTRIES and len(GROUPS["EU"]) == 27
