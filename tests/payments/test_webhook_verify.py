"""Who may say that money came: signatures, forgeries, clocks, replaced secrets."""

from datetime import timedelta

import pytest
import stripe

from claimbot.core.errors import BadPayload, BadSignature
from claimbot.payments.webhook import verify
from tests.payments.builders import NOW, SECRET, as_body, make_event, make_paid, sign

BODY = as_body(make_event("checkout.session.completed", make_paid()))
STAMP = int(NOW.timestamp())
GOOD = sign(BODY)
HEX = GOOD.partition("v1=")[2]
SECOND = "whsec_aurora_second"

FORGERIES = {
    "no header": None,
    "empty header": "",
    "rubbish": "rubbish",
    "only commas": ",,,,",
    "no time": f"v1={HEX}",
    "no signature": f"t={STAMP}",
    "empty signature": f"t={STAMP},v1=",
    "old scheme only": f"t={STAMP},v0={HEX}",
    "unknown scheme": f"t={STAMP},v2={HEX}",
    "two times": f"t={STAMP},t={STAMP},v1={HEX}",
    "another time": f"t={STAMP + 1},v1={HEX}",
    "time in words": f"t=now,v1={HEX}",
    "time with underscores": f"t=1_795_348_800,v1={HEX}",
    "time in other digits": f"t=１７９５３４８８００,v1={HEX}",
    "negative time": f"t=-{STAMP},v1={HEX}",
    "endless time": f"t={'9' * 5000},v1={HEX}",
    "one letter changed": GOOD[:-1] + ("0" if GOOD[-1] != "0" else "1"),
    "one letter less": GOOD[:-1],
    "upper case": f"t={STAMP},v1={HEX.upper()}",
    "not ASCII": f"t={STAMP},v1=é{HEX}",
    "signed with another secret": sign(BODY, SECOND),
    "signed with no secret": sign(BODY, ""),
    "signed for another body": sign(BODY + b" "),
    "an endless header": GOOD + ",v1=00" * 2000,
    "very many signatures": f"t={STAMP}" + ",v1=00" * 17 + f",v1={HEX}",
}


@pytest.mark.parametrize("header", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forgery_is_refused(header: str | None) -> None:
    with pytest.raises(BadSignature):
        verify(BODY, header, [SECRET], NOW)


@pytest.mark.parametrize("secrets", [[], [""], [" \n"], [SECOND]], ids=["none", "empty", "blank", "other"])
def test_nothing_is_believed_without_the_right_secret(secrets: list[str]) -> None:
    with pytest.raises(BadSignature):
        verify(BODY, sign(BODY, ""), secrets, NOW)


def test_a_body_changed_by_one_byte_is_refused() -> None:
    with pytest.raises(BadSignature):
        verify(BODY.replace(b"25800", b"15800"), GOOD, [SECRET], NOW)


@pytest.mark.parametrize(
    "header",
    [
        GOOD,
        GOOD.replace(",", ", "),
        f"v1={HEX},t={STAMP}",
        f"t={STAMP},v1=00,v1={HEX},v0=11",
        f"t={STAMP},v1={'0' * 64},v1={HEX}",
    ],
    ids=["plain", "with a blank", "time last", "among others", "second"],
)
def test_a_signed_body_is_read(header: str) -> None:
    assert verify(BODY, header, [SECRET], NOW)["id"] == "evt_one"


def test_the_sdk_signs_as_we_verify() -> None:
    header = stripe.WebhookSignature.generate_signature_header(BODY.decode(), SECRET, STAMP)
    assert verify(BODY, header, [SECRET], NOW)["id"] == "evt_one"


@pytest.mark.parametrize("secret", [SECRET, SECOND])
def test_two_secrets_count_while_one_is_being_replaced(secret: str) -> None:
    assert verify(BODY, sign(BODY, secret), [SECRET, f" {SECOND}\n"], NOW)["id"] == "evt_one"


@pytest.mark.matrix(44)
@pytest.mark.parametrize("seconds", [-300, -1, 0, 1, 300])
def test_five_minutes_either_way_are_tolerated(seconds: int) -> None:
    header = sign(BODY, at=NOW + timedelta(seconds=seconds))
    assert verify(BODY, header, [SECRET], NOW)["id"] == "evt_one"


@pytest.mark.parametrize("seconds", [-86_400, -301, 301, 3_600, 86_400])
def test_older_and_future_signatures_are_refused(seconds: int) -> None:
    with pytest.raises(BadSignature):
        verify(BODY, sign(BODY, at=NOW + timedelta(seconds=seconds)), [SECRET], NOW)


def test_this_machines_clock_counts_when_no_time_is_given() -> None:
    with pytest.raises(BadSignature):
        verify(BODY, sign(BODY, at=NOW.replace(year=2020)), [SECRET])


UNREADABLE = {
    "empty": b"",
    "not UTF-8": b"\xff\xfe{}",
    "not JSON": b"{",
    "a list": b"[]",
    "a word": b'"evt_one"',
    "null": b"null",
    "NaN": b'{"a": NaN}',
    "an endless number": b'{"a": ' + b"9" * 5_000 + b"}",
    "a deep hole": b"[" * 100_000,
    "a byte order mark": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_signed_body_that_is_no_object_is_a_bad_payload(body: bytes) -> None:
    with pytest.raises(BadPayload) as caught:
        verify(body, sign(body), [SECRET], NOW)
    assert caught.value.reason == "not_a_json_object"
    assert caught.value.__context__ is None
