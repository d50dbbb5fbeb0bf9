"""Where may a brand listen, what is it told, and when again?"""

import pytest

from claimbot.core.claims import Claim, State
from claimbot.core.drops import Drop
from claimbot.core.webhooks import (
    AGAIN_SECONDS,
    HAPPENINGS,
    REST_SECONDS,
    Happening,
    again_seconds,
    payload_of,
    rest_seconds,
    url_fault,
)
from tests.core.builders import NOON, make_drop


def make_claim(drop: Drop, state: State) -> Claim:
    return Claim(
        id="clm_1",
        brand_id=drop.brand_id,
        drop_id=drop.id,
        variant_id=drop.variants[0].id,
        lead_id="led_1",
        state=state,
        quantity=1,
        line=1,
        place=1,
        unit_price=drop.price,
        livemode=False,
        token="a secret of the pay link",
        created_at=NOON,
    )


@pytest.mark.parametrize(
    "url",
    (
        "https://hooks.example/claims",
        "https://hooks.example:443/a?b=c",
        "https://hooks.example:8443/",
        "https://xn--bcher-kva.example/hook",
        "https://my_host.example",
        "https://93.184.216.34/hook",
        "https://[2606:4700:4700::1111]:8443/hook",
    ),
)
def test_a_public_https_address_may_listen(url: str) -> None:
    assert url_fault(url) == ""


@pytest.mark.parametrize(
    ("url", "why"),
    (
        ("http://hooks.example/", "https"),
        ("ftp://hooks.example/", "https"),
        ("hooks.example/claims", "https"),
        ("https://hooks.example:22/", "port"),
        ("https://hooks.example:6379/", "port"),
        ("https://hooks.example:99999/", "no web address"),
        ("https://hooks.example:0x1bb/", "no web address"),
        ("https://ann:secret@hooks.example/", "name and password"),
        ("https://hooks.example@127.0.0.1/", "name and password"),
        ("https://hooks.example/#part", "after #"),
        ("https:///claims", "no web address"),
        ("https://", "no web address"),
        ("https://.example/", "no web address"),
        ("https://-hooks.example/", "no web address"),
        ("https://hooks..example/", "no web address"),
        ("https://[fe80::1%25eth0]/", "no web address"),
        ("https://[::1/", "no web address"),
        ("https://hooks.example/a b", "blanks"),
        ("https://hooks.example\\@evil.example/", "plain letters"),
        ("https://hooks.example/\r\nX-Header: 1", "plain letters"),
        ("https://bücher.example/", "plain letters"),
        ("https://hooks.example/" + "a" * 500, "500"),
    ),
)
def test_an_address_that_may_not_listen_is_told_why(url: str, why: str) -> None:
    assert why in url_fault(url)


def test_an_event_holds_ids_and_numbers_and_nobody() -> None:
    drop = make_drop()
    claim = make_claim(drop, State.REFUNDED)
    told = payload_of("aurora", drop, claim, NOON)
    assert (told["type"], told["version"], told["timestamp"]) == (
        "claim.ended",
        1,
        NOON.isoformat(timespec="milliseconds"),
    )
    assert set(told["data"]) == set(
        "brand drop_id drop claim_id lead_id state reason variant quantity place unit_price_minor paid_minor "
        "refunded_minor currency is_live".split()
    )
    assert claim.token not in str(told)
    assert (told["data"]["reason"], told["data"]["lead_id"]) == ("refunded", claim.lead_id)


def test_only_what_ended_has_a_reason() -> None:
    drop = make_drop()
    claim = make_claim(drop, State.HELD)
    assert payload_of("aurora", drop, claim, NOON)["data"]["reason"] == ""


def test_states_on_the_way_are_not_told() -> None:
    silent = set(State) - set(HAPPENINGS)
    assert silent == {
        State.EXPIRING,
        State.PENDING,
        State.ERASED,
        State.REFUNDING,
        State.DISPUTED,
    }
    assert Happening.TEST not in HAPPENINGS.values()


def test_a_notice_waits_longer_after_each_failure() -> None:
    waits = [again_seconds(attempts, 0.5) for attempts in range(1, 10)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == pytest.approx((AGAIN_SECONDS[0], AGAIN_SECONDS[-1]))
    assert (again_seconds(1, 0.0), again_seconds(1, 1.0)) == pytest.approx((4.0, 6.0))


def test_an_endpoint_rests_after_three_refusals_in_a_row() -> None:
    rests = [rest_seconds(failures) for failures in range(9)]
    assert rests[:3] == [0.0, 0.0, 0.0]
    assert rests[3:6] == list(REST_SECONDS)
    assert set(rests[6:]) == {REST_SECONDS[-1]}
