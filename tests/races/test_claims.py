"""Can a crowd get more than there is, or one message count twice? Threads and processes try."""

import pytest

from claimbot.core.drops import Drop, DropKind
from claimbot.core.errors import Refused
from claimbot.core.messages import Delivery
from claimbot.core.payments import SessionState
from claimbot.db import inbox
from claimbot.db.engine import Ledger
from claimbot.flows import launch
from claimbot.flows.expire import sweep_due
from claimbot.flows.receive import Signed, receive
from claimbot.flows.sweep import serve_lines
from claimbot.flows.verify import verify
from claimbot.parts import make_parts
from tests.crowd import at_once, in_processes
from tests.engine import settings_for
from tests.flows.play import Play, make_play, names
from tests.invariants import assert_invariants
from tests.ledgers import open_ledger
from tests.races.naive_inbox import NaiveLook, insert_anyway

CROWD = 64
PROCESSES = 4


@pytest.fixture
def play(ledger: Ledger, redis_url: str) -> Play:
    return make_play(ledger, redis_url)


def count(play: Play, table: str) -> int:
    return int(play.rows(f"SELECT count(*) FROM {table}")[0][0])


def line_of(play: Play, state: str) -> list[str]:
    """Who is in this state, in the order of the line."""
    found = play.rows(
        "SELECT external_id FROM claims JOIN leads ON leads.id = lead_id WHERE state = :state ORDER BY line",
        state=state,
    )
    return [row[0] for row in found]


@pytest.mark.matrix(3)
def test_a_crowd_of_identical_deliveries_is_one_claim(play: Play) -> None:
    play.drop(stock_units=7)
    delivery = Delivery("instagram", (play.message("7001", "LAUNCH"),))
    got = at_once(CROWD, lambda _: play.deliver(delivery))
    assert sum(receipt.new for receipt in got) == 1
    assert [count(play, table) for table in ("inbox", "claims", "outbox")] == [1, 1, 1]
    assert count(play, "units WHERE claim_id IS NOT NULL") == 1
    assert_invariants(play.parts)


def test_a_crowd_of_followers_gets_each_unit_once(play: Play) -> None:
    play.drop(stock_units=7)
    at_once(CROWD, lambda number: play.write((f"7{number:03d}", "LAUNCH")))
    assert play.states() == {"held": 7, "waitlisted": CROWD - 7}
    assert count(play, "outbox") == CROWD
    assert_invariants(play.parts)


@pytest.mark.matrix(41)
def test_units_that_come_back_go_to_the_line_and_never_to_newcomers(play: Play) -> None:
    play.drop(stock_units=10)
    holders, waiting, newcomers = names(10), names(10, "8"), names(20, "9")
    for who in (*holders, *waiting):
        play.write((who, "LAUNCH"))
    acts = [(who, "PASS") for who in holders] + [(who, "LAUNCH") for who in newcomers]
    at_once(len(acts), lambda number: play.write(acts[number]))
    serve_lines(play.parts)
    assert line_of(play, "held") == list(waiting)
    assert sorted(line_of(play, "waitlisted")) == list(newcomers)
    assert count(play, "outbox WHERE kind = 'offer' AND state = 'ready'") == 10
    assert_invariants(play.parts)


@pytest.mark.matrix(40)
def test_two_sweepers_end_each_hold_once(play: Play) -> None:
    play.drop(stock_units=10)
    for who in names(10):
        play.write((who, "LAUNCH"))
    play.work_all()
    play.pass_time(minutes=17)
    ended = at_once(2, lambda _: sweep_due(play.parts))
    play.work_all()
    assert sum(ended) == 10
    assert count(play, "outbox WHERE kind = 'expire'") == 10
    assert play.states() == {"expired": 10}
    assert_invariants(play.parts)


def edit(play: Play, drop: Drop, stock_units: int) -> int:
    try:
        launch.restock(play.parts, "brand", drop.variants[0].id, stock_units)
    except Refused:
        return 0
    return stock_units


@pytest.mark.matrix(42)
def test_stock_that_is_edited_during_a_storm_is_never_oversold(play: Play) -> None:
    drop = play.drop(stock_units=5)
    edits = [12, 3, 20, 8, 15, 30, 1, 16]

    def act(number: int) -> object:
        if number < len(edits):
            return edit(play, drop, edits[number])
        return play.write((f"7{number:03d}", "LAUNCH"))

    at_once(48 + len(edits), act)
    edit(play, drop, 40)
    serve_lines(play.parts)
    assert play.states() == {"held": 40, "waitlisted": 8}
    assert count(play, "units WHERE state = 'open' AND claim_id IS NULL") == 0
    assert_invariants(play.parts)


