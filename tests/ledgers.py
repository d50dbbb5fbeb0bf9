"""Where do tests get a real ledger? A copy of a migrated one, on SQLite and on PostgreSQL."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pgserver
import psycopg
from sqlalchemy import make_url

from claimbot.db.engine import Ledger, make_engine
from claimbot.db.migrate import upgrade

TEMPLATE = "migrated"
# What a power cut would cost does not matter to a test, unless the test is about that.
FAST_SETTINGS = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass(frozen=True)
class Postgres:
    """A server of our own, on a unix socket, and a connection of its owner."""

    uri: str
    owner: psycopg.Connection

    def url(self, database: str) -> str:
        return make_url(self.uri).set(database=database).render_as_string(hide_password=False)

    def create(self, database: str, template: str = "template1") -> str:
        self.owner.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        self.owner.execute(f'DROP DATABASE "{database}" WITH (FORCE)')


@contextmanager
def running_postgres(is_fast: bool = False) -> Iterator[Postgres]:
    """A fresh PostgreSQL, gone afterwards. `is_fast` gives up durability."""
    # A short folder: the path of a unix socket has room for about 100 bytes.
    folder = Path(tempfile.mkdtemp(prefix=f"pg{os.getpid()}-"))
    server = pgserver.get_server(folder, cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as owner:
            for setting in FAST_SETTINGS if is_fast else ():
                owner.execute(f"ALTER SYSTEM SET {setting} = off")
            owner.execute("SELECT pg_reload_conf()")
            yield Postgres(server.get_uri(), owner)
    finally:
        server.cleanup()


@contextmanager
def open_ledger(url: str) -> Iterator[Ledger]:
    """A ledger that is closed afterwards."""
    ledger = Ledger(make_engine(url))
    try:
        yield ledger
    finally:
        ledger.close()


def migrate_template(postgres: Postgres) -> None:
    """Every test's database is copied from this one."""
    with open_ledger(postgres.create(TEMPLATE)) as ledger:
        upgrade(ledger)


def migrated_file(folder: Path) -> Path:
    """Every test's SQLite file is copied from this one."""
    path = folder / "migrated.sqlite"
    with open_ledger(sqlite_url(path)) as ledger:
        upgrade(ledger)
    return path


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


@contextmanager
def sqlite_ledger(migrated: Path, folder: Path) -> Iterator[Ledger]:
    path = folder / "ledger.sqlite"
    shutil.copyfile(migrated, path)
    with open_ledger(sqlite_url(path)) as ledger:
        yield ledger


@contextmanager
def postgresql_ledger(postgres: Postgres, database: str) -> Iterator[Ledger]:
    url = postgres.create(database, TEMPLATE)
    try:
        with open_ledger(url) as ledger:
            yield ledger
    finally:
        postgres.drop(database)
