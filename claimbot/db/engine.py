"""How is the ledger reached? One engine, short transactions, errors in our words."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from claimbot.core.errors import LedgerUnavailable
from claimbot.core.names import words_of
from claimbot.db.driver import change

T = TypeVar("T")

# An open transaction, as the stories hand it to the functions of this room.
Tx = Connection

# A statement that takes longer than this holds up a follower; another try is better.
STATEMENT_TIMEOUT_MS = 2000
# How long SQLite waits for another writer before it says that it is locked.
SQLITE_BUSY_SECONDS = 5.0
# Deadlock and serialisation failure: PostgreSQL asks us to run the transaction again.
RUN_AGAIN_CODES = ("40001", "40P01")
RUNS_MAX = 4


class RunAgain(LedgerUnavailable):
    """The transaction was rolled back by the database to untie a knot; nothing was stored."""


def _is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def make_engine(url: str, connections: int = 20, statement_timeout_ms: int = STATEMENT_TIMEOUT_MS) -> Engine:
    """An engine for `url`. Nothing is connected yet. Its errors never quote what was to be stored."""
    if _is_sqlite(url):
        engine = create_engine(
            url,
            pool_size=connections,
            max_overflow=connections,
            pool_timeout=5,
            hide_parameters=True,
            connect_args={"timeout": SQLITE_BUSY_SECONDS},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # A read anywhere costs what the next one does: nobody keeps a ledger on a disk that turns.
    costs = "-c random_page_cost=1.1"
    timeouts = f"-c statement_timeout={statement_timeout_ms} -c lock_timeout={statement_timeout_ms}"
    options = f"{timeouts} {costs} -c timezone=UTC"
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=connections,
        max_overflow=connections,
        pool_timeout=5,
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={"options": options, "connect_timeout": 3},
    )


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.create_function("words_of", 1, _words_of, deterministic=True)
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # a 2xx is a promise, also after a power cut
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.close()


def _words_of(names: str | None) -> str:
    """The words of somebody's names, a blank before each (names.py)."""
    return "".join(f" {word}" for word in words_of(names or ""))


def _begin_sqlite(connection: Connection) -> None:
    is_reading = connection.get_execution_options().get("reading", False)
    change(connection, "BEGIN" if is_reading else "BEGIN IMMEDIATE")


def translate(error: DBAPIError) -> LedgerUnavailable | None:
    """Our word for a failure that is not our bug; None when it is (a constraint, bad SQL)."""
    code = getattr(error.orig, "sqlstate", None) or ""
    if code in RUN_AGAIN_CODES:
        return RunAgain("the database rolled back to untie a knot", 0.0)
    # SQLite says "operational" of bad SQL too, with its plainest code.
    is_bad_sql = getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
    is_gone = error.connection_invalidated or (isinstance(error, OperationalError) and not is_bad_sql)
    # 57: the server goes down or cancelled us; 53: out of disk, memory, connections; 55P03: lock timeout.
    if is_gone or code[:2] in {"57", "53", "08", "58"} or code == "55P03":
        return LedgerUnavailable("the ledger did not answer")
    return None


class Ledger:
    """The one way to SQL: `begin` to change something, `reading` to look."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # SQLite begins nothing by itself; PostgreSQL's driver does, unless it is told not to.
        self._unbegun = engine if self.is_sqlite else engine.execution_options(isolation_level="AUTOCOMMIT")
        self._turn = threading.Lock()

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back on any error."""
        with self._in_turn(), self._translated(), self.engine.begin() as tx:
            yield tx

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """SQLite's writers ask again and again for their turn, and some never get it; ours wait in a line."""
        if not self.is_sqlite:
            yield
            return
        if not self._turn.acquire(timeout=SQLITE_BUSY_SECONDS):
            raise LedgerUnavailable("too many wait to write to the ledger")
        try:
            yield
        finally:
            self._turn.release()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only looks; on SQLite it does not wait for writers."""
        with self._translated(), self.engine.connect().execution_options(reading=True) as tx, tx.begin():
            yield tx

    @contextmanager
    def glancing(self) -> Iterator[Connection]:
        """For looks by `driver.ask`, each for itself: no transaction is begun, so none has to be ended."""
        with self._translated(), self._unbegun.connect() as tx:
            yield tx

    def run(self, story: Callable[[Connection], T]) -> T:
        """Run `story` in one transaction, again when the database asks for it."""
        for _ in range(RUNS_MAX - 1):
            try:
                with self.begin() as tx:
                    return story(tx)
            except RunAgain:
                continue
        with self.begin() as tx:
            return story(tx)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeout:
            raise LedgerUnavailable("all connections to the ledger are in use") from None
        except DBAPIError as error:
            ours = translate(error)
            if ours is None:
                raise
            raise ours from None

    def database_time(self) -> datetime:
        """What time the database says it is. SQLite lives on this machine and shares its clock."""
        if self.is_sqlite:
            return datetime.now(UTC)
        with self.reading() as tx:
            found: datetime = tx.execute(text("SELECT clock_timestamp()")).scalar_one()
        return found.astimezone(UTC)

    def close(self) -> None:
        self.engine.dispose()


def changed(result: Any) -> int:
    """How many rows an UPDATE or DELETE touched."""
    return int(result.rowcount)
