"""What still works while Redis, SQL, Stripe or the platform's token is away, and what happens afterwards?"""

import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest

from claimbot.core.errors import StockUnavailable
from claimbot.db import brands
from claimbot.flows.tokens import connect_account
from tests.engine import Engine, running_engine
from tests.faults.lines import Platform, people, platform_for
from tests.faults.servers import Database, RedisProcess
from tests.faults.site import until
from tests.invariants import assert_invariants
from tests.ledgers import open_ledger
from tests.sandbox.worlds import ACCOUNT, TOKEN


@pytest.fixture
def engine(database: Database, redis_process: RedisProcess) -> Iterator[Engine]:
    """Both of its servers may be ended by the test."""
    with (
        open_ledger(database.fresh()) as ledger,
        running_engine(ledger, redis_process.url) as engine,
    ):
        yield engine
        database.start()


@pytest.fixture
def platform(engine: Engine) -> Iterator[Platform]:
    with platform_for(engine.parts.settings.public_url) as platform:
        yield platform


def stored_mids(engine: Engine) -> set[str]:
    return {row[0] for row in engine.rows("SELECT event_id FROM inbox")}


def gate_is_back(engine: Engine) -> bool:
    """The breaker has tried Redis and found it."""
    with suppress(StockUnavailable):
        engine.parts.breaker.check()
    return not engine.parts.breaker.is_open


def heard_once(engine: Engine, names: list[str]) -> bool:
    return all(len(engine.heard(who)) == 1 for who in names)


@pytest.mark.matrix(14)
def test_while_redis_is_down_everybody_gets_a_unit_or_a_place_and_an_answer(
    engine: Engine, redis_process: RedisProcess
) -> None:
    engine.drop(stock_units=10)
    names = people(24)
    statuses = [engine.dm(who) for who in names[:8]]

    redis_process.kill()
    statuses += [engine.dm(who) for who in names[8:16]]
    engine.work()
    assert heard_once(engine, names[:16])
    redis_process.start()
    until(lambda: gate_is_back(engine))
    statuses += [engine.dm(who) for who in names[16:]]

    engine.work()
    engine.chore("gates")
    assert set(statuses) == {200}
    assert engine.states() == {"held": 10, "waitlisted": 14}
    assert heard_once(engine, names)
    assert_invariants(engine.parts, is_at_rest=True)


@pytest.mark.matrix(16)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["crashed", "shut down"])
def test_while_sql_is_down_messages_wait_in_the_spool_in_their_order(
    engine: Engine, platform: Platform, database: Database, how: signal.Signals
) -> None:
    engine.drop(stock_units=2)
    names = people(20)
    acks = [platform.post(who, f"mid.{who}") for who in names[:1]]

    database.end(how)
    acks += [platform.post(who, f"mid.{who}") for who in names[1:]]
    assert engine.parts.spool.depth()[0] == len(names) - 1
    database.start()
    engine.chore("spool")

    assert {ack.status for ack in acks} == {200}
    assert stored_mids(engine) == {ack.mid for ack in acks}
    assert engine.parts.spool.depth() == (0, 0)
    in_line = engine.rows(
        "SELECT i.event_id FROM claims c JOIN inbox i ON i.event_key = c.event_key"
        " WHERE c.state = 'waitlisted' ORDER BY c.line"
    )
    assert [row[0] for row in in_line] == [f"mid.{who}" for who in names[2:]]
    assert_invariants(engine.parts)


@pytest.mark.matrix(17)
def test_while_sql_and_redis_are_down_nothing_is_acknowledged(
    engine: Engine, platform: Platform, database: Database, redis_process: RedisProcess
) -> None:
    engine.drop(stock_units=2)
    names = people(6)
    platform.post("before", "mid.before")

    database.end()
    redis_process.kill()
    acks = [platform.post(who, f"mid.{who}") for who in names]
    assert {ack.status for ack in acks} == {503}
    assert all(int(ack.retry_after) >= 1 for ack in acks)
    database.start()
    redis_process.start()

    assert stored_mids(engine) == {"mid.before"}
    assert [platform.post(who, f"mid.{who}").status for who in names] == [200] * len(names)
    assert stored_mids(engine) == {"mid.before", *(f"mid.{who}" for who in names)}
    assert_invariants(engine.parts)


