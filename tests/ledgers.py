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
SHARED = "shared"
# A migrated database has 9 MB; dead rows of big tests would slow down the tests after them.
SHARED_BYTES_MOST = 16_000_000
END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
EMPTY_ALL = """
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT tablename FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('DELETE FROM %I', one.tablename);
  END LOOP;
  FOR one IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
    EXECUTE format('ALTER SEQUENCE %I RESTART', one.sequencename);
  END LOOP;
END $$
"""
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
def postgresql_database(postgres: Postgres) -> Iterator[str]:
    """A migrated database that many tests use in turn."""
    url = postgres.create(SHARED, TEMPLATE)
    try:
        yield url
    finally:
        postgres.drop(SHARED)


@contextmanager
def postgresql_ledger(postgres: Postgres, url: str) -> Iterator[Ledger]:
    """The shared database, empty; a copy of the template costs ten times as much."""
    _empty(postgres, url)
    with open_ledger(url) as ledger:
        yield ledger


def _empty(postgres: Postgres, url: str) -> None:
    """As it was migrated. What an earlier test left open is closed; what it made too big is made anew."""
    with psycopg.connect(url, autocommit=True) as own:
        own.execute(END_OTHERS)
        size = own.execute("SELECT pg_database_size(current_database())").fetchone()
        if size is not None and size[0] < SHARED_BYTES_MOST:
            # Without this role each DELETE asks every table that refers to it.
            own.execute("SET session_replication_role = replica")
            own.execute(EMPTY_ALL)
            return
    postgres.drop(SHARED)
    postgres.create(SHARED, TEMPLATE)
