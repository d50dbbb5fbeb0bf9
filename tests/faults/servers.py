"""Which servers may a test end and start again? A PostgreSQL and a Redis that belong to it alone."""

import itertools
import os
import signal
import subprocess
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
from tests.ledgers import open_ledger

PATIENCE_SECONDS = 15.0
TEMPLATE = "migrated"


@dataclass
class Database:
    """Kept on disk; commits wait for the disk as in earnest."""

    server: PostgresServer
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @classmethod
    @contextmanager
    def running(cls) -> "Iterator[Database]":
        # A short folder: the path of a unix socket has room for about 100 bytes.
        folder = Path(tempfile.mkdtemp(prefix=f"pf{os.getpid()}-"))
        database = cls(pgserver.get_server(folder, cleanup_mode="delete"))
        try:
            database.server.psql(f'CREATE DATABASE "{TEMPLATE}";')
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
        os.kill(pid, number)
        _wait_until_gone(pid)

    def start(self) -> None:
        """Nothing when it runs. The processes of a killed one need a moment to notice."""
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.server.ensure_postgres_running()
            except subprocess.CalledProcessError:
                assert time.monotonic() < ends_at, "PostgreSQL did not start again"


def _wait_until_gone(pid: int) -> None:
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while Path(f"/proc/{pid}").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
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
