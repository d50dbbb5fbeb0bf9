"""What does every part of the world stand on? The clock, the faults, the shelf, the way to the engine."""

import threading
import time
from dataclasses import dataclass, field

from claimbot.sandbox.clock import WorldClock
from claimbot.sandbox.counters import Counters
from claimbot.sandbox.deliveries import Deliveries
from claimbot.sandbox.faults import Faults
from claimbot.sandbox.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Ground:
    clock: WorldClock
    counters: Counters
    faults: Faults
    shelf: Shelf
    deliveries: Deliveries
    stopped: threading.Event = field(default_factory=threading.Event)


def make_ground(shelf: Shelf, stamps_by_world_clock: bool = False) -> Ground:
    """The clock stands where the last world left it."""
    clock = WorldClock(dict(shelf.records("clock")).get("offset", {}).get("seconds", 0.0))
    counters, faults = Counters(), Faults()
    stamp = clock.seconds if stamps_by_world_clock else time.time
    return Ground(clock, counters, faults, shelf, Deliveries(clock, faults, counters, stamp))
