"""How do the statements that every message needs reach the database? Straight to its driver.

They stand in an open transaction of SQLAlchemy's, which begins, ends and pools as ever; only its bookkeeping
for each statement is left out, which costs more than most of them. Values and rows are the driver's own:
times and documents have to be written and read by the caller (columns.py). Failures are SQLAlchemy's, so that
`Ledger` translates them like all others.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

Values = Sequence[Any]


def ask(tx: Connection, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
    """All rows that it finds or returns. Raises DBAPIError."""
    with _cursor(tx, statement, values) as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def change(tx: Connection, statement: str, values: Values = ()) -> int:
    """How many rows it wrote or changed. Raises DBAPIError."""
    with _cursor(tx, statement, values) as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def change_each(tx: Connection, statement: str, rows: Sequence[Values]) -> int:
    """The same for each of these values, together. Raises DBAPIError."""
    with _cursor(tx, statement, rows, is_many=True) as cursor:
        cursor.executemany(statement, rows)
        return int(cursor.rowcount)


@contextmanager
def _cursor(tx: Connection, statement: str, values: Any, is_many: bool = False) -> Iterator[Any]:
    cursor = tx.connection.cursor()
    try:
        # Who listens to an engine (tests, tracing) hears of these statements too.
        for listen in tx.engine.dispatch.before_cursor_execute:
            listen(tx, cursor, statement, values, None, is_many)
        yield cursor
    except tx.dialect.loaded_dbapi.Error as error:
        raise _wrapped(tx, statement, error) from error
    finally:
        cursor.close()


def _wrapped(tx: Connection, statement: str, error: Any) -> BaseException:
    """As SQLAlchemy would raise it: without the values, and without the connection when that is lost."""
    is_lost = tx.dialect.is_disconnect(error, tx.connection.dbapi_connection, None)
    if is_lost:
        tx.invalidate(error)
    wrapped: BaseException = DBAPIError.instance(
        statement,
        None,
        error,
        tx.dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_lost,
        dialect=tx.dialect,
    )
    return wrapped
