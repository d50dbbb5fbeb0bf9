"""Which servers may a test end and start again? A PostgreSQL and a Redis that belong to it alone."""

import itertools
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pgserver
from pgserver.postgres_server import PostgresServer
from sqlalchemy import make_url

from claimbot.db.migrate import upgrade
from claimbot.stock import server
from claimbot.stock.server import RunningServer
from tests.faults.lines import postgres_socket
from tests.ledgers import open_ledger

PATIENCE_SECONDS = 15.0
TEMPLATE = "migrated"
# A kill leaves to the kernel what was written; only what a commit did not wait for would be lost.
KERNEL_IS_ENOUGH = ("fsync", "full_page_writes")


@dataclass
class Database:
    """A killed process loses nothing that the kernel has; only the wait for the disk is left out."""

    server: PostgresServer
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @classmethod
    @contextmanager
    def running(cls) -> "Iterator[Database]":
        # A short folder: the path of a unix socket has room for about 100 bytes.
        folder = Path(tempfile.mkdtemp(prefix=f"pf{os.getpid()}-"))
        database = cls(pgserver.get_server(folder, cleanup_mode="delete"))
        try:
            for setting in KERNEL_IS_ENOUGH:
                database.server.psql(f"ALTER SYSTEM SET {setting} = off;")
            database.server.psql(f'SELECT pg_reload_conf(); CREATE DATABASE "{TEMPLATE}";')
            with open_ledger(database.url(TEMPLATE)) as ledger:
                upgrade(ledger)
            yield database
        finally:
            database.start()
            database.server.cleanup()

    def url(self, name: str) -> str:
        return make_url(self.server.get_uri()).set(database=name).render_as_string(hide_password=False)

    def fresh(self) -> str:
        """The address of a new database with our tables."""
        name = f"faults_{next(self.numbers)}"
        self.server.psql(f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}";')
        return self.url(name)

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """SIGKILL is a crash, SIGINT a fast shutdown in order."""
        pid = self.server.get_pid()
        assert pid is not None
        with_it = [pid, *_children(pid)]
        os.kill(pid, number)
        for one in with_it:
            _wait_until_gone(one)
        # Where nobody reaps orphans the dead process keeps its number, and a start would believe it alive.
        (self.server.pgdata / "postmaster.pid").unlink(missing_ok=True)
        Path(f"{postgres_socket(self.server.get_uri())}.lock").unlink(missing_ok=True)

    def start(self) -> None:
        """Nothing when it runs."""
        if not (self.server.pgdata / "postmaster.pid").exists():
            self.server.ensure_postgres_running()


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_there(pid: int) -> bool:
    """A dead process that nobody reaped has no memory map."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except (FileNotFoundError, ProcessLookupError):
        return False


def _wait_until_gone(pid: int) -> None:
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while is_there(pid):
        assert time.monotonic() < ends_at, "the server did not end"
        time.sleep(0.01)


@dataclass
class RedisProcess:
    """Our own server with our own configuration: every write is on disk before it is answered."""

    folder: Path
    process: RunningServer

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> "Iterator[RedisProcess]":
        redis = cls(folder, server.start(folder))
        try:
            yield redis
        finally:
            redis.kill()

    @property
    def url(self) -> str:
        return self.process.url

    def kill(self) -> None:
        self.process.process.kill()
        self.process.process.wait(PATIENCE_SECONDS)
        self.process.lock.close()

    def start(self) -> None:
        self.process = server.start(self.folder)
