"""Is a drop open when it should be, and does a brand hear of each mistake in words?"""

from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from claimbot.core.drops import DropKind, DropState, LinkMode, Phase, drop_faults, phase
from claimbot.core.money import Money
from tests.core.builders import NOON, make_drop, make_variant

SECOND = timedelta(seconds=1)
FREE = {"kind": DropKind.FREE, "price": Money(0, "EUR")}


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({}, Phase.OPEN),
        ({"state": DropState.DRAFT}, Phase.NOT_OPEN_YET),
        ({"state": DropState.PAUSED}, Phase.PAUSED),
        ({"state": DropState.CLOSED}, Phase.CLOSED),
        ({"opens_at": NOON + SECOND}, Phase.NOT_OPEN_YET),
        ({"opens_at": NOON}, Phase.OPEN),
        ({"closes_at": NOON + SECOND}, Phase.OPEN),
        ({"closes_at": NOON}, Phase.CLOSED),
        ({"opens_at": NOON - SECOND, "closes_at": NOON + SECOND}, Phase.OPEN),
        ({"state": DropState.PAUSED, "opens_at": NOON + SECOND}, Phase.NOT_OPEN_YET),
        ({"state": DropState.PAUSED, "closes_at": NOON}, Phase.CLOSED),
        ({"state": DropState.DRAFT, "closes_at": NOON}, Phase.NOT_OPEN_YET),
        ({"state": DropState.CLOSED, "opens_at": NOON + SECOND}, Phase.CLOSED),
        ({"opens_at": datetime(2026, 11, 27, 13, tzinfo=timezone(timedelta(hours=1)))}, Phase.OPEN),
    ],
)
def test_a_drop_takes_claims_in_its_time(about: dict[str, Any], expected: Phase) -> None:
    assert phase(make_drop(**about), NOON) is expected


def test_a_variant_has_its_own_price_or_the_drops() -> None:
    dear = make_variant("XL", price=Money(14900, "EUR"))
    drop = make_drop(variants=(make_variant("M"), dear))
    assert [drop.unit_price(one).minor for one in drop.variants] == [12900, 14900]


def test_a_variant_is_found_by_its_id() -> None:
    assert make_drop("M", "L").variant("var_L").code == "L"


def test_an_unknown_variant_is_an_error_of_ours() -> None:
    with pytest.raises(KeyError, match="var_XL"):
        make_drop("M").variant("var_XL")


def test_a_drop_begins_with_careful_settings() -> None:
    drop = make_drop()
    assert (drop.hold_minutes, drop.per_follower_limit, drop.link_mode) == (15, 1, LinkMode.AUTO)
    assert drop.is_waitlist_on
    assert drop.is_partial_allowed
    assert drop.is_restocked_on_refund


def test_a_drop_cannot_be_changed() -> None:
    drop = make_drop()
    with pytest.raises(FrozenInstanceError):
        drop.name = "Other"  # type: ignore[misc]  # this is what must fail


@pytest.mark.parametrize(
    "about",
    [
        {},
        FREE,
        {"price": Money(4000, "ISK")},
        {"price": Money(5120, "KWD")},
        {"price": Money(1501, "JPY")},
        {"hold_minutes": 1},
        {"hold_minutes": 1380},
        {"opens_at": NOON, "closes_at": NOON + SECOND},
        {"image_url": "https://img.example/tee.jpg?w=1"},
        {"texts": {"held": "Yours, {first_name}! Pay {total} by {deadline}."}},
        {"price": Money(0, "EUR"), "variants": (make_variant("ONE", price=Money(900, "EUR")),)},
        {"variants": (make_variant("ONE", name="ONE", aliases=("one",)),)},
    ],
)
def test_a_good_drop_has_no_faults(about: dict[str, Any]) -> None:
    assert drop_faults(make_drop(**about), {"ONE": 50}, ["LAUNCH", "drop it"]) == []


