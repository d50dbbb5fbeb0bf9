"""What becomes of a message that the platform never told us about?"""

from collections.abc import Iterator

import pytest

from claimbot.db.engine import Ledger
from tests.engine import Engine, running_engine
from tests.faults.lines import people
from tests.flows.looker import Looker, looking
from tests.flows.looks import open_alerts, outcomes
from tests.invariants import assert_invariants


@pytest.fixture
def engine(ledger: Ledger, redis_url: str) -> Iterator[Engine]:
    with running_engine(ledger, redis_url) as engine:
        yield engine


@pytest.fixture
def looker(engine: Engine) -> Looker:
    return looking(engine)


def write(engine: Engine, names: list[str]) -> list[int]:
    """Each says LAUNCH; a message is known by who wrote it."""
    return [engine.dm(who, mid=f"mid.{who}") for who in names]


def stored(engine: Engine) -> list[str]:
    return [row[0] for row in engine.rows("SELECT event_id FROM inbox WHERE kind = 'text' ORDER BY event_id")]


def actions(engine: Engine) -> list[str]:
    return [row[0] for row in engine.rows("SELECT action FROM audit ORDER BY id")]


@pytest.mark.matrix(29)
def test_what_was_written_while_we_were_unsubscribed_is_found_and_answered_once(
    engine: Engine, looker: Looker
) -> None:
    engine.drop(stock_units=10)
    names = people(26)
    assert write(engine, names[:6]) == [200] * 6
    engine.work()

    engine.world.fault("graph", "unsubscribed")
    assert write(engine, names[6:]) == [0] * 20
    assert looker.wait(minutes=3) == 0
    assert open_alerts(engine) == ["unsubscribed"]
    assert looker.wait(minutes=1) == 20
    engine.work()
    engine.settle()

    assert open_alerts(engine) == []
    assert actions(engine)[-1] == "lost_messages_found"
    assert engine.states() == {"held": 10, "waitlisted": 16}
    assert [len(engine.heard(who)) for who in names] == [1] * 26
    assert write(engine, names) == [200] * 26
    engine.work()
    assert [len(engine.heard(who)) for who in names] == [1] * 26
    assert stored(engine) == [f"mid.{who}" for who in names]
    assert_invariants(engine.parts, is_at_rest=True)


@pytest.mark.matrix(29)
def test_one_webhook_in_ten_is_lost_and_every_message_is_answered(engine: Engine, looker: Looker) -> None:
    engine.drop(stock_units=5)
    names = people(40)
    engine.world.fault("graph", "webhook_drop", times=1_000, percent=10)
    statuses = write(engine, names)
    engine.world.http.delete("/api/faults")
    assert (statuses.count(200), statuses.count(0)) == (36, 4)
    engine.work()

    assert looker.wait(minutes=6) == 4
    engine.work()

    assert stored(engine) == [f"mid.{who}" for who in names]
    assert [len(engine.heard(who)) for who in names] == [1] * 40
    assert outcomes(engine) == {"held": 5, "waitlisted": 35}
    assert_invariants(engine.parts, is_at_rest=True)
