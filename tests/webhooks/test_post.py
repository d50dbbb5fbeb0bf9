"""A notice goes to the address that was looked at, and nobody holds us up there."""

import base64
import hashlib
import hmac
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from claimbot.core.webhooks import DeliveryAttempt
from claimbot.webhooks import post
from claimbot.webhooks.addresses import NotPublic
from claimbot.webhooks.post import Postman
from claimbot.webhooks.signing import new_secret, signed_headers
from tests.webhooks.receiver import ADDRESS, HOST, URL, LoopbackDial, Receiver, postman_to

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is a number of ours: a test need not sit through all of it."""
    monkeypatch.setattr(post, "POST_SECONDS", 0.3)


def deliver(postman: Postman, body: bytes = b"{}", url: str = URL) -> DeliveryAttempt:
    with postman.line_to(url) as line:
        return line.post(body, {"webhook-id": "ntc_1"})


def test_a_notice_arrives_under_its_name_at_the_address_that_was_looked_at(receiver: Receiver) -> None:
    dial = LoopbackDial(receiver)
    assert deliver(postman_to(receiver, dial=dial), b'{"a":1}') == DeliveryAttempt(204)
    [call] = receiver.calls
    assert (call.line, call.body) == ("POST /claims HTTP/1.1", b'{"a":1}')
    assert (call.headers["host"], call.headers["content-type"]) == (HOST, "application/json")
    assert (call.server_name, dial.dialled) == (HOST, [ADDRESS])


def test_a_name_server_that_changes_its_mind_changes_nothing(receiver: Receiver) -> None:
    """DNS rebinding: the second answer is a private address, and nobody asks for it."""
    answers = [ADDRESS, "127.0.0.1", "169.254.169.254"]

    def rebinding(_host: str, _port: int) -> Sequence[str]:
        return (answers.pop(0),)

    dial = LoopbackDial(receiver)
    with postman_to(receiver, resolve=rebinding, dial=dial).line_to(URL) as line:
        done = [line.post(b"{}", {"webhook-id": "ntc_1"}) for _ in range(2)]
        receiver.mode = "hang_up"
        done.append(line.post(b"{}", {"webhook-id": "ntc_1"}))
    assert [one.is_accepted for one in done] == [True, True, False]
    assert (set(dial.dialled), len(answers)) == ({ADDRESS}, 2)


@pytest.mark.parametrize("address", ("127.0.0.1", "10.0.0.7", "::ffff:169.254.169.254"))
def test_a_name_that_leads_inside_is_not_dialled(receiver: Receiver, address: str) -> None:
    dial = LoopbackDial(receiver)
    with pytest.raises(NotPublic):
        deliver(postman_to(receiver, resolve=lambda _host, _port: (address,), dial=dial))
    assert (dial.dialled, receiver.connections) == ([], 0)


def test_nothing_but_https_is_called(receiver: Receiver) -> None:
    with pytest.raises(NotPublic):
        deliver(postman_to(receiver), url=f"http://{HOST}/")
    assert receiver.connections == 0


def test_a_redirect_is_a_refusal_and_is_not_followed(receiver: Receiver) -> None:
    dial = LoopbackDial(receiver)
    receiver.mode = "redirect"
    assert deliver(postman_to(receiver, dial=dial)) == DeliveryAttempt(307, "http_307")
    assert (len(receiver.calls), dial.dialled) == (1, [ADDRESS])


def test_an_error_of_theirs_keeps_its_number(receiver: Receiver) -> None:
    receiver.mode = "500"
    assert deliver(postman_to(receiver)) == DeliveryAttempt(500, "http_500")


def test_a_certificate_that_nobody_vouches_for_is_refused(receiver: Receiver) -> None:
    assert deliver(postman_to(receiver, trust=None)) == DeliveryAttempt(reason="tls_failed")
    assert receiver.calls == []


def test_the_certificate_must_be_of_the_name(receiver: Receiver) -> None:
    done = deliver(postman_to(receiver), url="https://other.example/")
    assert done == DeliveryAttempt(reason="tls_failed")


def test_who_hangs_up_has_not_accepted(receiver: Receiver) -> None:
    receiver.mode = "hang_up"
    assert deliver(postman_to(receiver)).reason == "connection_lost"


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("mode", ("slow", "drip"))
def test_who_is_silent_or_says_one_letter_at_a_time_is_left(receiver: Receiver, mode: str) -> None:
    receiver.mode = mode
    assert deliver(postman_to(receiver)) == DeliveryAttempt(reason="timeout")


@pytest.mark.usefixtures("short")
def test_an_answer_without_an_end_is_not_listened_to(receiver: Receiver) -> None:
    receiver.mode = "endless"
    began = time.monotonic()
    assert deliver(postman_to(receiver)) == DeliveryAttempt(200)
    assert time.monotonic() - began < 30


def test_several_notices_share_one_connection(receiver: Receiver) -> None:
    with postman_to(receiver).line_to(URL) as line:
        done = [line.post(b"{}", {"webhook-id": f"ntc_{number}"}) for number in range(5)]
    assert (set(done), receiver.connections) == ({DeliveryAttempt(204)}, 1)


def test_a_signature_is_checked_as_the_standard_says() -> None:
    old, new = new_secret(), new_secret()
    headers = signed_headers((new, old), "ntc_1", NOON, b'{"a":1}')
    content = f"ntc_1.{headers['webhook-timestamp']}.".encode() + b'{"a":1}'
    made = [
        base64.b64encode(hmac.digest(base64.b64decode(one[6:]), content, hashlib.sha256)).decode()
        for one in (new, old)
    ]
    assert headers["webhook-signature"] == f"v1,{made[0]} v1,{made[1]}"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("ntc_1", str(int(NOON.timestamp())))


def test_the_example_of_the_standard_gives_its_signature() -> None:
    """Of the standard's own libraries: message, time, secret and what comes out."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed_headers((secret,), "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_has_256_bits_and_is_never_the_same() -> None:
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50
    assert {len(base64.b64decode(one.removeprefix("whsec_"))) for one in made} == {32}
