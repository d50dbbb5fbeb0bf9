"""What do stories stand on in a simulation? The real SQL and the real Redis, each behind a switch."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import ConnectionError as RedisGone
from redis.exceptions import TimeoutError as RedisSilent
from sqlalchemy import Connection, Engine, event, text

from claimbot.core.errors import LedgerUnavailable
from claimbot.db.engine import Ledger
from claimbot.db.tables import metadata
from tests.sim.points import Points

# Later than every real clock: what Redis stamps with its own time is never younger than a story.
BEGIN = datetime(2040, 5, 4, 18, 0, tzinfo=UTC)


@dataclass
class VirtualClock:
    """Stands still until it is moved."""

    now: datetime = BEGIN

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return (self.now - BEGIN).total_seconds() + 1_000.0

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class StagedLedger(Ledger):
    """The ledger, with places before and after each commit, and a plug that can be pulled."""

    def __init__(self, engine: Engine, points: Points) -> None:
        super().__init__(engine)
        self._points = points
        self.is_down = False
        self.loses_commit = False
        """The next commit is made, but nobody hears of it."""

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        self._points.reach("sql.begin")
        self._look()
        with self._counted(), super().begin() as tx:
            yield tx
            self._points.reach("sql.commit")
        if self.loses_commit:
            self.loses_commit = False
            raise LedgerUnavailable("the answer to the commit was lost")
        self._points.reach("sql.committed")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        self._look()
        with self._counted(), super().reading() as tx:
            yield tx

    def _look(self) -> None:
        if self.is_down:
            raise LedgerUnavailable("the plug is pulled")

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._points.transactions += 1
        try:
            yield
        finally:
            self._points.transactions = max(0, self._points.transactions - 1)

    def empty(self) -> None:
        """Everything is deleted; what the migrations made stays."""
        with self.engine.begin() as tx:
            if self.is_sqlite:
                for table in EMPTIED:
                    tx.exec_driver_sql(f"DELETE FROM {table}")
                return
            tx.execute(text(f"TRUNCATE {', '.join(EMPTIED)} RESTART IDENTITY CASCADE"))


EMPTIED = tuple(table.name for table in metadata.sorted_tables)


def make_quick(engine: Engine) -> None:
    """A power cut is no fault of this simulation, and rows are deleted in any order between two seeds."""

    def prepare(connection: Any, _record: object) -> None:
        for pragma in ("synchronous = OFF", "foreign_keys = OFF", "wal_autocheckpoint = 0"):
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", prepare)


@dataclass
class StagedRedis:
    """The client, with a place before and after each call, and a plug that can be pulled."""

    client: Redis
    points: Points
    is_down: bool = False
    loses_answer: bool = False
    """The next call is carried out, but its answer is lost."""
    name: str = "first"
    """What `identity` tells: changes with the server."""
    photograph: dict[str, bytes] = field(default_factory=dict)

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        found = getattr(self.client, verb)

        def call(*arguments: Any, **options: Any) -> Any:
            self.points.call_outside(f"redis.{verb}")
            if self.is_down:
                raise RedisGone("the plug is pulled")
            answer = found(*arguments, **options)
            if self.loses_answer:
                self.loses_answer = False
                raise RedisSilent("the answer was lost")
            self.points.reach(f"redis.{verb}.done")
            return answer

        return call

    def _gate_keys(self) -> list[str]:
        found: list[Any] = self.client.keys("cb1:{d:*")
        return sorted(name.decode() for name in found)

    def wipe(self) -> None:
        """The gates are gone; the spool is on the disk of another day."""
        found = self._gate_keys()
        if found:
            self.client.delete(*found)

    def take_photograph(self) -> None:
        """What a replica that falls behind from now on has."""
        found: dict[str, Any] = {name: self.client.dump(name) for name in self._gate_keys()}
        self.photograph = {name: value for name, value in found.items() if value}

    def put_back(self) -> None:
        """The replica that is behind becomes the primary."""
        self.wipe()
        restore: Callable[..., Any] = self.client.restore
        for name, value in self.photograph.items():
            restore(name, 0, value, replace=True)


def quick_folder() -> str | None:
    """Memory that looks like a disk, where the machine has it; None: the usual place."""
    shared = Path("/dev/shm")
    return str(shared) if shared.is_dir() and os.access(shared, os.W_OK) else None


def copy_of(migrated: Path, folder: Path) -> Path:
    path = folder / "sim.sqlite"
    shutil.copyfile(migrated, path)
    return path


Rows = list[tuple[Any, ...]]


@dataclass
class Reader:
    """Looks at the ledger without the engine; on SQLite it knows when nothing was written since."""

    ask: Callable[[str], Rows]
    version: Callable[[], object]
    """Something that is another after every change; None when nobody knows."""
    is_sqlite: bool

    def moment(self, at: datetime) -> Any:
        """A time that can be compared with those that `ask` tells."""
        return at.replace(tzinfo=None).isoformat(" ", "microseconds") if self.is_sqlite else at


@contextmanager
def open_reader(engine: Engine) -> Iterator[Reader]:
    """Through SQLAlchemy a statement costs many times what SQLite needs for it, and a look is four."""
    if engine.dialect.name == "sqlite":
        path = str(engine.url.database)
        with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as one:
            yield Reader(
                lambda query: one.execute(query).fetchall(),
                lambda: one.execute("PRAGMA data_version").fetchone(),
                is_sqlite=True,
            )
        return

    def ask(query: str) -> Rows:
        with engine.connect().execution_options(reading=True) as tx, tx.begin():
            return [tuple(row) for row in tx.exec_driver_sql(query)]

    yield Reader(ask, lambda: None, is_sqlite=False)
