"""Which processes does a rehearsal end or stop? Those of `claimbot up` on this data folder, and no others."""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from claimbot.cli.storm_strikes import Check, Mend, Strike, Target
from claimbot.core.errors import Refused

PROC = Path("/proc")


def signalled(number: signal.Signals, *names: str) -> Strike:
    """supervisord starts another; one that is being started just now is spared."""

    def strike(at: Target, _: float) -> None:
        _signal(_find(at, names), number)

    return strike


def frozen(name: str) -> Strike:
    """It stands still, with everything that it holds, until it is mended."""

    def strike(at: Target, _: float) -> Mend:
        pids = _find(at, (name,))
        _signal(pids, signal.SIGSTOP)
        return lambda: _signal(pids, signal.SIGCONT)

    return strike


def running(*names: str) -> Check:
    """Refuses a rehearsal that could not end or stop them."""

    def check(at: Target) -> None:
        for name in names:
            pids_of(at.parts.settings.data_dir, name)

    return check


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _find(at: Target, names: Sequence[str]) -> list[int]:
    home = at.parts.settings.data_dir
    return [pid for name in names for pid in find_pids(home, name)]


def pids_of(data_dir: Path, name: str) -> list[int]:
    """Raises Refused where processes cannot be looked up, or when there is none."""
    if sys.platform != "linux":
        raise Refused("--fault: processes are looked up in /proc, which only Linux has; choose another fault")
    found = find_pids(data_dir, name)
    if not found:
        raise Refused(f"--fault: no {name} runs on {data_dir}; start everything: claimbot up")
    return found


def find_pids(data_dir: Path, name: str) -> list[int]:
    home = data_dir.resolve()
    is_it = _is_redis if name == "redis" else _is_ours
    return [int(folder.name) for folder in PROC.glob("[0-9]*") if is_it(folder, home, name)]


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
