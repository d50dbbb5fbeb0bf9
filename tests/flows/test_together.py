"""Deliveries that arrive together share a commit, and nothing else."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import event, text

from claimbot.core.errors import LedgerUnavailable
from claimbot.core.messages import Delivery
from claimbot.db.engine import Ledger
from claimbot.flows.receive import Receipt, Signed
from claimbot.flows.together import Together
from tests.crowd import at_once
from tests.flows.play import Play, make_play
from tests.invariants import assert_invariants
from tests.web.doors import dead_ledger

CROWD = 12
# What no database can store: half of a surrogate pair.
UNFIT = "LAUNCH \ud800"


@pytest.fixture
def play(ledger: Ledger, redis_url: str) -> Play:
    play = make_play(ledger, redis_url)
    play.drop(stock_units=5)
    return play


@contextmanager
def busy_ledger(ledger: Ledger) -> Iterator[None]:
    """Nobody else can write before the end of the block."""
    with ledger.begin() as tx:
        if not ledger.is_sqlite:
            tx.execute(text("LOCK TABLE leads"))
        yield


@contextmanager
def counted_inserts(ledger: Ledger) -> Iterator[list[str]]:
    """Each time that events are written down."""
    seen: list[str] = []

    def listen(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO inbox"):
            seen.append(statement)

    event.listen(ledger.engine, "before_cursor_execute", listen)
    yield seen
    event.remove(ledger.engine, "before_cursor_execute", listen)


def receive_behind_one(play: Play, deliveries: list[Delivery]) -> list[Receipt | Exception]:
    return receive_read_behind_one(play, [partial(told, delivery) for delivery in deliveries])


def receive_read_behind_one(play: Play, reads: Sequence[Callable[[], Delivery]]) -> list[Receipt | Exception]:
    """The first is held up by a busy ledger; all others arrive meanwhile."""
    together = Together(play.parts)
    found: dict[int, Receipt | Exception] = {}

    def deliver(number: int) -> None:
        try:
            found[number] = together.receive(reads[number], Signed(), play.clock())
        except Exception as trouble:
            found[number] = trouble

    threads = [threading.Thread(target=deliver, args=(number,)) for number in range(len(reads))]
    with busy_ledger(play.ledger):
        for number, thread in enumerate(threads):
            thread.start()
            wait_until(partial(is_queued, together, number))
    for thread in threads:
        thread.join(30)
    return [found[number] for number in range(len(reads))]


def is_queued(together: Together, behind: int) -> bool:
    return together.is_led and together.waiting == behind


def wait_until(is_so: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 30
    while not is_so() and time.monotonic() < ends_at:
        time.sleep(0.001)


def told(delivery: Delivery) -> Delivery:
    """What is read of a body."""
    return delivery


def of(play: Play, who: str, words: str = "LAUNCH") -> Delivery:
    return Delivery("instagram", (play.message(who, words),))


def test_who_arrives_during_a_commit_shares_the_next(play: Play) -> None:
    crowd = [of(play, f"7{number:03d}") for number in range(CROWD)]
    with counted_inserts(play.ledger) as inserts:
        receipts = receive_behind_one(play, crowd)
    assert [one.new for one in receipts if isinstance(one, Receipt)] == [1] * CROWD
    assert len(inserts) == 2
    assert play.states() == {"held": 5, "waitlisted": CROWD - 5}
    assert_invariants(play.parts)


def test_the_same_message_in_one_group_counts_once(play: Play) -> None:
    first, same = of(play, "7000"), of(play, "7001")
    receipts = receive_behind_one(play, [first, same, same, same])
    assert sum(one.new for one in receipts if isinstance(one, Receipt)) == 2
    assert sum(one.duplicates for one in receipts if isinstance(one, Receipt)) == 2
    assert play.states() == {"held": 2}


def test_one_that_breaks_does_not_break_the_others(play: Play) -> None:
    broken = of(play, "7009", UNFIT)
    receipts = receive_behind_one(play, [of(play, "7000"), of(play, "7001"), broken, of(play, "7002")])
    assert [isinstance(one, Receipt) for one in receipts] == [True, True, False, True]
    assert play.states() == {"held": 3}
    assert_invariants(play.parts)


def test_a_body_that_breaks_its_reader_is_the_trouble_of_its_own_request(play: Play) -> None:
    def broken() -> Delivery:
        raise ValueError("of our reader")

    reads = [partial(of, play, "7000"), partial(of, play, "7001"), broken, partial(of, play, "7002")]
    receipts = receive_read_behind_one(play, reads)

    assert [type(one) for one in receipts] == [Receipt, Receipt, ValueError, Receipt]
    assert play.states() == {"held": 3}


def test_alone_a_broken_body_leaves_the_lead_to_the_next(play: Play) -> None:
    together = Together(play.parts)
    with pytest.raises(ZeroDivisionError):
        together.receive(lambda: Delivery(str(1 // 0)), Signed(), play.clock())

    assert together.receive(partial(of, play, "7000"), Signed(), play.clock()).new == 1


def test_without_the_ledger_everybody_is_told(play: Play) -> None:
    together = Together(replace(play.parts, ledger=dead_ledger()))

    def deliver(number: int) -> bool:
        try:
            together.receive(partial(of, play, f"7{number:03d}"), Signed(), play.clock())
        except LedgerUnavailable:
            return True
        return False

    assert at_once(CROWD, deliver) == [True] * CROWD


def test_alone_nobody_is_waited_for(play: Play) -> None:
    together = Together(play.parts)
    receipts = [
        together.receive(partial(of, play, f"7{number:03d}"), Signed(), play.clock()) for number in range(3)
    ]
    assert [one.new for one in receipts] == [1, 1, 1]
