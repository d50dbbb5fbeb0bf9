"""How does each message get to its follower once, whatever the platform does?"""

from datetime import timedelta
from typing import Any

import pytest

from claimbot.core.drops import LinkMode
from claimbot.core.texts import TextKey
from claimbot.db import brands, outbox
from claimbot.db.engine import Ledger
from claimbot.flows.deliver import deliver, take
from claimbot.flows.tokens import connect_account
from tests.engine import Engine, running_engine
from tests.flows.looks import claim_of, lead_of, open_alerts, rows_of, state_of
from tests.sandbox.worlds import ACCOUNT, TOKEN


def sends(engine: Engine) -> int:
    return int(engine.world.get("/state")["sends_accepted"])


def calls(engine: Engine) -> int:
    """Sends that reached the platform, whatever it answered."""
    return sum(engine.world.get("/state")["verdicts"].values())


def offered(engine: Engine, *faults: str, **changes: Any) -> None:
    """Ana's offer is sent while the platform misbehaves."""
    engine.drop(**changes)
    engine.dm("ana")
    [engine.world.fault("graph", fault, delay_seconds=0.01) for fault in faults]
    engine.work()
    engine.settle()


def wait_and_work(engine: Engine, **spans: float) -> int:
    engine.pass_time(**spans)
    done = engine.work()
    engine.settle()
    return done


def test_winners_are_told_before_everybody_else(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=1)
    sqlite_engine.dm("dora", "hello")
    sqlite_engine.dm("ana")
    sqlite_engine.dm("ben")
    sqlite_engine.dm("eve", "HUMAN")
    taken = take(sqlite_engine.parts, 10)
    assert [row.payload["text"] for row in taken] == ["held", "waitlisted", "human", "help"]


def test_the_clock_of_the_hold_starts_with_the_answer_of_the_platform(engine: Engine) -> None:
    offered(engine)
    claim = claim_of(engine, "ana")
    assert claim.told_at is not None
    assert claim.hold_expires_at == claim.told_at + timedelta(minutes=15)
    assert rows_of(engine, "offer") == [("done", "", 1)]


@pytest.mark.parametrize("mode", [LinkMode.AUTO, LinkMode.DIRECT])
def test_while_stripe_is_busy_the_pay_link_goes_out(sqlite_engine: Engine, mode: LinkMode) -> None:
    sqlite_engine.world.fault("stripe", "rate_429")
    offered(sqlite_engine, link_mode=mode)
    assert sqlite_engine.link("ana").endswith(f"/c/{claim_of(sqlite_engine, 'ana').token}")


@pytest.mark.parametrize(("mode", "start"), [(LinkMode.AUTO, "/c/"), (LinkMode.DIRECT, "/pay/")])
def test_a_slow_stripe_does_not_hold_up_the_message(
    sqlite_engine: Engine, mode: LinkMode, start: str
) -> None:
    sqlite_engine.drop(link_mode=mode)
    sqlite_engine.dm("ana")
    [row] = take(sqlite_engine.parts, 1)
    sqlite_engine.pass_time(seconds=3)
    deliver(sqlite_engine.parts, row)
    assert start in sqlite_engine.link("ana")
    assert sqlite_engine.world.get("/state")["sessions"]["open"] == 1


def test_the_pay_link_mode_makes_no_session(sqlite_engine: Engine) -> None:
    offered(sqlite_engine, link_mode=LinkMode.PAY_LINK)
    assert "/c/" in sqlite_engine.link("ana")
    assert sqlite_engine.world.get("/state")["sessions"]["open"] == 0


@pytest.mark.parametrize(("fault", "seconds"), [("rate_613", 61), ("error_500", 61)])
def test_a_refusal_that_passes_is_tried_again(sqlite_engine: Engine, fault: str, seconds: int) -> None:
    offered(sqlite_engine, fault)
    assert (sqlite_engine.heard("ana"), claim_of(sqlite_engine, "ana").told_at) == ([], None)
    assert wait_and_work(sqlite_engine, seconds=seconds - 31) == 0
    wait_and_work(sqlite_engine, seconds=31)
    assert (len(sqlite_engine.heard("ana")), wait_and_work(sqlite_engine, minutes=3)) == (1, 0)


LOST = ["timeout_after_accept", "error_500_after_accept", "code_1_after_accept"]


