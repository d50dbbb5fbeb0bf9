"""How does the world survive a restart? Records are written behind, once a second, to one SQLite file.

Records are never changed in place: whoever changes one puts a new one. So a flush needs no lock but its own.
"""

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

Json = dict[str, Any]

FILE_NAME = "sandbox.sqlite3"


class Shelf:
    """Keeps nothing when `folder` is None."""

    def __init__(self, folder: Path | None) -> None:
        self._waiting: dict[tuple[str, str], Json | None] = {}
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._sql = _open(folder) if folder else None

    def put(self, kind: str, key: str, record: Json | None) -> None:
        """None takes the record away."""
        if self._sql is not None:
            with self._lock:
                self._waiting[kind, key] = record

    def records(self, kind: str) -> list[tuple[str, Json]]:
        """All records of a kind in the order they were first put; only asked at start."""
        if self._sql is None:
            return []
        rows = self._sql.execute("SELECT name, body FROM kept WHERE kind = ? ORDER BY seq", (kind,))
        return [(name, json.loads(body)) for name, body in rows]

    def flush(self) -> None:
        if self._sql is None:
            return
        with self._writing:
            with self._lock:
                waiting, self._waiting = self._waiting, {}
            if waiting:
                _write(self._sql, waiting)

    def clear(self) -> None:
        if self._sql is None:
            return
        with self._writing:
            with self._lock:
                self._waiting = {}
            with self._sql:
                self._sql.execute("DELETE FROM kept")

    def close(self) -> None:
        self.flush()
        if self._sql is not None:
            self._sql.close()
            self._sql = None


def _open(folder: Path) -> sqlite3.Connection:
    folder.mkdir(parents=True, exist_ok=True)
    sql = sqlite3.connect(folder / FILE_NAME, check_same_thread=False)
    sql.execute("PRAGMA journal_mode=WAL")
    sql.execute("PRAGMA synchronous=NORMAL")
    sql.execute(
        "CREATE TABLE IF NOT EXISTS kept ("
        " seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, name TEXT, body TEXT, UNIQUE (kind, name))"
    )
    return sql


def _write(sql: sqlite3.Connection, waiting: dict[tuple[str, str], Json | None]) -> None:
    gone = [key for key, record in waiting.items() if record is None]
    kept = [(*key, json.dumps(record)) for key, record in waiting.items() if record is not None]
    with sql:
        sql.executemany("DELETE FROM kept WHERE kind = ? AND name = ?", gone)
        sql.executemany(
            "INSERT INTO kept (kind, name, body) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body",
            kept,
        )
