"""Which misbehaviour was asked for, and how often is it still to happen?"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

GRAPH_FAULTS = frozenset(
    """timeout_after_accept error_500_after_accept code_1_after_accept slow reset error_500
    black_hole reset_all rate_613 token_190 blocked_551 window_2018278
    echo_none echo_before_answer echo_duplicate echo_late wrong_signature webhook_drop message_drop
    unsubscribed""".split()
)
STRIPE_FAULTS = frozenset(
    """timeout_after_accept error_500_after_accept error_500 rate_429 lock_timeout_429 slow reset black_hole
    webhook_drop webhook_duplicate webhook_two_ids webhook_reorder expire_says_complete
    refund_pending refund_failed paid_at_expire""".split()
)
KNOWN = {"graph": GRAPH_FAULTS, "stripe": STRIPE_FAULTS}

# How long the slow ones take when the request does not say: longer than the engine's read timeout (10 s) for
# a timeout, shorter for a slow answer.
DELAYS_SECONDS = {
    "timeout_after_accept": 15.0,
    "black_hole": 15.0,
    "slow": 3.0,
    "echo_late": 30.0,
    "webhook_reorder": 2.0,
}


@dataclass(frozen=True, slots=True)
class Fault:
    target: str
    fault: str
    times: int = 1
    delay_seconds: float = 0.0
    percent: int = 100
    """How many of the chances it takes, evenly spread."""
    for_seconds: float = math.inf
    """It ends by itself after so long, whoever armed it is still there or not."""
    armed_at: float = 0.0
    gathered: int = 0
    """Percents of the chances that it let pass."""


class Faults:
    """A list that shrinks by use. Safe to use from many threads."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._armed: list[Fault] = []

    def arm(self, fault: Fault) -> None:
        """Raises ValueError when there is no such fault."""
        if fault.fault not in KNOWN.get(fault.target, ()):
            raise ValueError("unknown_fault")
        if fault.times < 1:
            raise ValueError("times_below_one")
        if not 1 <= fault.percent <= 100:
            raise ValueError("bad_percent")
        if fault.for_seconds <= 0:
            raise ValueError("bad_for_seconds")
        with self._lock:
            self._armed.append(replace(fault, armed_at=self._now()))

    def take(self, target: str, *names: str) -> Fault | None:
        """The oldest armed fault among `names`; it counts as having happened."""
        if not self._armed:
            return None
        with self._lock:
            self._forget_what_is_over()
            for place, armed in enumerate(self._armed):
                if armed.target != target or armed.fault not in names:
                    continue
                gathered = armed.gathered + armed.percent
                if gathered < 100:
                    self._armed[place] = replace(armed, gathered=gathered)
                    continue
                if armed.times == 1:
                    del self._armed[place]
                else:
                    self._armed[place] = replace(armed, times=armed.times - 1, gathered=gathered - 100)
                return armed
        return None

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            self._forget_what_is_over()
            return [_shown(armed) for armed in self._armed]

    def clear(self, target: str = "", fault: str = "") -> None:
        """All of them; or those of one target, or of one name there."""
        with self._lock:
            self._armed = [
                one
                for one in self._armed
                if (target and one.target != target) or (fault and one.fault != fault)
            ]

    def _forget_what_is_over(self) -> None:
        now = self._now()
        self._armed = [one for one in self._armed if now - one.armed_at < one.for_seconds]


def _shown(armed: Fault) -> dict[str, Any]:
    """What was asked for; JSON has no word for "for ever"."""
    own = {"gathered", "armed_at", *(["for_seconds"] if math.isinf(armed.for_seconds) else [])}
    return {name: value for name, value in asdict(armed).items() if name not in own}
