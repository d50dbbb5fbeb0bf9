"""Column types that mean the same on SQLite and PostgreSQL."""

import json
from datetime import UTC, datetime
from functools import lru_cache

import msgspec
from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.sql.expression import ColumnElement, literal_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC. SQLite keeps it as text that sorts; PostgreSQL as timestamptz."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone must not reach the ledger")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@lru_cache(maxsize=1_024)
def sqlite_time(value: datetime | None) -> str | None:
    """The time as `UtcDateTime` stores it there. One transaction writes the same few many times."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a time without a zone must not reach the ledger")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def read_time(stored: str | datetime | None) -> datetime | None:
    """What a driver gives back when it was asked without SQLAlchemy's types."""
    if stored is None:
        return None
    value = datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def write_json(value: object) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except (UnicodeEncodeError, OverflowError):
        # Half a surrogate pair or a very long number: Python's own writer takes both.
        return json.dumps(value, separators=(",", ":"), default=datetime.isoformat)


def constant(word: str) -> ColumnElement[str]:
    """One of our own words, written into the statement itself.

    A planner believes that a partial index applies only when it sees the word that the index names.
    """
    if not word.isidentifier():
        raise ValueError("only our own words may stand in a statement")
    return literal_column(f"'{word}'", Text)
