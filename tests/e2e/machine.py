"""What does a test start? The real `claimbot up`, in its own folder, on free ports, spoken to over HTTP."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

# Two busy cores start six processes.
READY_SECONDS = 40.0
STOP_SECONDS = 30.0
PATIENCE_SECONDS = 15.0
PORTS = range(23_000, 29_000, 2)


def free_port() -> int:
    """This one and the next are free."""
    start = os.getpid() * 2 % len(PORTS)
    return next(port for port in [*PORTS[start:], *PORTS[:start]] if is_free(port) and is_free(port + 1))


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "claimbot.cli", *arguments]


def environment(**more: str) -> dict[str, str]:
    """Nothing of the machine's own settings."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **more}


@dataclass(frozen=True)
class Machine:
    """A running `up`; `port` is the engine's, the sandbox has the next one."""

    folder: Path
    port: int
    process: subprocess.Popen[str]
    sandbox: httpx.Client

    @property
    def engine_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def api(self, path: str, **body: Any) -> Any:
        answer = self.sandbox.post(f"/api{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def dm(self, who: str, text: str) -> None:
        assert self.api("/dm", follower=who, text=text)["status"] == 200

    def phone(self, who: str) -> list[dict[str, Any]]:
        found = self.sandbox.get(f"/api/followers/{who}/messages").json()
        return [one for one in found if one["direction"] == "out"]

    def hears(self, who: str, part: str) -> dict[str, Any]:
        """The newest message of the brand with these words, once it is there."""
        return until(lambda: next((one for one in self.phone(who)[::-1] if part in one["text"]), None))

    def pay(self, link: str) -> None:
        self.api(f"/stripe/sessions/{link.rpartition('/')[2]}/pay")

    def sql(self, statement: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(self.folder / "claimbot.db", timeout=10)) as file, file:
            return file.execute(statement, values).fetchall()

    def run(self, *arguments: str, seconds: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Another command, in another terminal."""
        return subprocess.run(
            command(*arguments),
            env=environment(DATA_DIR=str(self.folder)),
            cwd=self.folder.parent,
            capture_output=True,
            text=True,
            timeout=seconds,
        )

    def children(self) -> set[int]:
        """Every process below `up`."""
        return _below(self.process.pid)


def _below(pid: int) -> set[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    found: set[int] = set()
    fresh = {pid}
    while fresh:
        fresh = {child for child, parent in pairs if parent in fresh}
        found |= fresh
    return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_ready(machine: Machine) -> bool:
    try:
        return httpx.get(f"{machine.engine_url}/readyz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def until(look: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """The first answer that is not empty."""
    ends_at = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < ends_at, "it did not happen"
        time.sleep(0.05)
    return found


@contextmanager
def running_up(folder: Path, *arguments: str) -> Iterator[Machine]:
    """Ready when it begins; ended with Ctrl-C."""
    port = free_port()
    process = subprocess.Popen(
        command("up", "--port", str(port), "--data-dir", str(folder), *arguments),
        env=environment(),
        cwd=folder.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        wait_for_banner(process)
        with httpx.Client(base_url=f"http://127.0.0.1:{port + 1}", trust_env=False, timeout=20.0) as sandbox:
            yield Machine(folder, port, process, sandbox)
    finally:
        stop(process)


def wait_for_banner(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    ends_at = time.monotonic() + READY_SECONDS
    said = []
    for line in process.stdout:
        said.append(line)
        if "claimbot is ready" in line:
            return
        assert time.monotonic() < ends_at, "".join(said)
    raise AssertionError("".join(said))


def stop(process: subprocess.Popen[str]) -> int:
    """Ctrl-C; the exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
    return process.returncode


def kill_and_wait_for_the_next(machine: Machine, name: str) -> None:
    """supervisord starts another one."""
    pid = pid_of(machine, name)
    os.kill(pid, signal.SIGKILL)
    until(lambda: pid_of(machine, name) not in (pid, 0))


def pid_of(machine: Machine, name: str) -> int:
    """As supervisord wrote it down last."""
    log = (machine.folder / "logs" / "supervisord.log").read_text("utf-8")
    found = re.findall(rf"spawned: '{name}' with pid (\d+)", log)
    return int(found[-1]) if found else 0