@pytest.mark.parametrize("fault", LOST)
def test_an_echo_tells_what_the_answer_did_not(engine: Engine, fault: str) -> None:
    offered(engine, fault)
    assert rows_of(engine, "offer") == [("done", "echo", 1)]
    assert claim_of(engine, "ana").hold_expires_at is not None
    assert (wait_and_work(engine, seconds=61), sends(engine)) == (0, 1)


@pytest.mark.parametrize("fault", LOST)
def test_without_an_echo_there_is_one_more_try(sqlite_engine: Engine, fault: str) -> None:
    offered(sqlite_engine, fault, "echo_none")
    assert (wait_and_work(sqlite_engine, seconds=30), sends(sqlite_engine)) == (0, 1)
    wait_and_work(sqlite_engine, seconds=31)
    assert (sends(sqlite_engine), rows_of(sqlite_engine, "offer")) == (2, [("done", "", 2)])
    assert lead_of(sqlite_engine, "ana", "human_until") is None


def test_after_two_lost_answers_nobody_tries_again(sqlite_engine: Engine) -> None:
    offered(sqlite_engine, *["code_1_after_accept", "echo_none"] * 2)
    wait_and_work(sqlite_engine, seconds=61)
    wait_and_work(sqlite_engine, seconds=61)
    assert rows_of(sqlite_engine, "offer") == [("dead", "unknown_outcome", 2)]
    # Less than half an hour: then the session ends, which is news of its own.
    assert (wait_and_work(sqlite_engine, minutes=10), sends(sqlite_engine)) == (0, 2)
    assert claim_of(sqlite_engine, "ana").hold_expires_at is not None


def test_a_connection_that_breaks_is_as_unknown_as_a_timeout(sqlite_engine: Engine) -> None:
    offered(sqlite_engine, "reset")
    assert wait_and_work(sqlite_engine, seconds=30) == 0
    wait_and_work(sqlite_engine, seconds=31)
    assert len(sqlite_engine.heard("ana")) == 1


