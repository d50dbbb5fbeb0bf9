"""How is a run shown? On the terminal, and as the table of README: both from the same document."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

HEAD = ("What", "Figure", "Floor beside it", "Ratio", "Least – most", "Goal", "Met")
VERDICTS = {True: "yes", False: "**no**", None: ""}

Document = Mapping[str, Any]


def short(value: float | None) -> str:
    """Three digits that count: 0.345, 7.89, 45.6, 12,300."""
    if value is None:
        return ""
    if abs(value) >= 1000:
        digits = len(str(int(abs(value))))
        return f"{round(value, 3 - digits):,.0f}"
    return f"{value:.3g}"


def cells(row: Document) -> tuple[str, ...]:
    if row["trouble"] and row["figure"] is None:
        return (row["what"], f"not measured: {row['trouble']}", "", "", "", _goals(row), VERDICTS[False])
    floor = f"{short(row['floor'])} {row['unit']}: {row['floor_is']}" if row["floor"] else row["floor_is"]
    spread = " – ".join(map(short, row["spread"])) if row["spread"] else ""
    return (
        row["what"],
        _figure(row),
        floor,
        short(row["ratio"]),
        spread,
        _goals(row),
        VERDICTS[row["met"]] + (f" ({row['trouble']})" if row["trouble"] else ""),
    )


def _figure(row: Document) -> str:
    parts = ", ".join(f"{name} {short(value)}" for name, value in row["parts"].items())
    return f"{short(row['figure'])} {row['unit']}" + (f" ({parts})" if parts else "")


def _goals(row: Document) -> str:
    return ", ".join(row["goals"])


def show(document: Document, console: Console) -> None:
    table = Table(*HEAD, box=None, pad_edge=False, header_style="bold")
    for row in document["rows"]:
        table.add_row(*(Text(cell.replace("**", "")) for cell in cells(row)))
    console.print(table)
    console.print(Text(shape(document)))


def shape(document: Document) -> str:
    """The machine and the way of measuring, in one sentence."""
    taken = str(document["taken_at"])[:10]
    return (
        f"{document['machine']}; {document['placement']}; load client {document['client']}; "
        f"rounds: {document['rounds']}; load before it began: {document['load_before']}; {taken}."
    )


def markdown_rows(document: Document) -> Iterator[tuple[str, ...]]:
    yield from (cells(row) for row in document["rows"])


def missed(document: Document) -> Sequence[str]:
    return [row["name"] for row in document["rows"] if row["met"] is False]
