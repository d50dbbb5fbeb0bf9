"""How does a run look? One bar chart for each row with a floor: ours beside it, and the goal as a line."""

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from tests.bench.table import short

WIDTH, HEIGHT, LEFT, BAR = 640, 120, 150, 30
COLOURS = {"ours": "#2f6f4f", "floor": "#9aa5a0"}


def draw_all(document: Mapping[str, Any], folder: Path) -> list[Path]:
    """An SVG for each row that has a floor; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for row in document["rows"]:
        if row["floor"] and row["figure"] is not None:
            path = folder / f"{row['name'].replace(' ', '-')}.svg"
            path.write_text(draw(row), "utf-8")
            drawn.append(path)
    return drawn


def draw(row: Mapping[str, Any]) -> str:
    return "\n".join(_lines(row)) + "\n"


def _lines(row: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="system-ui, sans-serif" font-size="13">'
    )
    yield f"<title>{escape(row['what'])}</title>"
    yield f'<text x="8" y="20" font-weight="600">{escape(row["what"])}</text>'
    most = max(row["figure"], row["floor"])
    for place, (name, value) in enumerate((("ours", row["figure"]), ("floor", row["floor"]))):
        top = 34 + place * (BAR + 8)
        length = max(1, round((WIDTH - LEFT - 110) * value / most))
        yield f'<text x="8" y="{top + 20}">{name}</text>'
        yield f'<rect x="{LEFT}" y="{top}" width="{length}" height="{BAR}" fill="{COLOURS[name]}"/>'
        yield f'<text x="{LEFT + length + 8}" y="{top + 20}">{short(value)} {escape(row["unit"])}</text>'
    goals = ", ".join(row["goals"])
    yield f'<text x="8" y="{HEIGHT - 4}">ratio {short(row["ratio"])}; goal {escape(goals) or "none"}</text>'
    yield "</svg>"
