"""What does a run leave in the repository? Its figures, README's table, and the speeds of a simulation."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.bench.table import HEAD, markdown_rows, shape

ROOT = Path(__file__).parents[2]
LAST = Path(__file__).parent / "last.json"
SPEEDS = ROOT / "claimbot" / "cli" / "speeds.json"
# Which row a simulation believes for which speed.
DMS = {"sqlite": "matched sqlite", "postgresql": "matched postgresql"}
SENDS, GATE = "sender postgresql", "gate batch"


def read_last() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(LAST.read_text("utf-8"))
    return found


def keep(document: Mapping[str, Any]) -> None:
    """Rows that were not played this time stay as they were."""
    kept = {row["name"]: row for row in read_last()["rows"]} if LAST.is_file() else {}
    kept |= {row["name"]: row for row in document["rows"]}
    _write(LAST, {**document, "rows": list(kept.values())})
    figures = {name: row["figure"] for name, row in kept.items()}
    if all(figures.get(name) for name in (*DMS.values(), SENDS, GATE)):
        _write(SPEEDS, speeds_document(document, figures))


def speeds_document(document: Mapping[str, Any], figures: Mapping[str, float]) -> dict[str, Any]:
    return {
        "measured_by": "python -m tests.bench",
        "taken_at": str(document["taken_at"])[:10],
        "machine": document["machine"],
        "dms_per_second": {database: round(figures[row]) for database, row in DMS.items()},
        "sends_per_second": round(figures[SENDS]),
        "gate_claims_per_second": round(figures[GATE]),
    }


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")


def speed_rows() -> Iterator[tuple[str, ...]]:
    """README's table; its last line says on which machine, how and when."""
    last = read_last()
    yield from markdown_rows(last)
    yield ("*measured on*", shape(last), *("",) * (len(HEAD) - 2))
