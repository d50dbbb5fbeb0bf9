"""How are our processes kept alive on one machine? supervisord restarts them; we watch what it says.

Only relative paths and names of environment variables stand in its configuration: a folder's name may hold
signs that mean something there, and secrets belong in no file and no list of processes.
"""

import ctypes
import os
import re
import shlex
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CONFIG = Path("run") / "supervisord.conf"
LOGS = Path("logs")
# Starts in this order and stops in the other: who sends goes before what it sends to.
PRIORITIES = {"redis": 1, "sandbox": 2, "web": 3, "worker": 3, "clock": 3, "rehearsals": 4}
# Longer than the worker's own limit for what it is sending.
STOP_SECONDS = 30
# Said once when a process ended this often: it will not mend itself.
RESTARTS_TOLD = 3
PR_SET_PDEATHSIG = 1

SUPERVISOR = """[supervisord]
nodaemon=true
silent=true
logfile=logs/supervisord.log
logfile_maxbytes=1MB
logfile_backups=1
pidfile=run/supervisord.pid
childlogdir=logs
"""
# Stopped together: one after the other costs supervisord a second each.
ENGINE = """
[group:engine]
programs=web,worker,clock
priority=3
"""
PROGRAM = """
[program:{name}]
command={command}
directory={directory}
priority={priority}
autorestart=true
startsecs=1
startretries=5
stopwaitsecs={stop_seconds}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile=logs/{name}.log
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=2
"""
EXITED = re.compile(r"exited: (\w+) \((.*); not expected\)|gave up: (\w+) (entered FATAL)")


@dataclass(frozen=True, slots=True)
class Program:
    """One process. `is_at_home`: runs in the data folder instead of where `up` was started."""

    name: str
    command: Sequence[str]
    is_at_home: bool = False


def our(*arguments: str) -> list[str]:
    """One of our own commands, run by this very Python."""
    return [sys.executable, "-m", *arguments]


def write_config(data_dir: Path, programs: Sequence[Program]) -> None:
    for folder in (data_dir / CONFIG.parent, data_dir / LOGS):
        folder.mkdir(exist_ok=True, mode=0o700)
    sections = (SUPERVISOR, ENGINE, *(_section(one) for one in programs))
    (data_dir / CONFIG).write_text("".join(sections), "utf-8")


def _section(program: Program) -> str:
    return PROGRAM.format(
        name=program.name,
        command=shlex.join(program.command).replace("%", "%%"),
        directory="%(ENV_CLAIMBOT_HOME)s" if program.is_at_home else "%(ENV_CLAIMBOT_STARTED_IN)s",
        priority=PRIORITIES[program.name],
        stop_seconds=STOP_SECONDS,
    )


@dataclass
class Supervisor:
    """The running supervisord; `tell` hears a sentence when a process keeps ending.

    It writes to a file that we follow: a pipe breaks when we are killed, and it with its processes unstopped.
    """

    process: subprocess.Popen[bytes]
    log: Path
    tell: Callable[[str], None]
    read_bytes: int = 0
    exits: Counter[str] = field(default_factory=Counter)
    has_given_up: bool = False

    def look(self) -> None:
        """What has it written since the last look? A shorter file is a new one."""
        size_bytes = self.log.stat().st_size if self.log.exists() else 0
        if size_bytes == self.read_bytes:
            return
        with self.log.open("rb") as file:
            file.seek(self.read_bytes if self.read_bytes < size_bytes else 0)
            *lines, rest = file.read().split(b"\n")
            self.read_bytes = file.tell() - len(rest)
        for line in lines:
            found = EXITED.search(line.decode("utf-8", "replace"))
            if found:
                self._note(found)

    def _note(self, found: re.Match[str]) -> None:
        name = found[1] or found[3]
        self.exits[name] += 1
        if found[4]:
            self.has_given_up = True
            self.tell(f"{name} does not start: see logs/{name}.log in the data folder")
        elif self.exits[name] == RESTARTS_TOLD:
            self.tell(
                f"{name} has ended {RESTARTS_TOLD} times and was restarted ({found[2]}): see logs/{name}.log"
            )

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        """Everything in order; what does not go by itself is killed by supervisord."""
        if self.is_running:
            self.process.terminate()
        try:
            self.process.wait(2 * STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)


def start(data_dir: Path, values: Mapping[str, str], tell: Callable[[str], None]) -> Supervisor:
    """`values` are the environment of every process."""
    here = {"CLAIMBOT_HOME": str(data_dir), "CLAIMBOT_STARTED_IN": str(Path.cwd())}
    # Its arguments are this Python and a file that we wrote.
    # A group of its own: Ctrl-C in a terminal reaches us, and we stop it.
    log = data_dir / LOGS / "supervisord.log"
    before_bytes = log.stat().st_size if log.exists() else 0
    with (data_dir / LOGS / "start.log").open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - see above
            our("supervisor.supervisord", "-c", str(CONFIG)),
            cwd=data_dir,
            env={**values, **here, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
            preexec_fn=_follow_parent(),
        )
    return Supervisor(process, log, tell, before_bytes)


def _follow_parent() -> Callable[[], None] | None:
    """What supervisord does before it starts; None where the system cannot."""
    if sys.platform != "linux":
        return None
    parent = os.getpid()

    def follow() -> None:
        die_with_parent()
        if os.getppid() != parent:
            os._exit(0)

    return follow


def die_with_parent() -> None:
    """On Linux the kernel sends us SIGTERM when the process that started us is gone, also by a kill."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
