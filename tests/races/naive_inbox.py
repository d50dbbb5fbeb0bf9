"""How would one message count twice? Look whether it is known, then act: wrong for two at once."""

import threading
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from claimbot.db.inbox import Arrival, find_known_keys, insert_new


def look_naively(both_have_looked: threading.Barrier, tx: Connection, keys: Sequence[str]) -> set[str]:
    """Two look before one of them acts."""
    known = find_known_keys(tx, keys)
    both_have_looked.wait(30)
    return known


def always_new(tx: Connection, arrivals: Iterable[Arrival]) -> set[str]:
    """What was not there at the look is new; a unique key does not get a say."""
    kept = list(arrivals)
    insert_new(tx, kept)
    return {arrival.event_key for arrival in kept}
