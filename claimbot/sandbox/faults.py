"""Which misbehaviour was asked for, and how often is it still to happen?"""

import threading
from dataclasses import asdict, dataclass, replace
from typing import Any

GRAPH_FAULTS = frozenset(
    """timeout_after_accept error_500_after_accept code_1_after_accept slow reset error_500
    rate_613 token_190 blocked_551 window_2018278
    echo_none echo_before_answer echo_duplicate echo_late wrong_signature webhook_drop unsubscribed""".split()
)
STRIPE_FAULTS = frozenset(
    """timeout_after_accept error_500_after_accept error_500 rate_429 lock_timeout_429 slow reset webhook_drop
    webhook_duplicate webhook_two_ids webhook_reorder expire_says_complete refund_pending refund_failed
    paid_at_expire""".split()
)
KNOWN = {"graph": GRAPH_FAULTS, "stripe": STRIPE_FAULTS}

# How long the slow ones take when the request does not say: longer than the engine's read timeout (10 s) for
# a timeout, shorter for a slow answer.
DELAYS_SECONDS = {"timeout_after_accept": 15.0, "slow": 3.0, "echo_late": 30.0, "webhook_reorder": 2.0}


@dataclass(frozen=True, slots=True)
class Fault:
    target: str
    fault: str
    times: int = 1
    delay_seconds: float = 0.0
    percent: int = 100
    """How many of the chances it takes, evenly spread."""
    gathered: int = 0
    """Percents of the chances that it let pass."""


class Faults:
    """A list that shrinks by use. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[Fault] = []

    def arm(
        self,
        target: str,
        fault: str,
        times: int = 1,
        delay_seconds: float | None = None,
        percent: int = 100,
    ) -> Fault:
        """Raises ValueError when there is no such fault."""
        if fault not in KNOWN.get(target, ()):
            raise ValueError("unknown_fault")
        if times < 1:
            raise ValueError("times_below_one")
        if not 1 <= percent <= 100:
            raise ValueError("bad_percent")
        delay = DELAYS_SECONDS.get(fault, 0.0) if delay_seconds is None else delay_seconds
        armed = Fault(target, fault, times, delay, percent)
        with self._lock:
            self._armed.append(armed)
        return armed

    def take(self, target: str, *names: str) -> Fault | None:
        """The oldest armed fault among `names`; it counts as having happened."""
        if not self._armed:
            return None
        with self._lock:
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
            return [_shown(armed) for armed in self._armed]

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()


def _shown(armed: Fault) -> dict[str, Any]:
    return {name: value for name, value in asdict(armed).items() if name != "gathered"}
