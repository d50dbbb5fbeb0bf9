"""What the tests of this room share: a scripted Stripe on loopback, and a gateway that talks to it."""

from collections.abc import Iterator

import pytest

from claimbot.payments.gateway import Gateway
from tests.payments.builders import KEYS
from tests.payments.loopback import ScriptedStripe


@pytest.fixture
def stripe_says() -> Iterator[ScriptedStripe]:
    server = ScriptedStripe()
    yield server
    server.stop()


@pytest.fixture
def gateway(stripe_says: ScriptedStripe) -> Gateway:
    return Gateway(KEYS, stripe_says.url, timeouts_seconds=(1.0, 0.3))
