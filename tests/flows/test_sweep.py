"""What is put right without anybody asking?"""

from dataclasses import replace
from datetime import timedelta

import pytest
from redis import Redis

from claimbot.core.drops import DropState
from claimbot.core.errors import LedgerUnavailable, StockUnavailable
from claimbot.core.payments import PaymentKeys
from claimbot.db import brands, drops, units
from claimbot.db.engine import Ledger, make_engine
from claimbot.flows.deliver import deliver, take
from claimbot.flows.spool import drain_spool
from claimbot.flows.sweep import Chore, RedisWatch, Rounds, beat
from claimbot.parts import Parts
from claimbot.sandbox.meta_webhooks import body_of, envelope
from claimbot.stock.gate import Ask
from tests.builders import make_brand, make_sealer
from tests.engine import Engine
from tests.flows.deliveries import message, seconds_ago
from tests.flows.looks import (
    lead_of,
    open_alerts,
    outcome_of,
    outcomes,
    rows_of,
    state_of,
    taken_units,
)
from tests.sandbox.worlds import ACCOUNT


def waiting_line(engine: Engine) -> str:
    """Ana holds the only unit; Ben and Cleo wait. The drop's variant."""
    drop = engine.drop(stock_units=1)
    assert [engine.dm(who) for who in ("ana", "ben", "cleo")] == [200] * 3
    engine.work()
    return drop.variants[0].id


def test_units_that_are_free_beside_a_line_are_served(engine: Engine) -> None:
    variant_id = waiting_line(engine)
    with engine.parts.ledger.begin() as tx:
        units.insert_units(tx, variant_id, [2])
    engine.chore("gates")
    assert engine.chore("lines") == 1
    assert (state_of(engine, "ben"), state_of(engine, "cleo")) == ("held", "waitlisted")
    assert (engine.chore("lines"), taken_units(engine)) == (0, [1, 2])


def test_a_unit_that_nobody_could_be_told_of_waits_for_a_message(engine: Engine) -> None:
    waiting_line(engine)
    engine.pass_time(hours=25)
    engine.chore("holds")
    engine.work()
    engine.settle()
    assert (engine.chore("lines"), taken_units(engine)) == (0, [])
    engine.dm("cleo", "hello")
    assert engine.chore("lines") == 1
    assert (state_of(engine, "ben"), state_of(engine, "cleo")) == ("waitlisted", "held")


def test_a_newcomer_comes_behind_a_line_that_can_be_told(sqlite_engine: Engine) -> None:
    waiting_line(sqlite_engine)
    sqlite_engine.dm("ana", "PASS")
    [row] = take(sqlite_engine.parts, 1)
    deliver(sqlite_engine.parts, row)
    sqlite_engine.dm("dora")
    states = [state_of(sqlite_engine, who) for who in ("ben", "cleo", "dora")]
    assert states == ["held", "waitlisted", "waitlisted"]


def test_a_drop_whose_time_is_over_is_closed(engine: Engine) -> None:
    engine.drop(stock_units=1, closes_at=engine.clock() + timedelta(minutes=5))
    assert [engine.dm(who) for who in ("ana", "ben")] == [200] * 2
    engine.work()
    assert engine.chore("close") == 0
    engine.pass_time(minutes=6)
    assert (engine.chore("close"), engine.chore("close")) == (1, 0)
    assert (state_of(engine, "ana"), state_of(engine, "ben")) == ("held", "closed")
    assert engine.rows("SELECT state FROM drops") == [(DropState.CLOSED,)]


def test_a_proposal_that_nobody_used_is_given_back(sqlite_engine: Engine) -> None:
    drop = sqlite_engine.drop(stock_units=1)
    variant_id = drop.variants[0].id
    sqlite_engine.chore("gates")
    sqlite_engine.parts.gate.reserve(drop.id, [Ask("nobody", variant_id, 1, True)])
    assert sqlite_engine.chore("gates") == 0
    sqlite_engine.pass_time(seconds=61)
    assert (sqlite_engine.chore("gates"), sqlite_engine.chore("gates")) == (1, 0)
    sqlite_engine.dm("ana")
    assert state_of(sqlite_engine, "ana") == "held"


def test_a_gate_that_offers_too_much_is_built_again(sqlite_engine: Engine) -> None:
    drop = sqlite_engine.drop(stock_units=1)
    sqlite_engine.dm("ana")
    seen = sqlite_engine.parts.gate.snapshot(drop.id)
    assert seen is not None
    sqlite_engine.parts.gate.restock(drop.id, seen.epoch, drop.variants[0].id, [2, 3])
    assert (sqlite_engine.chore("gates"), sqlite_engine.chore("gates")) == (1, 0)
    after = sqlite_engine.parts.gate.snapshot(drop.id)
    assert after is not None
    assert (sum(map(len, after.free.values())), after.epoch) == (0, seen.epoch + 1)


