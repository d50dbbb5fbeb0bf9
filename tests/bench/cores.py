"""Who runs on which core? The server on one, the load and everything beside it on another, where allowed."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cores:
    """`server` and `client` are numbers of cores; None where the system does not let us choose."""

    server: int | None
    client: int | None
    all: frozenset[int]

    @property
    def words(self) -> str:
        if self.server is None:
            return "server and client share the cores"
        return "server on one core, load client, Redis and PostgreSQL on another"


def find_cores() -> Cores:
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(allowed) < 2:
        return Cores(None, None, frozenset(allowed))
    return Cores(allowed[0], allowed[1], frozenset(allowed))


def pin(pid: int, core: int | None) -> None:
    """The process with every thread that it has; children and threads to come inherit it."""
    if core is not None:
        pin_to(pid, frozenset({core}))


def pin_to(pid: int, allowed: frozenset[int]) -> None:
    for thread in _threads(pid):
        with suppress(OSError):  # a thread that has just ended
            os.sched_setaffinity(thread, allowed)


def _threads(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task")
    return [int(one.name) for one in listed.iterdir()] if listed.is_dir() else [pid]


@contextmanager
def running_on(core: int | None) -> Iterator[None]:
    """This thread for a while, and what it starts meanwhile."""
    with _bound_to(frozenset() if core is None else frozenset({core})):
        yield


@contextmanager
def running_on_all(cores: Cores) -> Iterator[None]:
    with _bound_to(cores.all):
        yield


@contextmanager
def _bound_to(allowed: frozenset[int]) -> Iterator[None]:
    if not allowed or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, allowed)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def family_of(pid: int) -> list[int]:
    """The process and its children."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    children = listed.read_text("utf-8").split() if listed.is_file() else []
    return [pid, *map(int, children)]


def cpu_seconds(pid: int) -> float:
    """What the process and its children have used of the processor; 0 where the system does not say."""
    stats = [Path(f"/proc/{one}/stat") for one in family_of(pid)]
    # The name of a program, in brackets, may hold blanks; user and system time are fields 14 and 15.
    fields = [one.read_text("utf-8").rpartition(")")[2].split() for one in stats if one.is_file()]
    return sum(int(one[11]) + int(one[12]) for one in fields) / os.sysconf("SC_CLK_TCK")


def busy_before() -> float:
    """How many processes wanted a core during the last minute; others at work make every figure doubtful."""
    return round(os.getloadavg()[0], 1)


def machine_words(cores: Cores) -> str:
    """The shape of the machine, for the table."""
    memory_gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return (
        f"{len(cores.all) or os.cpu_count()} cores ({_processor()}), {memory_gib:.0f} GiB, "
        f"Python {platform.python_version()}, {platform.system()}"
    )


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text("utf-8").splitlines() if told.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
