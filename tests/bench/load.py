"""Who posts the DMs? wrk where it is on the PATH, else a small client of our own; both end by themselves."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.cores import pin

REPLAY = Path(__file__).parent / "replay.lua"
# What a client needs beyond its time: reading its bodies, and the last answers.
GRACE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Storm:
    """Signed bodies in a file, one line each. `is_cycle`: begin again at the end, which makes duplicates."""

    url: str
    path: Path
    connections: int
    seconds: float
    is_cycle: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """What came back. `refused`: answered, but not with 200. `lost`: not answered at all."""

    posts: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int
    lost: int

    @property
    def per_second(self) -> float:
        return self.posts / self.seconds


class LoadFailed(Exception):
    """A figure of posts that were refused would be no figure."""


def client_words() -> str:
    return "wrk" if shutil.which("wrk") else "the bench's own client (no wrk on the PATH)"


def throw(storm: Storm, core: int | None) -> Load:
    """Raises LoadFailed when anything but 200 came back. `core` None: wherever it likes."""
    command = _wrk(storm) if shutil.which("wrk") else _own(storm)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    pin(process.pid, core)
    try:
        output, _ = process.communicate(timeout=storm.seconds + GRACE_SECONDS)
    finally:
        process.kill()
    return _read(output)


def _wrk(storm: Storm) -> Sequence[str]:
    # It counts its time in whole seconds; the file of bodies bounds a shorter one.
    seconds = max(1, round(storm.seconds))
    options = ("-t1", f"-c{storm.connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(REPLAY))
    return ("wrk", *options, storm.url, "--", str(storm.path), "cycle" if storm.is_cycle else "once")


def _own(storm: Storm) -> Sequence[str]:
    told = (storm.url, str(storm.path), str(storm.connections), str(storm.seconds))
    return (sys.executable, "-m", "tests.bench.client", *told, "cycle" if storm.is_cycle else "once")


def _read(output: str) -> Load:
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if not lines:
        raise LoadFailed(f"the load client said nothing: {output.strip()[-300:]}")
    load = Load(**json.loads(lines[-1]))
    if load.refused or not load.posts:
        raise LoadFailed(f"{load.posts} posts, {load.refused} of them refused, {load.lost} lost")
    return load


def write_bodies(path: Path, lines: Sequence[bytes]) -> Path:
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path