def test_a_list_needs_no_stock() -> None:
    drop = make_drop(kind=DropKind.LIST, price=Money(0, "EUR"))
    assert drop_faults(drop, {}, ["LAUNCH"]) == []


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"name": "  "}, "The drop needs a name"),
        ({"name": "n" * 81}, "The name is 81 characters long"),
        ({"hold_minutes": 0}, "A hold lasts 1 to 1380 minutes, not 0."),
        ({"hold_minutes": 1381}, "A hold lasts 1 to 1380 minutes, not 1381."),
        ({"per_follower_limit": 0}, "The limit per follower is 1 to 99, not 0."),
        ({"opens_at": NOON, "closes_at": NOON}, "The drop closes before it opens"),
        ({"opens_at": datetime(2026, 1, 1)}, "The opening time has no time zone"),  # noqa: DTZ001  # the fault
        ({"closes_at": datetime(2026, 1, 1)}, "The closing time has no time zone"),  # noqa: DTZ001  # the fault
        ({"price": Money(0, "EUR")}, "A paid drop needs a price above zero"),
        ({"price": Money(-1, "EUR")}, "The price of the drop is below zero: -0.01 EUR."),
        (
            {"price": Money(100_000_000, "EUR")},
            "The price of the drop is more than the payment page can take",
        ),
        ({"price": Money(4010, "ISK")}, "ISK is charged without its last digits"),
        ({"price": Money(5124, "KWD")}, "KWD is charged without its last digits"),
        ({"kind": DropKind.FREE}, "A free drop has no price"),
        ({"kind": DropKind.LIST}, "A list drop has no price"),
        ({"variants": (make_variant("ONE", price=Money(1, "USD")),)}, "is in USD, not EUR"),
        ({"variants": (make_variant("ONE", price=Money(0, "EUR")),)}, "A paid drop needs a price"),
        ({"variants": (make_variant("ONE", name="n" * 81),)}, "has more than 80 characters"),
        ({"image_url": "http://img.example/a.jpg"}, "begins with https://"),
        ({"image_url": "https://"}, "begins with https://"),
        ({"image_url": "https://img.example/a b.jpg"}, "begins with https://"),
        ({"image_url": "https://[img"}, "begins with https://"),
        ({"image_url": "javascript:alert(1)"}, "begins with https://"),
        ({"texts": {"held": "Hi {frist_name}"}}, "did you mean “first_name”"),
        ({"texts": {"heldd": "Hi"}}, "There is no text “heldd”: did you mean “held”"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(about: dict[str, Any], said: str) -> None:
    faults = drop_faults(make_drop(**about), {"ONE": 50}, ["LAUNCH"])
    assert len(faults) == 1
    assert said in faults[0]


@pytest.mark.parametrize(
    ("variants", "said"),
    [
        ((), "The drop has no variant"),
        (
            (make_variant("M"), make_variant("m", id="v2", name="Other")),
            "“m” means both the variant “M” and “m”",
        ),
        ((make_variant("M"), make_variant("L", aliases=("size m",))), "“size m” means both the variant"),
        ((make_variant("M", name="X"), make_variant("L", name="x!")), "“x!” means both the variant"),
        ((make_variant("M"), make_variant("🔥")), "“Size 🔥” needs a code with a letter or digit"),
        ((make_variant("M"), make_variant("c" * 33)), "use at most 32 bytes"),
        (tuple(make_variant(f"c{number}") for number in range(101)), "use at most 100"),
    ],
)
def test_a_mistake_in_the_variants_is_told(variants: tuple[Any, ...], said: str) -> None:
    drop = make_drop(variants=variants)
    faults = drop_faults(drop, {variant.code: 1 for variant in variants}, ["LAUNCH"])
    assert len(faults) == 1
    assert said in faults[0]


@pytest.mark.parametrize(
    ("stock", "said"),
    [
        ({}, "The variant “ONE” has no stock"),
        ({"ONE": -1}, "The stock of “ONE” is 0 to 100000 units, not -1."),
        ({"ONE": 100_001}, "not 100001."),
        ({"ONE": 1, "TWO": 1}, "There is stock for “TWO”, but no such variant."),
    ],
)
def test_a_mistake_in_the_stock_is_told(stock: dict[str, int], said: str) -> None:
    faults = drop_faults(make_drop(), stock, ["LAUNCH"])
    assert len(faults) == 1
    assert said in faults[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "The drop has no keyword"),
        (["🔥"], "has no letter or digit"),
        (["LAUNCH", "launch!"], "“launch!” is in the list twice"),
        (["w" * 61], "use at most 60 characters"),
        (["Stop"], "“Stop” is the command STOP everywhere"),
        (["no, thanks"], "is the command PASS everywhere"),
    ],
)
def test_a_mistake_in_the_keywords_is_told(words: list[str], said: str) -> None:
    faults = drop_faults(make_drop(), {"ONE": 1}, words)
    assert len(faults) == 1
    assert said in faults[0]


def test_all_mistakes_are_told_at_once() -> None:
    drop = replace(make_drop(), name="", hold_minutes=0, per_follower_limit=0, image_url="x")
    assert len(drop_faults(drop, {"ONE": -1}, [])) == 6


def test_a_time_is_compared_as_a_moment() -> None:
    opens_at = datetime(2026, 11, 27, 14, tzinfo=timezone(timedelta(hours=2)))
    drop = make_drop(opens_at=opens_at, closes_at=datetime(2026, 11, 27, 12, 30, tzinfo=UTC))
    assert drop_faults(drop, {"ONE": 1}, ["LAUNCH"]) == []
