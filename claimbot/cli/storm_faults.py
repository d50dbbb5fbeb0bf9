"""What may break during a rehearsal? Each fault has a name, strikes at its moments, and ends with it."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from signal import SIGKILL, SIGTERM
from types import MappingProxyType

import httpx

from claimbot.cli.storm_processes import frozen, running, signalled
from claimbot.cli.storm_strikes import (
    Check,
    Mend,
    Strike,
    Target,
    armed,
    lock_ledger,
    revoke_tokens,
    unsubscribe,
    wipe_gate,
)
from claimbot.core.errors import ClaimbotError

# What is slow still answers within every time limit of ours.
SLOW_SECONDS = 2.0
# Longer than the time limit of a call outside, so that some calls run into it.
OUTAGE_SECONDS = 20.0
# Redis is waited for 0.25 s, a writer of SQLite 5 s; after that the engine does without.
PAUSE_SECONDS = 10.0
# A lease is 30 s: what the worker held is another's by then.
FROZEN_SECONDS = 40.0


def anywhere(_: Target) -> None:
    """Nothing keeps this fault from striking."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`moments` are percents of the words written; it lasts `seconds`, or as long as the rehearsal."""

    about: str
    strike: Strike
    moments: tuple[int, ...] = (0,)
    seconds: float = 0.0
    check: Check = anywhere
    """Raises Refused when it cannot strike here."""
    loses_news: bool = False
    """Payments are found by asking Stripe."""
    loses_words: bool = False
    """Words that nobody told us of are found in the conversations."""


def _killed(about: str, *names: str) -> Fault:
    return Fault(f"kill -9 of {about}, twice", signalled(SIGKILL, *names), (30, 70), check=running(*names))


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "redis-wiped": Fault("the gate forgets everything, three times", wipe_gate, (25, 50, 75)),
        "redis-killed": Fault(
            "kill -9 of the embedded Redis", signalled(SIGKILL, "redis"), (50,), check=running("redis")
        ),
        "redis-paused": Fault(
            "the embedded Redis answers nothing", frozen("redis"), (40,), PAUSE_SECONDS, running("redis")
        ),
        "ledger-locked": Fault("nobody can write to SQL", lock_ledger, (40,), PAUSE_SECONDS),
        "web-killed": _killed("the web process", "web"),
        "worker-killed": _killed("the worker", "worker"),
        "worker-frozen": Fault(
            "the worker stands still past its lease",
            frozen("worker"),
            (30,),
            FROZEN_SECONDS,
            running("worker"),
        ),
        "clock-killed": _killed("the clock", "clock"),
        "power-cut": _killed("web, worker, clock and Redis at once", "web", "worker", "clock", "redis"),
        "deployed": Fault(
            "web, worker and clock are told to end and started again, twice",
            signalled(SIGTERM, "web", "worker", "clock"),
            (30, 70),
            check=running("web", "worker", "clock"),
        ),
        "stripe-busy": Fault("Stripe refuses the next 20 calls", armed("stripe", "rate_429", 20)),
        "stripe-broken": Fault(
            "Stripe carries out 5 calls and says 500", armed("stripe", "error_500_after_accept", 5)
        ),
        "stripe-slow": Fault(
            "each call of Stripe takes 2 s", armed("stripe", "slow", delay_seconds=SLOW_SECONDS)
        ),
        "stripe-black-hole": Fault(
            "Stripe swallows every call", armed("stripe", "black_hole"), (20,), OUTAGE_SECONDS
        ),
        "stripe-reset": Fault(
            "Stripe cuts every connection", armed("stripe", "reset"), (20,), OUTAGE_SECONDS
        ),
        "webhooks-lost": Fault(
            "no webhook of Stripe arrives", armed("stripe", "webhook_drop"), loses_news=True
        ),
        "webhooks-twice": Fault("each webhook of Stripe comes twice", armed("stripe", "webhook_duplicate")),
        "webhooks-reordered": Fault(
            "webhooks of Stripe overtake each other", armed("stripe", "webhook_reorder")
        ),
        "messages-lost": Fault(
            "the platform does not tell us one word in ten",
            armed("graph", "message_drop", percent=10),
            loses_words=True,
        ),
        "messages-forged": Fault(
            "20 webhooks of the platform have a wrong signature", armed("graph", "wrong_signature", 20)
        ),
        "unsubscribed": Fault(
            "the platform takes us off the account and tells us nothing more",
            unsubscribe,
            (50,),
            loses_words=True,
        ),
        "token-expired": Fault(
            "the account's token is refused, until it is connected again",
            revoke_tokens,
            (30,),
            OUTAGE_SECONDS,
        ),
        "platform-busy": Fault("the platform refuses 20 messages", armed("graph", "rate_613", 20)),
        "platform-slow": Fault(
            "each message takes the platform 2 s", armed("graph", "slow", delay_seconds=SLOW_SECONDS)
        ),
        "platform-black-hole": Fault(
            "the platform swallows every call", armed("graph", "black_hole"), (20,), OUTAGE_SECONDS
        ),
        "platform-reset": Fault(
            "the platform cuts every connection", armed("graph", "reset_all"), (20,), OUTAGE_SECONDS
        ),
        "answers-lost": Fault(
            "20 messages arrive, and the platform says 500", armed("graph", "error_500_after_accept", 20)
        ),
        "echoes-twice": Fault("each echo comes twice", armed("graph", "echo_duplicate")),
    }
)