def test_the_echo_of_a_comment_before_its_answer_is_ours(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    sqlite_engine.world.api("/comment", follower="ana", text="LAUNCH")
    sqlite_engine.world.fault("graph", "echo_before_answer")
    sqlite_engine.work()
    assert lead_of(sqlite_engine, "ana", "human_until") is None
    assert claim_of(sqlite_engine, "ana").told_at is not None


def test_a_refused_token_parks_everything_of_the_account_once(engine: Engine) -> None:
    engine.drop(stock_units=2)
    assert [engine.dm(who) for who in ("ana", "ben", "cleo")] == [200] * 3
    engine.world.api("/tokens", account=ACCOUNT, revoked=True)
    engine.work()
    wait_and_work(engine, minutes=10)
    assert open_alerts(engine) == ["account"]
    engine.world.api("/tokens", account=ACCOUNT, revoked=False)
    assert (wait_and_work(engine, minutes=1), engine.heard("ana")) == (0, [])


def test_a_connected_account_sends_what_waited_each_once(engine: Engine) -> None:
    engine.drop(stock_units=2)
    assert [engine.dm(who) for who in ("ana", "ben", "cleo")] == [200] * 3
    engine.world.api("/tokens", account=ACCOUNT, revoked=True)
    engine.work()
    word, _ = engine.world.world.tokens.issue(ACCOUNT)
    known = engine.account
    new = brands.NewAccount(known.brand_id, "instagram", known.variant, ACCOUNT, known.username, token=word)
    assert connect_account(engine.parts, "mia", new) == known.id
    engine.parts.catalog(is_fresh=True)
    engine.work()
    assert [len(engine.heard(who)) for who in ("ana", "ben", "cleo")] == [1, 1, 1]
    assert (open_alerts(engine), wait_and_work(engine, minutes=5)) == ([], 0)


def test_a_message_that_met_the_old_token_does_not_park_the_new_one(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    sqlite_engine.dm("ana")
    sqlite_engine.parts.catalog()
    sqlite_engine.world.api("/tokens", account=ACCOUNT, revoked=True)
    word, _ = sqlite_engine.world.world.tokens.issue(ACCOUNT)
    with sqlite_engine.parts.ledger.begin() as tx:
        brands.mark_token(tx, sqlite_engine.parts.sealer, sqlite_engine.account.id, word, None)
    sqlite_engine.work()
    assert (open_alerts(sqlite_engine), rows_of(sqlite_engine, "offer")) == (
        [],
        [("ready", "token_renewed", 0)],
    )
    sqlite_engine.parts.catalog(is_fresh=True)
    wait_and_work(sqlite_engine, seconds=3)
    assert len(sqlite_engine.heard("ana")) == 1


@pytest.mark.matrix(31)
def test_who_blocked_us_does_not_keep_the_unit(engine: Engine) -> None:
    engine.drop(stock_units=1)
    engine.dm("ana")
    engine.dm("ben")
    engine.world.api("/followers/ana/block")
    engine.work()
    assert (state_of(engine, "ana"), state_of(engine, "ben")) == ("unreachable", "held")
    assert rows_of(engine, "offer")[0] == ("dead", "unreachable", 1)
    assert "you are next" in engine.heard("ben")[-1]


@pytest.mark.matrix(31)
def test_a_window_that_the_platform_closed_ends_the_hold(sqlite_engine: Engine) -> None:
    offered(sqlite_engine, "window_2018278")
    assert state_of(sqlite_engine, "ana") == "unreachable"
    assert rows_of(sqlite_engine, "offer") == [("dead", "window_closed", 1)]


def test_after_24_hours_the_platform_is_not_even_asked(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    sqlite_engine.dm("ana")
    wait_and_work(sqlite_engine, hours=24, minutes=1)
    assert (calls(sqlite_engine), state_of(sqlite_engine, "ana")) == (0, "unreachable")
    assert rows_of(sqlite_engine, "offer")[0][:2] in (("dead", "too_old"), ("dead", "window_closed"))


def test_sends_are_paced(on_sqlite: Ledger, redis_url: str) -> None:
    with running_engine(on_sqlite, redis_url, SEND_PER_SECOND="2") as engine:
        engine.drop(stock_units=5)
        assert [engine.dm(f"fan{number}") for number in range(5)] == [200] * 5
        engine.work()
        done = [row for row in rows_of(engine, "offer") if row[0] == "done"]
        waiting = [row for row in rows_of(engine, "offer") if row == ("ready", "paced", 0)]
        assert len(done) >= 2
        assert len(done) + len(waiting) == 5
        assert len(waiting) >= 1


def test_a_wording_that_is_too_long_is_cut(sqlite_engine: Engine) -> None:
    offered(sqlite_engine, texts={TextKey.HELD: "é" * 3_000})
    assert len(sqlite_engine.heard("ana")[0].encode()) <= 1_000
    assert "/pay/" in sqlite_engine.link("ana")


def test_a_worker_that_lost_its_lease_sends_nothing(engine: Engine) -> None:
    engine.drop()
    engine.dm("ana")
    [slow] = take(engine.parts, 1)
    engine.pass_time(seconds=31)
    [row] = take(engine.parts, 1)
    deliver(engine.parts, slow)
    assert calls(engine) == 0
    deliver(engine.parts, row)
    assert (calls(engine), rows_of(engine, "offer")) == (1, [("done", "", 1)])


def test_a_worker_that_died_in_its_call_is_followed_after_the_wait(engine: Engine) -> None:
    engine.drop()
    engine.dm("ana")
    [row] = take(engine.parts, 1)
    with engine.parts.ledger.begin() as tx:
        assert outbox.mark_calling(tx, row, engine.clock())
    wait_and_work(engine, seconds=31)
    assert calls(engine) == 0
    wait_and_work(engine, seconds=30)
    assert (calls(engine), rows_of(engine, "offer")) == (1, [("done", "", 2)])


def test_an_answer_that_comes_after_the_echo_changes_nothing(sqlite_engine: Engine) -> None:
    offered(sqlite_engine, "echo_before_answer")
    assert rows_of(sqlite_engine, "offer") == [("done", "echo", 1)]
    assert (TOKEN in str(sqlite_engine.rows("SELECT * FROM outbox")), sends(sqlite_engine)) == (False, 1)


def test_news_of_a_claim_that_moved_on_is_not_told_as_an_offer(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    sqlite_engine.dm("ana")
    [row] = take(sqlite_engine.parts, 1)
    sqlite_engine.dm("ana", "PASS")
    deliver(sqlite_engine.parts, row)
    assert sqlite_engine.heard("ana") == []
    assert rows_of(sqlite_engine, "offer") == [("dead", "no_longer_held", 0)]