def test_a_wiped_redis_is_filled_again_at_the_next_word(sqlite_engine: Engine, redis_client: Redis) -> None:
    sqlite_engine.drop(stock_units=2)
    sqlite_engine.dm("ana")
    redis_client.flushall()
    assert [sqlite_engine.dm(who) for who in ("ana", "ben", "cleo")] == [200] * 3
    assert sqlite_engine.states() == {"held": 2, "waitlisted": 1}


def test_another_redis_is_noticed_and_every_gate_is_built_again(
    sqlite_engine: Engine, redis_client: Redis
) -> None:
    drop = sqlite_engine.drop(stock_units=2)
    sqlite_engine.dm("ana")
    watch, seen = RedisWatch(), sqlite_engine.parts.gate.snapshot(drop.id)
    assert (watch(sqlite_engine.parts), watch(sqlite_engine.parts)) == (0, 0)
    redis_client.execute_command("REPLICAOF", "127.0.0.1", "1")
    redis_client.execute_command("REPLICAOF", "NO", "ONE")
    assert (watch(sqlite_engine.parts), watch(sqlite_engine.parts)) == (1, 0)
    after = sqlite_engine.parts.gate.snapshot(drop.id)
    assert seen is not None
    assert after is not None
    assert after.epoch == seen.epoch + 1


def test_raw_events_are_deleted_after_their_days(sqlite_engine: Engine) -> None:
    sqlite_engine.dm("ana", "hello")
    sqlite_engine.pass_time(days=6)
    sqlite_engine.dm("ben", "hello")
    sqlite_engine.chore("purge")
    sqlite_engine.pass_time(days=2)
    sqlite_engine.chore("purge")
    raws = sqlite_engine.rows("SELECT raw != '' FROM inbox WHERE kind = 'text' ORDER BY received_at")
    assert [bool(kept) for (kept,) in raws] == [False, True]


