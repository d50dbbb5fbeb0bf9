"""What if the process dies at the worst place of a story? It does: a real process, at a named place."""

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from claimbot.core.drops import LinkMode
from claimbot.core.messages import Delivery
from claimbot.core.payments import PaymentEvent, SessionState
from claimbot.db.engine import Ledger
from claimbot.failpoints import armed
from claimbot.flows.expire import sweep_due
from claimbot.flows.receive import Signed, receive
from claimbot.flows.settle import hear
from claimbot.flows.sweep import check_all_gates
from claimbot.parts import Parts, make_parts
from tests.crowd import PATIENCE_SECONDS
from tests.engine import TestClock, settings_for
from tests.flows.outside import event_of
from tests.flows.play import Play, make_play
from tests.invariants import assert_invariants
from tests.ledgers import open_ledger

DIED = 9


@dataclass(frozen=True)
class Grounds:
    """What the process that dies shares with the test."""

    url: str
    redis_url: str
    moved: timedelta


def _live_and_die(grounds: Grounds, place: str, story: Callable[..., object], told: tuple[Any, ...]) -> None:
    with open_ledger(grounds.url) as ledger:
        parts = make_parts(settings_for(ledger, grounds.redis_url), TestClock(grounds.moved))
        with armed(place, lambda: os._exit(DIED)):
            story(parts, *told)


def die(play: Play, redis_url: str, place: str, story: Callable[..., object], *told: Any) -> None:
    """A process of its own begins the story and dies at that place, without a word to anybody."""
    url = play.ledger.engine.url.render_as_string(hide_password=False)
    grounds = Grounds(url, redis_url, play.clock.moved)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_live_and_die, args=(grounds, place, story, told))
    process.start()
    process.join(PATIENCE_SECONDS)
    assert process.exitcode == DIED


def hear_message(parts: Parts, delivery: Delivery) -> None:
    receive(parts, delivery, Signed(), parts.clock())


def hear_money(parts: Parts, brand_id: str, event: PaymentEvent) -> None:
    hear(parts, brand_id, event, "")


@pytest.fixture
def play(ledger: Ledger, redis_client: Redis, redis_url: str) -> Play:
    return make_play(ledger, redis_url)


def stored(play: Play) -> int:
    return len(play.rows("SELECT 1 FROM inbox"))


@pytest.mark.parametrize(
    ("place", "kept"),
    [
        pytest.param("receive.arrived", 0, marks=pytest.mark.matrix(5), id="before the gate is asked"),
        pytest.param("receive.proposed", 0, marks=pytest.mark.matrix(6), id="before the commit"),
        pytest.param("tell", 1, marks=pytest.mark.matrix(8), id="after the commit, before the 200"),
    ],
)
def test_a_message_whose_process_died_is_made_once_by_the_next_delivery(
    play: Play, redis_url: str, place: str, kept: int
) -> None:
    play.drop(stock_units=2)
    delivery = Delivery("instagram", (play.message("7001", "LAUNCH"),))

    die(play, redis_url, place, hear_message, delivery)
    assert stored(play) == kept
    receipt = play.deliver(delivery)

    assert (receipt.new, receipt.duplicates) == (1 - kept, kept)
    play.write(("7002", "LAUNCH"), ("7003", "LAUNCH"))
    assert play.states() == {"held": 2, "waitlisted": 1}
    play.work_all()
    assert sorted(who for who, _ in play.platform.sent) == ["7001", "7002", "7003"]
    assert_invariants(play.parts, is_at_rest=True)


@pytest.mark.matrix(6)
def test_what_was_proposed_to_a_dead_process_is_offered_again_within_ninety_seconds(
    play: Play, redis_url: str
) -> None:
    play.drop(stock_units=1)
    die(
        play,
        redis_url,
        "receive.proposed",
        hear_message,
        Delivery("instagram", (play.message("7001", "LAUNCH"),)),
    )

    play.pass_time(seconds=90)
    assert check_all_gates(play.parts) == 1
    play.write(("7002", "LAUNCH"))

    assert play.states() == {"held": 1}
    assert_invariants(play.parts)


@pytest.mark.matrix(34)
@pytest.mark.parametrize("place", ["settle.settled", "tell"], ids=["before the commit", "after the commit"])
def test_a_payment_whose_process_died_is_sold_once_by_the_next_event(
    play: Play, redis_url: str, place: str
) -> None:
    play.drop(stock_units=1)
    play.write(("7001", "LAUNCH"))
    play.work_all()
    [session_id] = play.sessions.list_ids(SessionState.OPEN)
    play.sessions.pay(session_id)
    news = play.sessions.by_id[session_id]

    die(play, redis_url, place, hear_money, play.brand.id, event_of(news))
    play.tell(news)

    assert play.states() == {"sold": 1}
    play.work_all()
    assert len(play.platform.sent) == 2
    assert_invariants(play.parts, is_at_rest=True)


@pytest.mark.matrix(39)
@pytest.mark.parametrize(
    ("place", "state"),
    [("release.handed_on", "held"), ("tell", "expired")],
    ids=["inside", "before the hint"],
)
def test_a_release_whose_process_died_costs_no_unit(
    play: Play, redis_url: str, place: str, state: str
) -> None:
    play.drop(stock_units=1, link_mode=LinkMode.PAY_LINK)
    play.write(("7001", "LAUNCH"))
    play.work_all()
    play.pass_time(minutes=17)

    die(play, redis_url, place, sweep_due)
    assert play.states() == {state: 1}
    sweep_due(play.parts)
    play.pass_time(seconds=30)
    check_all_gates(play.parts)
    play.write(("7002", "LAUNCH"))

    assert play.states() == {"expired": 1, "held": 1}
    assert_invariants(play.parts)
