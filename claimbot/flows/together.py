"""How do many deliveries share one commit? Who comes while one is under way waits for the next, no longer.

The first that finds nobody at work leads: it takes everybody who waits, asks the gate once and commits once
for all, then hands the lead to the first of those who came meanwhile. Alone, a delivery waits for nobody.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from claimbot.core.errors import LedgerUnavailable, Outside
from claimbot.core.messages import Delivery
from claimbot.flows.receive import Parcel, Receipt, Signed, receive_all
from claimbot.parts import Parts

# Enough to spread the cost of a commit, and one delivery of a platform has as many at most: whoever takes
# the group beyond it is the last of it.
EVENTS_MOST = 1_000


# Who was just answered is about to send the next. Under load the next group waits for as many as the last
# had, but no longer than this part of the time that the last one took: alone, its first would cost a commit.
PATIENCE = 0.25
LOOK_SECONDS = 0.0002


def _locked() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(eq=False, slots=True)
class Ticket:
    """One delivery that waits: for its receipt, or for being the one who leads."""

    read: Callable[[], Delivery]
    signed: Signed
    received_at: datetime
    parcel: Parcel | None = None
    called: threading.Lock = field(default_factory=_locked)
    receipt: Receipt | None = None
    trouble: Exception | None = None

    @property
    def is_served(self) -> bool:
        return self.receipt is not None or self.trouble is not None

    def open(self) -> int:
        """Read the body. Returns how many events it holds; a body that breaks us is its own trouble."""
        try:
            self.parcel = Parcel(self.read(), self.signed, self.received_at)
        except Exception as trouble:  # a door for the others: its own thread raises it
            self.trouble = trouble
            return 0
        return len(self.parcel.delivery.events)


class Together:
    """Receives deliveries in groups. One for each process; its threads meet here."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._waiting: deque[Ticket] = deque()
        self._last_size = 0
        self._last_seconds = 0.0
        self.is_led = False

    @property
    def waiting(self) -> int:
        """How many wait for the commit under way to end."""
        with self._lock:
            return len(self._waiting)

    def receive(self, read: Callable[[], Delivery], signed: Signed, received_at: datetime) -> Receipt:
        """As `flows.receive`: returns after the commit. Raises what that raises, and what `read` raises."""
        mine = Ticket(read, signed, received_at)
        with self._lock:
            self._waiting.append(mine)
            is_first = not self.is_led
            self.is_led = True
        if not is_first:
            mine.called.acquire()
        if not mine.is_served:
            if not is_first:
                self._let_come()
            self._lead()
        if mine.trouble is not None:
            raise mine.trouble
        assert mine.receipt is not None  # who leads serves itself as well
        return mine.receipt

    def _lead(self) -> None:
        group = self._next_group()
        began_at = time.monotonic()
        try:
            self._serve([ticket for ticket in group if ticket.parcel is not None])
        finally:
            self._last_size, self._last_seconds = len(group), time.monotonic() - began_at
            for ticket in group:
                if not ticket.is_served:
                    ticket.trouble = LedgerUnavailable("the process is being stopped")
            self._hand_over()
            for ticket in group:
                ticket.called.release()

    def _let_come(self) -> None:
        """Only for who was handed the lead; after a group of one it ends at once."""
        ends_at = time.monotonic() + self._last_seconds * PATIENCE
        while self.waiting < self._last_size and time.monotonic() < ends_at:
            time.sleep(LOOK_SECONDS)

    def _next_group(self) -> list[Ticket]:
        """Those who wait, read, in the order in which they came; who leads is the first of them."""
        with self._lock:
            group = [self._waiting.popleft()]
        events = group[0].open()
        while events < EVENTS_MOST:
            with self._lock:
                if not self._waiting:
                    break
                ticket = self._waiting.popleft()
            group.append(ticket)
            events += ticket.open()
        return group

    def _hand_over(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting[0].called.release()
            else:
                self.is_led = False

    def _serve(self, group: Sequence[Ticket]) -> None:
        """What breaks a group may be the fault of one of them: the others are received without it."""
        if not group:
            return
        try:
            receipts = receive_all(self._parts, [ticket.parcel for ticket in group if ticket.parcel])
        except Outside as trouble:
            for ticket in group:
                ticket.trouble = trouble
        except (
            Exception
        ) as trouble:  # a door for the others: one delivery that breaks us must not cost theirs
            if len(group) == 1:
                group[0].trouble = trouble
                return
            for ticket in group:
                self._serve([ticket])
        else:
            for ticket, receipt in zip(group, receipts, strict=True):
                ticket.receipt = receipt