def list_faults() -> str:
    """A line for each."""
    return "\n".join(f"  {name:<20} {_told(fault)}" for name, fault in FAULTS.items())


def _told(fault: Fault) -> str:
    return f"{fault.about}, for {fault.seconds:.0f} s" if fault.seconds else fault.about


class Mending:
    """Makes whole what one fault broke, once: when its time is over, or when the rehearsal ends."""

    def __init__(self, mend: Mend | None, seconds: float) -> None:
        self._mend = mend
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._try) if seconds else None
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()

    def wait(self) -> None:
        """Until its time is over."""
        if self._timer is not None:
            self._timer.join()

    def end(self) -> None:
        """Now, if it was not mended yet."""
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            if self._mend is not None:
                self._mend()
                self._mend = None

    def _try(self) -> None:
        # What could not be mended now is mended, or told, at the end.
        with suppress(ClaimbotError, httpx.HTTPError):
            self.end()


@dataclass
class Schedule:
    """Which faults strike after how many words. A context: whatever happens, the world works afterwards."""

    target: Target
    due: list[tuple[int, str]]
    seconds: float | None = None
    """For all that last for some seconds, instead of their own."""
    struck: list[str] = field(default_factory=list)
    mendings: list[Mending] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, target: Target, names: Sequence[str], words: int, seconds: float | None = None) -> "Schedule":
        """Raises Refused when one of them cannot strike here; then none does."""
        for name in names:
            FAULTS[name].check(target)
        due = [(words * moment // 100, name) for name in names for moment in FAULTS[name].moments]
        return cls(target, sorted(due), seconds)

    def __enter__(self) -> "Schedule":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def pass_by(self, written: int) -> None:
        """So many words are written: what is due strikes, once."""
        with self.lock:
            while self.due and self.due[0][0] <= written:
                self._strike(self.due.pop(0)[1])

    def _strike(self, name: str) -> None:
        fault = FAULTS[name]
        seconds = fault.seconds and (self.seconds or fault.seconds)
        self.mendings.append(Mending(fault.strike(self.target, seconds), seconds))
        self.struck.append(name)

    def wait(self) -> None:
        """Until everything that lasts for some seconds is over."""
        for one in self.mendings:
            one.wait()

    @property
    def loses_news(self) -> bool:
        return any(FAULTS[name].loses_news for name in self.struck)

    @property
    def loses_words(self) -> bool:
        return any(FAULTS[name].loses_words for name in self.struck)

    def end(self) -> None:
        """The world works again. What cannot be mended is raised after everything else was."""
        troubles: list[Exception] = []
        with self.lock:
            # Nothing strikes any more.
            self.due.clear()
        for one in self.mendings:
            try:
                one.end()
            except (ClaimbotError, httpx.HTTPError) as trouble:
                troubles.append(trouble)
        if troubles:
            raise troubles[0]