def test_without_the_bound_an_edited_stock_is_broken_so_this_test_can_fail(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "_lower_stock", lambda *_anything: None)
    drop = play.drop(stock_units=5)
    at_once(16, lambda number: play.write((f"7{number:03d}", "LAUNCH")) if number else edit(play, drop, 1))
    assert "I1" in {one.invariant for one in verify(play.parts) if not one.ok}


def offered(play: Play, count_of_people: int) -> list[str]:
    """So many followers hold a unit each, and their sessions are open."""
    for who in names(count_of_people):
        play.write((who, "LAUNCH"))
    play.work_all()
    return play.sessions.list_ids(SessionState.OPEN)


@pytest.mark.matrix(35)
@pytest.mark.parametrize("is_buyer_first", [True, False])
def test_a_payment_and_an_expiry_never_both_win(play: Play, is_buyer_first: bool) -> None:
    """At the exact point: the buyer pays just before, or just after, Stripe is asked to end the session."""
    play.drop(stock_units=50)
    sessions = offered(play, 50)
    play.sessions.before_expire = play.sessions.pay if is_buyer_first else (lambda _: None)
    play.pass_time(minutes=17)
    sweep_due(play.parts)
    play.work_all()
    paid_after = [one for one in sessions if not is_buyer_first and play.sessions.pay(one)]
    assert paid_after == []
    assert play.states() == ({"sold": 50} if is_buyer_first else {"expired": 50})
    assert_invariants(play.parts)


def test_news_of_a_payment_and_of_its_end_at_once_is_one_fact(play: Play) -> None:
    play.drop(stock_units=20)
    sessions = offered(play, 20)
    play.sessions.before_expire = play.sessions.pay
    play.pass_time(minutes=17)
    sweep_due(play.parts)

    def act(number: int) -> object:
        if number == 0:
            return play.work_all()
        play.sessions.pay(sessions[number - 1])
        return play.tell(play.sessions.by_id[sessions[number - 1]])

    at_once(21, act)
    play.work_all()
    assert play.states() == {"sold": 20}
    assert count(play, "outbox WHERE kind = 'reply'") == 20
    assert_invariants(play.parts)


def deliver_in_a_process(url: str, redis_url: str, delivery: Delivery) -> int:
    with open_ledger(url) as ledger:
        # Four processes share the hundred connections of one server.
        parts = make_parts(settings_for(ledger, redis_url, WEB_THREADS="8", SENDS_IN_FLIGHT="8"))
        got = at_once(50, lambda _: receive(parts, delivery, Signed(), parts.clock()))
        parts.close()
        return sum(receipt.new for receipt in got)


@pytest.mark.matrix(3)
def test_processes_with_identical_deliveries_make_one_claim(on_postgresql: Ledger, redis_url: str) -> None:
    play = make_play(on_postgresql, redis_url)
    play.drop(stock_units=7)
    url = on_postgresql.engine.url.render_as_string(hide_password=False)
    delivery = Delivery("instagram", (play.message("7001", "LAUNCH"),))
    got = in_processes(deliver_in_a_process, [(url, redis_url, delivery)] * PROCESSES)
    assert sum(got) == 1
    assert [count(play, table) for table in ("inbox", "claims", "outbox")] == [1, 1, 1]
    assert_invariants(play.parts)


def gift_to_one_message(play: Play, crowd: int = CROWD) -> int:
    """How many claims one message makes when a crowd delivers it; two would be allowed to two messages."""
    play.drop(stock_units=7, kind=DropKind.FREE, per_follower_limit=2)
    delivery = Delivery("instagram", (play.message("7001", "LAUNCH"),))
    at_once(crowd, lambda _: play.deliver(delivery))
    return count(play, "claims")


def test_one_message_is_one_gift(play: Play) -> None:
    assert gift_to_one_message(play) == 1


def test_the_naive_inbox_gives_twice_so_these_tests_can_fail(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "find_known_keys", NaiveLook())
    monkeypatch.setattr(inbox, "insert_events", insert_anyway)
    assert gift_to_one_message(play, crowd=8) == 2
