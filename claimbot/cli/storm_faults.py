"""What may break during a rehearsal? Each fault has a name, strikes at its moments, and ends with it."""

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import httpx

from claimbot.core.errors import Refused, StockUnavailable
from claimbot.parts import Parts

PROC = Path("/proc")
# More often than any rehearsal calls outside: it is over when the storm is.
ALWAYS = 1_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """What a fault may touch: the engine's own connections, and the sandbox."""

    parts: Parts
    sandbox: httpx.Client
    drop_id: str


@dataclass(frozen=True, slots=True)
class Fault:
    """`moments` are percents of the words written; `loses_news`: payments are found by asking Stripe."""

    about: str
    strike: Callable[[Target], None]
    moments: tuple[int, ...] = (0,)
    loses_news: bool = False


def _armed(target: str, fault: str, times: int) -> Callable[[Target], None]:
    """A fault of the world itself; see POST /api/faults of the sandbox."""

    def strike(at: Target) -> None:
        at.sandbox.post("/api/faults", json={"target": target, "fault": fault, "times": times})

    return strike


def _wipe(at: Target) -> None:
    """A Redis that is away just then has nothing to forget."""
    with suppress(StockUnavailable):
        at.parts.gate.drop_keys(at.drop_id)


def _killed(name: str) -> Callable[[Target], None]:
    """kill -9 of one of the processes of `claimbot up` on this data folder; supervisord starts another."""

    def strike(at: Target) -> None:
        for pid in pids_of(at.parts.settings.data_dir, name):
            os.kill(pid, signal.SIGKILL)

    return strike


def pids_of(data_dir: Path, name: str) -> list[int]:
    """Raises Refused where processes cannot be looked up, or when there is none."""
    if sys.platform != "linux":
        raise Refused(f"--fault {name}-killed: processes are looked up in /proc, which only Linux has")
    home = data_dir.resolve()
    is_it = _is_redis if name == "redis" else _is_ours
    found = [int(folder.name) for folder in PROC.glob("[0-9]*") if is_it(folder, home, name)]
    if not found:
        raise Refused(f"--fault {name}-killed: no {name} runs on {data_dir}; start everything: claimbot up")
    return found


def _is_ours(folder: Path, home: Path, name: str) -> bool:
    try:
        words = (folder / "cmdline").read_bytes().split(b"\0")
        values = (folder / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return words[2:4] == [b"claimbot.cli", name.encode()] and f"CLAIMBOT_HOME={home}".encode() in values


def _is_redis(folder: Path, home: Path, _name: str) -> bool:
    """It writes its title over its environment; but it works in its own folder."""
    try:
        return (
            b"redis-server" in (folder / "cmdline").read_bytes()
            and (folder / "cwd").readlink() == home / "redis"
        )
    except OSError:
        return False


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "redis-wiped": Fault("the gate forgets everything, three times", _wipe, (25, 50, 75)),
        "web-killed": Fault("kill -9 of the web process, twice", _killed("web"), (30, 70)),
        "worker-killed": Fault("kill -9 of the worker, twice", _killed("worker"), (30, 70)),
        "clock-killed": Fault("kill -9 of the clock, twice", _killed("clock"), (30, 70)),
        "redis-killed": Fault("kill -9 of the embedded Redis", _killed("redis"), (50,)),
        "stripe-busy": Fault("Stripe refuses the next 20 calls", _armed("stripe", "rate_429", 20)),
        "stripe-broken": Fault(
            "Stripe carries out 5 calls and says 500", _armed("stripe", "error_500_after_accept", 5)
        ),
        "webhooks-lost": Fault(
            "no webhook of Stripe arrives", _armed("stripe", "webhook_drop", ALWAYS), loses_news=True
        ),
        "webhooks-twice": Fault("each comes twice", _armed("stripe", "webhook_duplicate", ALWAYS)),
        "webhooks-reordered": Fault("they overtake each other", _armed("stripe", "webhook_reorder", ALWAYS)),
        "platform-busy": Fault("the platform refuses 20 messages", _armed("graph", "rate_613", 20)),
        "answers-lost": Fault(
            "20 messages arrive, and the platform says 500", _armed("graph", "error_500_after_accept", 20)
        ),
        "echoes-twice": Fault("each echo comes twice", _armed("graph", "echo_duplicate", ALWAYS)),
    }
)


def list_faults() -> str:
    return "; ".join(f"{name}: {fault.about}" for name, fault in FAULTS.items())


@dataclass
class Schedule:
    """Which faults strike after how many words."""

    target: Target
    due: list[tuple[int, str]]
    struck: list[str]

    @classmethod
    def of(cls, target: Target, names: Sequence[str], words: int) -> "Schedule":
        due = [(words * moment // 100, name) for name in names for moment in FAULTS[name].moments]
        return cls(target, sorted(due), [])

    def pass_by(self, written: int) -> None:
        """So many words are written: what is due strikes, once. Called by one thread at a time."""
        while self.due and self.due[0][0] <= written:
            name = self.due.pop(0)[1]
            FAULTS[name].strike(self.target)
            self.struck.append(name)

    @property
    def loses_news(self) -> bool:
        return any(FAULTS[name].loses_news for name in self.struck)

    def end(self) -> None:
        """The world works again."""
        self.target.sandbox.delete("/api/faults")
