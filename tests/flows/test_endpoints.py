"""An owner says where the brand's own systems listen, and takes it back."""

import pytest

from claimbot.core.errors import Refused
from claimbot.core.webhooks import ENDPOINTS_MOST, payload_of_test
from claimbot.db import webhooks
from claimbot.flows import endpoints
from tests.engine import Engine
from tests.flows.looks import open_alerts
from tests.invariants import assert_invariants
from tests.webhooks.ears import deliver, in_state, listen, notices, signed_with
from tests.webhooks.receiver import URL, Receiver


def test_a_paused_endpoint_hears_afterwards_what_happened_meanwhile(
    engine: Engine, receiver: Receiver
) -> None:
    endpoint = listen(engine, receiver)
    endpoints.pause(engine.parts, "test", endpoint)
    engine.drop()
    engine.dm("ana")
    assert (deliver(engine), in_state(engine, "waiting")) == (0, 1)
    endpoints.resume(engine.parts, "test", endpoint)
    assert (deliver(engine), receiver.told()) == (1, [("claim.held", "")])


def test_a_removed_endpoint_hears_nothing_more_and_its_secret_is_gone(
    engine: Engine, receiver: Receiver
) -> None:
    endpoint = listen(engine, receiver)
    engine.drop()
    engine.dm("ana")
    endpoints.remove(engine.parts, "test", endpoint)
    engine.parts.catalog(is_fresh=True)
    engine.dm("ben")
    assert (deliver(engine), notices(engine)) == (0, [("claim.held", "given_up", "removed")])
    assert engine.rows("SELECT url, secret_sealed FROM endpoints") == [("", "")]
    assert_invariants(engine.parts)
    with pytest.raises(Refused):
        endpoints.pause(engine.parts, "test", endpoint)


def test_what_was_written_while_its_endpoint_was_removed_raises_no_alert(
    engine: Engine, receiver: Receiver
) -> None:
    endpoint = listen(engine, receiver)
    endpoints.remove(engine.parts, "test", endpoint)
    late = webhooks.NewNotice(engine.brand.id, endpoint.id, "late", payload_of_test("aurora", engine.clock()))
    with engine.parts.ledger.begin() as tx:
        webhooks.insert_notices(tx, [late], engine.clock())
    engine.pass_time(hours=25)
    assert engine.chore("webhooks") == 0
    assert (notices(engine), open_alerts(engine)) == ([("test", "given_up", "removed")], [])


def test_a_new_secret_signs_beside_the_old_one_for_a_day(sqlite_engine: Engine, receiver: Receiver) -> None:
    old = listen(sqlite_engine, receiver)
    new = endpoints.rotate(sqlite_engine.parts, "test", old)
    endpoints.send_test(sqlite_engine.parts, "test", old)
    deliver(sqlite_engine)
    sqlite_engine.pass_time(hours=25)
    endpoints.send_test(sqlite_engine.parts, "test", old)
    deliver(sqlite_engine)
    first, second = receiver.calls
    made = [signed_with(one.secrets[0], first.headers, first.body) for one in (new, old)]
    assert first.headers["webhook-signature"] == " ".join(made)
    assert second.headers["webhook-signature"] == signed_with(new.secrets[0], second.headers, second.body)
    assert receiver.told() == [("test", "")] * 2


def test_secrets_are_sealed_at_rest(sqlite_engine: Engine, receiver: Receiver) -> None:
    endpoint = listen(sqlite_engine, receiver)
    [(sealed,)] = sqlite_engine.rows("SELECT secret_sealed FROM endpoints")
    assert sealed
    assert endpoint.secrets[0] not in f"{sealed} {endpoint!r}"


def test_a_brand_has_a_few_endpoints_each_at_an_address_of_its_own(sqlite_engine: Engine) -> None:
    parts, brand = sqlite_engine.parts, sqlite_engine.brand
    for number in range(ENDPOINTS_MOST):
        endpoints.add_endpoint(parts, "test", brand, f"{URL}/{number}")
    with pytest.raises(Refused, match="listening already"):
        endpoints.add_endpoint(parts, "test", brand, f"{URL}/0")
    with pytest.raises(Refused, match="At most"):
        endpoints.add_endpoint(parts, "test", brand, f"{URL}/more")
    with pytest.raises(Refused, match="https"):
        endpoints.add_endpoint(parts, "test", brand, "http://hooks.example")