def test_a_name_is_looked_up_once_and_used_in_the_next_message(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    sqlite_engine.world.api("/followers", follower="ana", name="Ana Lima", follows=True)
    sqlite_engine.dm("ana", "hello")
    assert (sqlite_engine.chore("profiles"), sqlite_engine.chore("profiles")) == (1, 0)
    sqlite_engine.work()
    assert (lead_of(sqlite_engine, "ana", "name"), rows_of(sqlite_engine, "profile")) == (
        "Ana Lima",
        [("done", "", 0)],
    )
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    assert sqlite_engine.heard("ana")[-1].startswith("Hi Ana, it is yours!")


def test_nobody_is_looked_up_who_only_commented_or_wrote_stop(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    sqlite_engine.world.api("/comment", follower="ana", text="LAUNCH")
    sqlite_engine.dm("ben", "STOP")
    assert sqlite_engine.chore("profiles") == 0


def connect(engine: Engine, days: float) -> None:
    with engine.parts.ledger.begin() as tx:
        ends_at = engine.clock() + timedelta(days=days)
        brands.mark_token(tx, engine.parts.sealer, engine.account.id, engine.account.token, ends_at)
    engine.parts.catalog(is_fresh=True)


def test_a_token_is_renewed_after_a_week_and_works(sqlite_engine: Engine) -> None:
    connect(sqlite_engine, days=60)
    assert sqlite_engine.chore("tokens") == 0
    sqlite_engine.pass_time(days=8)
    assert sqlite_engine.chore("tokens") == 1
    sqlite_engine.parts.catalog(is_fresh=True)
    assert (sqlite_engine.chore("tokens"), open_alerts(sqlite_engine)) == (0, [])
    sqlite_engine.pass_time(days=50)
    sqlite_engine.dm("ana", "hello")
    sqlite_engine.work()
    assert len(sqlite_engine.heard("ana")) == 1


def test_a_token_that_cannot_be_renewed_is_told_before_its_end(sqlite_engine: Engine) -> None:
    connect(sqlite_engine, days=60)
    sqlite_engine.world.api("/tokens", account=ACCOUNT, revoked=True)
    sqlite_engine.pass_time(days=45)
    assert (sqlite_engine.chore("tokens"), open_alerts(sqlite_engine)) == (0, [])
    sqlite_engine.pass_time(days=2)
    assert (sqlite_engine.chore("tokens"), open_alerts(sqlite_engine)) == (0, ["token"])
    sqlite_engine.world.api("/tokens", account=ACCOUNT, revoked=False)
    assert (sqlite_engine.chore("tokens"), open_alerts(sqlite_engine)) == (1, [])


def spooled(engine: Engine, who: str) -> None:
    """A delivery that was taken in while SQL was down."""
    written = message(engine, who, "LAUNCH", f"mid-{who}")
    body = body_of(envelope(ACCOUNT, seconds_ago(engine), [written]))
    engine.parts.spool.append("meta|", body, engine.clock())


def test_what_waits_in_the_spool_is_served_in_its_order(engine: Engine) -> None:
    engine.drop(stock_units=1)
    spooled(engine, "ana")
    spooled(engine, "ben")
    spooled(engine, "ana")
    assert engine.chore("spool") == 3
    assert (state_of(engine, "ana"), state_of(engine, "ben")) == ("held", "waitlisted")
    assert (engine.parts.spool.depth()[0], outcomes(engine)) == (0, {"held": 1, "waitlisted": 1})


def test_an_entry_leaves_the_spool_only_after_its_commit(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=1)
    spooled(sqlite_engine, "ana")
    nowhere = Ledger(make_engine("postgresql+psycopg://nobody@127.0.0.1:1/none"))
    down = replace(sqlite_engine.parts, ledger=nowhere)
    with pytest.raises(LedgerUnavailable):
        drain_spool(down)
    nowhere.close()
    assert sqlite_engine.parts.spool.depth()[0] == 1
    assert sqlite_engine.chore("spool") == 1
    assert outcome_of(sqlite_engine, "ana") == "held"


def test_an_unreadable_entry_is_kept_aside_and_does_not_stop_the_others(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=1)
    sqlite_engine.parts.spool.append("meta|", b"{not json", sqlite_engine.clock())
    spooled(sqlite_engine, "ana")
    assert sqlite_engine.chore("spool") == 2
    assert outcomes(sqlite_engine) == {"quarantined": 1, "held": 1}
    assert open_alerts(sqlite_engine) == ["quarantine"]


def test_the_refused_key_of_one_brand_does_not_silence_the_others(sqlite_engine: Engine) -> None:
    other = make_brand(sqlite_engine.parts.ledger, "aaa")
    keys = PaymentKeys(other.id, "sk_test_unknown", ("whsec_unknown",), livemode=False)
    with sqlite_engine.parts.ledger.begin() as tx:
        brands.mark_payment_keys(tx, make_sealer(), keys)
    sqlite_engine.drop()
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    sqlite_engine.world.fault("stripe", "webhook_drop")
    sqlite_engine.pay("ana")
    assert sqlite_engine.chore("events") == 1
    assert state_of(sqlite_engine, "ana") == "sold"


def test_a_chore_is_done_when_it_is_due_and_its_failure_stops_no_other(sqlite_engine: Engine) -> None:
    done: list[str] = []

    def fail(_parts: Parts) -> None:
        raise StockUnavailable("Redis is away")

    rounds = Rounds((Chore("bad", 1, fail), Chore("good", 1, lambda _: done.append("good"))))
    slow = Rounds((Chore("slow", 30, lambda _: done.append("slow")),))
    assert [rounds.go(sqlite_engine.parts, seconds) for seconds in (0.0, 0.5, 1.0)] == [["bad"], [], ["bad"]]
    assert [slow.go(sqlite_engine.parts, seconds) for seconds in (0.0, 29.0, 30.0)] == [[], [], []]
    assert done == ["good", "good", "slow", "slow"]


def test_a_winner_who_was_not_told_in_time_raises_an_alert(sqlite_engine: Engine) -> None:
    drop = sqlite_engine.drop(stock_units=1)
    sqlite_engine.dm("ana")
    sqlite_engine.dm("ben")
    sqlite_engine.pass_time(minutes=11)
    sqlite_engine.chore("untold")
    assert (len(open_alerts(sqlite_engine)), state_of(sqlite_engine, "ana")) == (1, "held")
    sqlite_engine.pass_time(hours=24)
    sqlite_engine.chore("untold")
    assert state_of(sqlite_engine, "ana") == "unreachable"
    with sqlite_engine.parts.ledger.reading() as tx:
        assert drops.find_drop(tx, drop.id) is not None


def test_processes_that_died_long_ago_are_forgotten(sqlite_engine: Engine) -> None:
    beat(sqlite_engine.parts, "worker:old:1")
    sqlite_engine.pass_time(days=8)
    beat(sqlite_engine.parts, "worker:new:2")
    sqlite_engine.chore("purge")
    assert sqlite_engine.rows("SELECT name FROM marks WHERE name LIKE 'beat:%'") == [("beat:worker:new:2",)]
