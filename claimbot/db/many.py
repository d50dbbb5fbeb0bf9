"""How are many rows written or looked up at once? One statement for all, made once and handed to the driver.

SQLAlchemy prepares every parameter of every row anew, which costs more than the row itself. SQLite is given
plain tuples; PostgreSQL gets all rows as one JSON text: a call for each would cost a message there and back.

The statements are put together from names of our own tables; every value travels as a parameter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, Connection, Table
from sqlalchemy.dialects import postgresql

from claimbot.db.columns import UtcDateTime, sqlite_time, write_json
from claimbot.db.driver import ask, change, change_each

# SQLite takes 32,766 parameters in one statement; this many rows have fewer, whatever the table.
ROWS_MOST = 1_000
# Distinct numbers of rows whose text is kept: a group is rarely larger.
TEXTS_KEPT = 512

Values = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Many:
    """A statement for many rows; the values of each stand in the order of `names`, as Python has them."""

    table: Table
    names: tuple[str, ...]
    sqlite: str
    """For one row; of an INSERT all up to VALUES."""
    postgresql: str
    rest: str = ""
    times: tuple[int, ...] = field(init=False)
    documents: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        types = [self.table.c[name].type for name in self.names]
        object.__setattr__(self, "times", _places(types, UtcDateTime))
        object.__setattr__(self, "documents", _places(types, JSON))

    def run(self, tx: Connection, rows: Sequence[Values]) -> int:
        """How many rows were written or changed."""
        return sum(self._run(tx, rows[at : at + ROWS_MOST]) for at in range(0, len(rows), ROWS_MOST))

    def _run(self, tx: Connection, rows: Sequence[Values]) -> int:
        if tx.dialect.name != "sqlite":
            return change(tx, self.postgresql, (self._json(rows),))
        return change_each(tx, _sqlite_text(self, 1), [self._plain(row) for row in rows])

    def returning(self, tx: Connection, rows: Sequence[Values]) -> list[Values]:
        """What RETURNING says of each row, times and documents as the database keeps them."""
        found: list[Values] = []
        for at in range(0, len(rows), ROWS_MOST):
            found += self._returning(tx, rows[at : at + ROWS_MOST])
        return found

    def _returning(self, tx: Connection, rows: Sequence[Values]) -> Sequence[Values]:
        if tx.dialect.name != "sqlite":
            return ask(tx, self.postgresql, (self._json(rows),))
        values = tuple(value for row in rows for value in self._plain(row))
        return ask(tx, _sqlite_text(self, len(rows)), values)

    def _plain(self, row: Values) -> Values:
        values = list(row)
        for at in self.times:
            values[at] = sqlite_time(values[at])
        for at in self.documents:
            values[at] = write_json(values[at])
        return tuple(values)

    def _json(self, rows: Sequence[Values]) -> str:
        return write_json([dict(zip(self.names, row, strict=True)) for row in rows])


def insert_many(table: Table, names: Sequence[str], rest: str = "") -> Many:
    """`rest` follows the rows: ON CONFLICT, RETURNING."""
    columns = ", ".join(names)
    into = f"INSERT INTO {table.name} ({columns})"
    # `WHERE true`: without it ON CONFLICT could belong to the SELECT.
    selected = f"{into} SELECT {columns} FROM {_recordset(table, names)} WHERE true {rest}"
    return Many(table, tuple(names), f"{into} VALUES", selected, rest)


def update_many(table: Table, sets: Sequence[str], finds: Sequence[str], only: str = "true") -> Many:
    """Each row is found by its columns `finds`, and must meet `only` as well."""
    plain_sets = ", ".join(f"{name} = ?" for name in sets)
    plain_finds = " AND ".join(f"{name} = ?" for name in finds)
    plain = f"UPDATE {table.name} SET {plain_sets} WHERE {plain_finds} AND {only}"
    new_sets = ", ".join(f"{name} = new.{name}" for name in sets)
    new_finds = " AND ".join(f"{table.name}.{name} = new.{name}" for name in finds)
    names = (*sets, *finds)
    joined = (
        f"UPDATE {table.name} SET {new_sets} FROM {_recordset(table, names)} WHERE {new_finds} AND {only}"
    )
    return Many(table, names, plain, joined)


def equals(tx: Connection, what: str) -> str:
    return f"{what} = ?" if tx.dialect.name == "sqlite" else f"{what} = %s"


def among(tx: Connection, what: str) -> str:
    """`what` is one of the values of a list, which travels as one parameter; see `listed`."""
    on_sqlite = f"{what} IN (SELECT value FROM json_each(?))"
    return on_sqlite if tx.dialect.name == "sqlite" else f"{what} = ANY(%s)"


def listed(tx: Connection, values: Sequence[str]) -> str | list[str]:
    return write_json(values) if tx.dialect.name == "sqlite" else list(values)


def among_pairs(tx: Connection, first: str, second: str) -> str:
    """The same for two columns at once; see `listed_pairs`."""
    if tx.dialect.name == "sqlite":
        return f"({first}, {second}) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))"
    return f"({first}, {second}) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"


def listed_pairs(tx: Connection, pairs: Sequence[tuple[str, str]]) -> tuple[Any, ...]:
    if tx.dialect.name == "sqlite":
        return (write_json(pairs),)
    return [one for one, _ in pairs], [other for _, other in pairs]


def _places(types: Sequence[Any], kind: type[Any]) -> tuple[int, ...]:
    return tuple(at for at, one in enumerate(types) if isinstance(one, kind))


def _recordset(table: Table, names: Sequence[str]) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's registry of names has no types
    typed = ", ".join(f"{name} {table.c[name].type.compile(dialect)}" for name in names)
    return f"json_to_recordset(%s) AS new({typed})"


@lru_cache(maxsize=TEXTS_KEPT)
def _sqlite_text(many: Many, count: int) -> str:
    if not many.sqlite.endswith("VALUES"):
        return many.sqlite
    group = f"({', '.join('?' * len(many.names))})"
    return f"{many.sqlite} {', '.join([group] * count)} {many.rest}"
