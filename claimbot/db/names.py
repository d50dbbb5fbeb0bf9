"""Who is called so? Every word of a search must begin a word of somebody's handle, name or e-mail address.

PostgreSQL keeps the words of everybody in an index (GIN), so a million people are searched in milliseconds.
SQLite reads them all, and asks our own function only about those who may fit.
"""

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Text, and_, func, literal, literal_column, or_
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from claimbot.core.names import DIVIDERS, words_of
from claimbot.db.tables import leads

# PostgreSQL takes no word of more than 2,046 bytes.
NAMES_CHARS_MOST = 500


NAMES = (leads.c.username, leads.c.name, leads.c.email)


def is_named_sql(table: str = "") -> str:
    """The index holds nobody else. `table` is `leads.` in a statement and nothing in an index."""
    return f"{table}username <> '' OR {table}name <> '' OR {table}email <> ''"


def words_sql(table: str = "") -> str:
    """The words of the names, as PostgreSQL keeps them."""
    names = f"{table}username || ' ' || {table}name || ' ' || {table}email"
    dividers = DIVIDERS.replace("'", "''")
    words = f"translate(lower(left({names}, {NAMES_CHARS_MOST})), '{dividers}', '{' ' * len(DIVIDERS)}')"
    return f"array_to_tsvector(array_remove(string_to_array({words}, ' '), ''))"


class IsCalled(ColumnElement[bool]):
    """Is the lead called so? Each database has its own way to know."""

    inherit_cache = False
    type = Boolean()

    def __init__(self, search: str) -> None:
        self.search = search


@compiles(IsCalled)
def _by_index(asked: IsCalled, compiler: SQLCompiler, **more: Any) -> str:
    # No word holds a sign, so none ends its quotes.
    query = " & ".join(f"'{word}':*" for word in words_of(asked.search))
    if not query:
        return compiler.process(_has_signs(asked), **more)
    is_named = literal_column(f"({is_named_sql('leads.')})", Boolean)
    is_so = literal_column(words_sql("leads.")).bool_op("@@")(literal(query, Text).cast(TSQUERY))
    return compiler.process(and_(is_named, is_so), **more)


@compiles(IsCalled, "sqlite")
def _by_reading(asked: IsCalled, compiler: SQLCompiler, **more: Any) -> str:
    words = words_of(asked.search)
    if not words:
        return compiler.process(_has_signs(asked), **more)
    # Its LIKE sees no case in ASCII alone. To look into each column takes half the time of all in one text.
    in_ascii = [word for word in words if word.isascii()]
    may_be = [or_(*(one.contains(word, autoescape=True) for one in NAMES)) for word in in_ascii]
    is_so = [func.words_of(_names()).contains(f" {word}", autoescape=True) for word in words]
    return compiler.process(and_(*may_be, *is_so), **more)


def _has_signs(asked: IsCalled) -> ColumnElement[bool]:
    """Who searches for signs alone means just these."""
    return func.lower(_names()).contains(asked.search, autoescape=True)


def _names() -> ColumnElement[str]:
    blank = literal_column("' '", Text)
    username, name, email = NAMES
    return username.concat(blank).concat(name).concat(blank).concat(email)
