"""What runs in a benchmark? A ledger, a Redis of our own, and our real processes, each on its core."""

import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claimbot.core.brands import Account, Brand
from claimbot.core.drops import Drop
from claimbot.flows.reconcile import rebuild_gate
from claimbot.flows.verify import verify
from claimbot.parts import Parts, make_parts
from claimbot.settings import Settings
from claimbot.stock import server
from tests.bench.cores import pin
from tests.bench.ground import Ground
from tests.builders import make_drop
from tests.e2e.machine import command, environment
from tests.faults.site import answers, seed, until, values_for
from tests.ledgers import TEMPLATE, sqlite_url

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Site:
    """A web process that answers: the address of its webhook, and the process."""

    url: str
    pid: int


class PromiseBroken(Exception):
    """A fast answer that breaks a promise is worth nothing."""


@dataclass
class Stand:
    """`core` is where our own processes run; None: wherever they like."""

    ground: Ground
    folder: Path
    port: int
    values: dict[str, str]
    parts: Parts
    brand: Brand
    core: int | None
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def account(self) -> Account:
        return next(iter(self.parts.catalog().accounts.values()))

    def drop(self, word: str, stock_units: int, **changes: Any) -> Drop:
        """An open drop whose gate is loaded, as after `claimbot drop open`."""
        drop = make_drop(self.parts.ledger, self.brand, (word,), stock_units, name=word, **changes)
        self.parts.catalog(is_fresh=True)
        rebuild_gate(self.parts, drop.id)
        return drop

    def start_web(self, **more: str) -> Site:
        """Once it answers. Several may run, each on a port of its own."""
        port = self.ground.new_port() if "web" in self.running else self.port
        name = "web" if port == self.port else f"web{port}"
        self.start(name, "web", PORT=str(port), **more)
        until(lambda: answers(f"http://127.0.0.1:{port}/readyz"))
        return Site(f"http://127.0.0.1:{port}/webhooks/meta", self.running[name].pid)

    def start(self, name: str, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        told = command(*(arguments or (name,)))
        environ = environment(**{**self.values, **more})
        process = start_process(self.folder / f"{name}.log", told, environ, self.folder)
        pin(process.pid, self.core)
        self.running[name] = process
        return process

    def end(self, name: str) -> None:
        end_process(self.running.pop(name))

    def check(self, is_at_rest: bool = False) -> None:
        """`claimbot verify`. Raises PromiseBroken."""
        breaches = [breach for one in verify(self.parts, is_at_rest) for breach in one.breaches]
        if breaches:
            raise PromiseBroken(f"{len(breaches)} breaches, the first: {breaches[0]}")


def start_process(
    log: Path, told: list[str], environ: dict[str, str], folder: Path
) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            told, env=environ, cwd=folder, stdout=output, stderr=output, start_new_session=True
        )


def end_process(process: subprocess.Popen[bytes]) -> None:
    """In order; whoever is still there after that is killed with its group, which is ours alone."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)


def new_database(ground: Ground, database: str, folder: Path) -> str:
    """The URL of a migrated, empty ledger."""
    if database == "sqlite":
        path = folder / "claimbot.db"
        shutil.copyfile(ground.migrated, path)
        return sqlite_url(path)
    return ground.postgres.create(f"bench_{uuid.uuid4().hex[:12]}", TEMPLATE)


@contextmanager
def running_stand(ground: Ground, database: str, is_pinned: bool = True, **more: str) -> Iterator[Stand]:
    """Nothing of ours runs yet: start what is to be measured. `more` are settings."""
    folder = ground.new_folder(database)
    core = ground.cores.server if is_pinned else None
    beside = ground.cores.client if is_pinned else None
    with ExitStack() as stack:
        redis_url = stack.enter_context(running_redis(ground, folder / "redis", beside))
        port = ground.new_port()
        # The world takes the next port, as under `claimbot up`.
        urls = (f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}")
        values = values_for(folder, *urls) | {
            "DATABASE_URL": new_database(ground, database, folder),
            "REDIS_URL": redis_url,
            "LOG_LEVEL": "INFO",
            **more,
        }
        parts = make_parts(Settings.from_mapping(values))
        stack.callback(parts.close)
        stand = Stand(ground, folder, port, values, parts, seed(parts), core)
        try:
            yield stand
        finally:
            for name in list(stand.running):
                stand.end(name)


@contextmanager
def running_redis(ground: Ground, folder: Path, core: int | None) -> Iterator[str]:
    """The embedded one, as `claimbot up` runs it: every change is on disk before it answers."""
    folder.mkdir(exist_ok=True)
    running = server.start(folder)
    pin(running.process.pid, core)
    try:
        yield running.url
    finally:
        running.stop()


@contextmanager
def running_floor(
    ground: Ground, kind: str, core: int | None, processes: int = 1, **more: str
) -> Iterator[Site]:
    """A floor, once it answers."""
    port = ground.new_port()
    told = [sys.executable, "-m", "tests.bench.floors", kind, str(port), str(processes)]
    log = ground.folder / f"floor-{kind}.log"
    process = start_process(log, told, environment(**more), ROOT)
    pin(process.pid, core)
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}/healthz"))
        yield Site(f"http://127.0.0.1:{port}/webhooks/meta", process.pid)
    finally:
        end_process(process)
