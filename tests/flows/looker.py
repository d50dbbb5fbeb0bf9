"""What does the clock do about messages that were lost? Its two chores, as often as a clock that is alive."""

import time
from dataclasses import dataclass, field

from claimbot.flows.catch_up import CatchUp
from tests.engine import Engine

# At the pace that the platform allows; more than this is a fault.
PATIENCE_SECONDS = 30.0


@dataclass
class Looker:
    engine: Engine
    catch_up: CatchUp = field(default_factory=CatchUp)

    def look(self) -> int:
        """Until nothing is left to be read; returns how many messages were found."""
        found = self.catch_up(self.engine.parts)
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while self.catch_up.looks.keys() - self.catch_up.rests.keys() and time.monotonic() < ends_at:
            time.sleep(0.05)
            found += self.catch_up(self.engine.parts)
        return found

    def wait(self, minutes: int) -> int:
        """Look once a minute."""
        found = 0
        for _ in range(minutes):
            self.engine.pass_time(minutes=1)
            self.engine.chore("fields")
            found += self.look()
        return found


def looking(engine: Engine) -> Looker:
    """It has looked at the account once: from now on something may be missing."""
    looker = Looker(engine)
    engine.chore("fields")
    assert looker.look() == 0
    return looker
