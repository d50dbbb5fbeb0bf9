"""How does the database write the exported list? The same letters as core/leads.py, as one statement.

PostgreSQL writes whole safe lines itself (COPY). SQLite writes everything that is ours as text; what people
typed is made safe by core/leads.py, cell by cell.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
)

from claimbot.core.leads import CHANGED, COLUMNS, TRIGGERS, UNSEEN, WATCHED, csv_line, safe_cell

Cell = ColumnElement[Any]

YES, NO, NOTHING = (literal_column(word, Text) for word in ("'yes'", "'no'", "''"))
TIME_OF_POSTGRESQL = 'YYYY-MM-DD"T"HH24:MI:SS"Z"'
TIME_OF_SQLITE = "%Y-%m-%dT%H:%M:%SZ"
# What people typed, or may have; everything else in the list is a word of ours.
TYPED = (
    "brand",
    "drop",
    "username",
    "name",
    "email",
    "phone",
    "variant",
    "keyword",
    "source",
    "tags",
    "note",
)
TYPED_AT = tuple(COLUMNS.index(name) for name in TYPED)
# Lines go out in pieces of so many: one at a time is slow, all at once is not flat.
PIECE_LINES = 1_000
# PostgreSQL cannot keep the letter NUL.
_FIRST_LETTERS = [ord(letter) for letter in sorted(WATCHED - {"\0"})]


def _set_of(letters: Iterable[str]) -> str:
    """As a regular expression of PostgreSQL names them: several have a meaning of their own."""
    return "[" + "".join(f"\\u{ord(letter):04x}" for letter in sorted(letters)) + "]"


RISKY = f"^({_set_of(UNSEEN)}*{_set_of(TRIGGERS - {chr(0)})}|({CHANGED.pattern})$)"


def write_lines(tx: Connection, lines: Select[Any], brand_slug: str) -> Iterator[bytes]:
    """The lines of the list, as in a file of RFC 4180, in pieces."""
    if tx.dialect.name == "postgresql":
        return _copied(tx, _statement(lines, brand_slug, _OfPostgresql()))
    return _written(tx, _statement(lines, brand_slug, _OfSqlite()))


def _copied(tx: Connection, statement: Select[Any]) -> Iterator[bytes]:
    compiled = statement.compile(dialect=tx.dialect, compile_kwargs={"render_postcompile": True})
    driver: Any = tx.connection.driver_connection
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY ({compiled}) TO STDOUT (FORMAT csv)", compiled.params) as copy,
    ):
        lines: list[bytes] = []
        for line in copy:
            lines.append(bytes(line)[:-1])
            if len(lines) == PIECE_LINES:
                yield b"\r\n".join(lines) + b"\r\n"
                lines.clear()
    if lines:
        yield b"\r\n".join(lines) + b"\r\n"


def _written(tx: Connection, statement: Select[Any]) -> Iterator[bytes]:
    # The rows as the driver gives them: every cell is text already.
    cursor = tx.execute(statement).cursor
    while rows := cursor.fetchmany(PIECE_LINES):
        yield "".join(map(_line, rows)).encode()


def _line(row: Sequence[str]) -> str:
    cells = list(row)
    for place in TYPED_AT:
        if cells[place] and cells[place][0] in WATCHED:
            cells[place] = safe_cell(cells[place])
    return csv_line(cells)


def _statement(lines: Select[Any], brand_slug: str, of: "_OfPostgresql | _OfSqlite") -> Select[Any]:
    line = lines.subquery("line")
    made = _cells(line.c, of)
    made["brand"] = literal(safe_cell(brand_slug), Text)
    cells = [made[name].label(name) for name in COLUMNS]
    return select(*cells).order_by(line.c.lead_id, line.c.drop_id)


def _cells(kept: Any, of: "_OfPostgresql | _OfSqlite") -> dict[str, Cell]:
    """The name of each column and how it is written; `kept` are the columns of lead_lines.py."""
    words = ("lead_id", "channel", "outcome", "claim_state", "currency")
    times = ("consent_at", "first_seen_at", "last_seen_at", "told_at", "paid_at")
    because = case(
        (kept.missing != NOTHING, kept.missing),
        (kept.standing != NOTHING, kept.standing),
        (kept.drop_id.is_not(None), literal_column("'wrote the word'", Text)),
        else_=literal_column("'meets the rule'", Text),
    )
    return {
        **{name: of.word(kept[name]) for name in words},
        **{name: of.typed(kept[name]) for name in TYPED if name not in ("brand", "tags")},
        **{name: of.word(_number(kept[name])) for name in ("place", "quantity", "paid_minor")},
        **{name: of.time(kept[name]) for name in times},
        "qualified": case((kept.missing == NOTHING, YES), else_=NO),
        "qualified_because": because,
        "consent_marketing": of.word(case((kept.consent_marketing, YES), (~kept.consent_marketing, NO))),
        "opted_out": case((kept.opted_out_at.is_(None), NO), else_=YES),
        "tags": of.typed(of.tags(kept.tags)),
    }


def _number(number: Cell) -> Cell:
    """Ours count or are paid, so none is negative; a minus sign would be a trigger."""
    return cast(number, Text)


class _OfPostgresql:
    """An empty cell is NULL: COPY writes "" for an empty text."""

    def typed(self, text: Cell) -> Cell:
        """One look at the first letter decides for nearly every cell; a regular expression costs more."""
        is_watched = func.ascii(text).in_(_FIRST_LETTERS)
        quoted = literal_column("''''", Text).concat(text)
        checked = case((text.regexp_match(RISKY), quoted), else_=text)
        return case((is_watched, checked), else_=self.word(text))

    def word(self, text: Cell) -> Cell:
        return func.nullif(text, NOTHING)

    def time(self, at: Cell) -> Cell:
        return func.to_char(func.timezone("UTC", at), TIME_OF_POSTGRESQL)

    def tags(self, tags: Cell) -> Cell:
        each = func.json_array_elements_text(tags).table_valued("value")
        joined = select(func.string_agg(each.c.value, ", ")).scalar_subquery()
        return case((cast(tags, Text) != literal_column("'[]'", Text), joined))


class _OfSqlite:
    """A missing cell is empty text, ready to be joined."""

    def typed(self, text: Cell) -> Cell:
        return func.coalesce(text, NOTHING)

    word = typed

    def time(self, at: Cell) -> Cell:
        return func.coalesce(func.strftime(TIME_OF_SQLITE, cast(at, Text)), NOTHING)

    def tags(self, tags: Cell) -> Cell:
        each = func.json_each(tags).table_valued("value")
        joined = select(func.group_concat(each.c.value, ", ")).scalar_subquery()
        return case((cast(tags, Text) != literal_column("'[]'", Text), joined), else_=NOTHING)
