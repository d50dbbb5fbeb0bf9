"""Where may a story be interrupted? At every place where it touches SQL, Redis or the outside.

A story is run until it reaches its n-th place. There it dies, or waits while other stories run from their
beginning to their end. Two threads hand over to each other, so that only one of them ever moves.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from claimbot.flows.propose import rebuild_lock

# A hand-over that takes longer than this is a deadlock of ours.
PATIENCE_SECONDS = 20.0

Story = Callable[[], None]


class Killed(BaseException):
    """The process died here: nothing of it runs after this place, not even an `except`."""


class Breach(AssertionError):
    """A promise was broken, or the code broke; the text says which."""


@dataclass
class Visit:
    """One run of a story: `act` happens at its n-th place."""

    at: int
    act: Story
    may_wait: bool
    passed: list[str] = field(default_factory=list)
    is_over: bool = False

    def reach(self, name: str, is_in_transaction: bool) -> None:
        self.passed.append(name)
        is_bad_place = self.may_wait and (is_in_transaction or rebuild_lock.locked())
        if self.is_over or len(self.passed) < self.at or is_bad_place:
            return
        self.is_over = True
        self.act()


class Points:
    """What every story of a simulation passes. The state of a story belongs to its thread."""

    def __init__(self) -> None:
        self._local = threading.local()

    def reach(self, name: str) -> None:
        visit: Visit | None = getattr(self._local, "visit", None)
        if visit is not None:
            visit.reach(name, self.transactions > 0)

    @property
    def transactions(self) -> int:
        """How many transactions this story has open."""
        return getattr(self._local, "transactions", 0)

    @transactions.setter
    def transactions(self, count: int) -> None:
        self._local.transactions = count

    @property
    def row_id(self) -> str:
        """The outbox row that this story works on."""
        return str(getattr(self._local, "row_id", ""))

    @row_id.setter
    def row_id(self, row_id: str) -> None:
        self._local.row_id = row_id

    def call_outside(self, name: str) -> None:
        """A call of Redis, Stripe or a platform begins. No transaction may wait for it (design §8)."""
        if self.transactions:
            raise Breach(f"a transaction was open while {name} was called")
        self.reach(name)

    def kill(self, story: Story, at: int) -> None:
        """Run the story; the process dies at its n-th place, if it gets there."""

        def die() -> None:
            raise Killed

        self._visit(story, Visit(at, die, may_wait=False))

    def meet(self, story: Story, at: int, rival: Story, is_killed: bool) -> None:
        """Run the story to its n-th place, then all of `rival`, then the rest, unless it dies there."""
        met, go_on = threading.Event(), threading.Event()
        troubles: list[BaseException] = []

        def pause() -> None:
            met.set()
            if not go_on.wait(PATIENCE_SECONDS):
                raise Breach("two stories wait for each other")
            if is_killed:
                raise Killed

        def run() -> None:
            try:
                self._visit(story, Visit(at, pause, may_wait=True))
            except BaseException as trouble:  # carried over to the thread that waits
                troubles.append(trouble)
            finally:
                met.set()

        thread = threading.Thread(target=run)
        thread.start()
        is_met = met.wait(PATIENCE_SECONDS)
        try:
            rival()
        finally:
            go_on.set()
            thread.join(PATIENCE_SECONDS)
        if troubles:
            raise troubles[0]
        if not is_met or thread.is_alive():
            raise Breach("two stories wait for each other")

    def _visit(self, story: Story, visit: Visit) -> None:
        self._local.visit = visit
        try:
            story()
        except Killed:
            self.transactions = 0
        finally:
            self._local.visit = None
