"""What if far more arrives than there are followers? Strangers, copies, and half an hour all at once."""

import os
import random
import threading
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from redis import Redis

from claimbot.core.messages import Delivery, Inbound
from claimbot.db.engine import Ledger
from tests.engine import Engine, running_engine
from tests.faults.lines import Platform, body_of, p99_seconds, people, platform_for
from tests.flows.play import Play, make_play
from tests.invariants import assert_invariants

STRANGERS = 3
FOLLOWERS = 100
# Patience of a busy machine; alone it is a tenth of this.
ANSWERED_SECONDS = 5.0
COPIES = 10
# The whole of it, 20,000: CLAIMBOT_TEST_REDELIVERED=20000.
REDELIVERED = int(os.environ.get("CLAIMBOT_TEST_REDELIVERED", "2000"))
POST = 100
OUTAGE_SECONDS = 30 * 60
STOCK_UNITS = 50


@pytest.fixture
def engine(on_sqlite: Ledger, redis_url: str) -> Iterator[Engine]:
    with running_engine(on_sqlite, redis_url) as engine:
        yield engine


@pytest.fixture
def platform(engine: Engine) -> Iterator[Platform]:
    with platform_for(engine.parts.settings.public_url) as platform:
        yield platform


class Strangers:
    """They post bodies that nobody signed, one after the other, until it is over."""

    def __init__(self, engine: Engine) -> None:
        self.url = f"{engine.parts.settings.public_url}/webhooks/meta"
        self.is_over = threading.Event()
        self.statuses: list[int] = []
        self.threads = [threading.Thread(target=self._post, daemon=True) for _ in range(STRANGERS)]

    def _post(self) -> None:
        # Deep enough to be expensive for whoever reads it before looking at the signature.
        body = b'{"object":"instagram","entry":' + b"[" * 100_000
        with httpx.Client(trust_env=False, timeout=20.0) as client:
            while not self.is_over.is_set():
                self.statuses.append(client.post(self.url, content=body).status_code)

    def __enter__(self) -> "Strangers":
        [thread.start() for thread in self.threads]
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        [thread.join() for thread in self.threads]


@pytest.mark.matrix(45)
def test_strangers_who_flood_the_door_keep_no_follower_from_an_answer(
    engine: Engine, platform: Platform
) -> None:
    engine.drop(stock_units=STOCK_UNITS)
    with Strangers(engine) as strangers:
        acks = platform.post_all(people(FOLLOWERS))

    assert {ack.status for ack in acks} == {200}
    assert set(strangers.statuses) == {403}
    assert p99_seconds(acks) < ANSWERED_SECONDS
    assert len(engine.rows("SELECT 1 FROM inbox")) == FOLLOWERS
    assert engine.states() == {"held": STOCK_UNITS, "waitlisted": FOLLOWERS - STOCK_UNITS}
    assert_invariants(engine.parts)


@pytest.mark.matrix(45)
def test_ten_copies_of_each_message_are_acknowledged_and_written_once(
    engine: Engine, platform: Platform
) -> None:
    engine.drop(stock_units=5)
    names = people(12)
    [platform.post(who, f"mid.{who}") for who in names]
    before = engine.rows("SELECT * FROM outbox ORDER BY id")

    acks = [platform.post(who, f"mid.{who}") for who in names * COPIES]

    assert {ack.status for ack in acks} == {200}
    assert engine.rows("SELECT * FROM outbox ORDER BY id") == before
    assert engine.states() == {"held": 5, "waitlisted": 7}
    assert_invariants(engine.parts)


def test_an_unsigned_body_is_never_read(engine: Engine) -> None:
    """The negative control of the flood: read first, such a body ends in the quarantine."""
    url = f"{engine.parts.settings.public_url}/webhooks/meta"
    assert httpx.post(url, content=body_of("ana", "mid.ana"), trust_env=False).status_code == 403
    assert engine.rows("SELECT 1 FROM inbox") == []


@pytest.fixture
def play(ledger: Ledger, redis_client: Redis, redis_url: str) -> Play:
    return make_play(ledger, redis_url)


def half_an_hour(play: Play, count: int) -> list[Inbound]:
    """Messages of as many followers, evenly over the outage, oldest first."""
    begun = play.clock() - timedelta(seconds=OUTAGE_SECONDS)
    step = timedelta(seconds=OUTAGE_SECONDS / count)
    written = (play.message(f"7{number:05d}", "LAUNCH") for number in range(count))
    return [_at(one, begun + number * step) for number, one in enumerate(written)]


def _at(one: Inbound, sent_at: object) -> Inbound:
    values = {name: getattr(one, name) for name in Inbound.__dataclass_fields__}
    return Inbound(**{**values, "sent_at": sent_at})


@pytest.mark.matrix(46)
def test_what_an_outage_held_back_is_served_in_the_order_in_which_it_was_written(play: Play) -> None:
    """Three in ten come twice; each POST is in disorder, the POSTs are not."""
    play.drop(stock_units=STOCK_UNITS)
    chance = random.Random(7)
    written = half_an_hour(play, REDELIVERED)
    posts = [written[start : start + POST] for start in range(0, len(written), POST)]

    for number, post in enumerate(posts):
        again = chance.sample(written[: (number + 1) * POST], len(post) * 3 // 10)
        play.deliver(Delivery("instagram", tuple(chance.sample([*post, *again], len(post) + len(again)))))

    assert play.states() == {"held": STOCK_UNITS, "waitlisted": REDELIVERED - STOCK_UNITS}
    in_line = play.rows("SELECT external_id FROM claims c JOIN leads l ON l.id = c.lead_id ORDER BY c.line")
    assert [row[0] for row in in_line] == [one.follower_external_id for one in written]
    assert len(play.rows("SELECT 1 FROM outbox")) == REDELIVERED
    assert_invariants(play.parts)