@pytest.mark.matrix(29)
def test_what_waited_for_a_token_is_sent_once_when_the_account_is_connected_again(engine: Engine) -> None:
    engine.drop(stock_units=2)
    names = people(5)
    engine.world.api("/tokens", account=ACCOUNT)
    [engine.dm(who) for who in names]

    engine.work()
    engine.pass_time(minutes=2)
    engine.work()
    assert engine.rows("SELECT DISTINCT state FROM outbox") == [("parked",)]
    assert len(engine.rows("SELECT 1 FROM alerts WHERE kind = 'account' AND cleared_at IS NULL")) == 1
    engine.world.api("/tokens", account=ACCOUNT, revoked=False)
    new = brands.NewAccount(
        engine.brand.id, "instagram", "instagram_login", ACCOUNT, "aurora.studio", token=TOKEN
    )
    connect_account(engine.parts, "a test", new)
    engine.parts.catalog(is_fresh=True)
    engine.work()

    assert heard_once(engine, names)
    assert len(engine.rows("SELECT 1 FROM alerts WHERE kind = 'account' AND cleared_at IS NULL")) == 0
    assert engine.states() == {"held": 2, "waitlisted": 3}
    assert_invariants(engine.parts, is_at_rest=True)


@pytest.mark.matrix(33)
@pytest.mark.parametrize("look", ["events", "overdue"])
def test_without_any_webhook_of_stripe_every_paid_session_is_sold(engine: Engine, look: str) -> None:
    engine.drop(stock_units=4)
    names = people(4)
    engine.world.fault("stripe", "webhook_drop", times=1_000)
    [engine.dm(who) for who in names]
    engine.work()

    [engine.pay(who) for who in names]
    assert engine.states() == {"held": 4}
    engine.pass_time(minutes={"events": 0, "overdue": 45}[look])
    engine.chore(look)

    engine.work()
    assert engine.states() == {"sold": 4}
    assert_invariants(engine.parts, is_at_rest=True)


@pytest.mark.matrix(33)
def test_without_any_webhook_the_end_of_a_hold_finds_the_payment(engine: Engine) -> None:
    engine.drop(stock_units=1)
    engine.world.fault("stripe", "webhook_drop", times=1_000)
    engine.dm("ann")
    engine.work()
    engine.dm("ben")

    engine.pay("ann")
    engine.pass_time(minutes=17)
    engine.chore("holds")
    engine.work()

    assert engine.states() == {"sold": 1, "waitlisted": 1}
    assert_invariants(engine.parts, is_at_rest=True)


@pytest.mark.matrix(39)
def test_a_hint_that_was_lost_with_redis_costs_no_unit(engine: Engine, redis_process: RedisProcess) -> None:
    engine.drop(stock_units=1)
    engine.dm("ann")
    engine.work()

    redis_process.kill()
    engine.pass_time(minutes=17)
    engine.chore("holds")
    engine.work()
    redis_process.start()
    until(lambda: gate_is_back(engine))
    engine.chore("gates")

    assert engine.states() == {"expired": 1}
    assert engine.dm("ben") == 200
    assert engine.states() == {"expired": 1, "held": 1}
    engine.work()
    assert_invariants(engine.parts, is_at_rest=True)


@pytest.mark.matrix(40)
def test_a_sweep_that_stood_still_catches_up(engine: Engine) -> None:
    engine.drop(stock_units=3)
    names = people(6)
    [engine.dm(who) for who in names]
    engine.work()

    engine.pass_time(minutes=27)
    engine.chore("holds")
    engine.work()

    assert engine.states() == {"expired": 3, "held": 3}
    assert_invariants(engine.parts, is_at_rest=True)


@pytest.mark.matrix(46)
def test_a_storm_of_redeliveries_after_an_outage_makes_everything_once(
    engine: Engine, platform: Platform, database: Database, redis_process: RedisProcess
) -> None:
    engine.drop(stock_units=20)
    names = people(100)
    platform.post_all(names[:40])

    database.end()
    redis_process.kill()
    refused = platform.post_all(names[40:])
    database.start()
    redis_process.start()
    acks = [*platform.post_all(names[30:]), *platform.post_all(names[::-1])]

    assert {ack.status for ack in refused} == {503}
    assert {ack.status for ack in acks} == {200}
    assert engine.states() == {"held": 20, "waitlisted": 80}
    assert len(engine.rows("SELECT 1 FROM outbox WHERE kind IN ('offer', 'reply')")) == 100
    assert_invariants(engine.parts)
