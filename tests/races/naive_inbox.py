"""How would one message count twice? Look whether it is known, then act: wrong for two at once."""

import threading
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from claimbot.db.inbox import Arrival, Ending, find_known_keys, insert_events


class NaiveLook:
    """Looks once, before the transaction, and believes it to the end; two look before one of them acts."""

    def __init__(self) -> None:
        self._both_have_looked = threading.Barrier(2)
        self._mine = threading.local()

    def __call__(self, tx: Connection, keys: Sequence[str]) -> set[str]:
        if not hasattr(self._mine, "known"):
            self._mine.known = find_known_keys(tx, keys)
            self._both_have_looked.wait(30)
        known: set[str] = self._mine.known
        return known


def insert_anyway(tx: Connection, events: Iterable[tuple[Arrival, Ending]]) -> None:
    """What was not there at the look is new; a unique key does not get a say."""
    kept = list(events)
    known = find_known_keys(tx, [arrival.event_key for arrival, _ in kept])
    insert_events(tx, [one for one in kept if one[0].event_key not in known])
