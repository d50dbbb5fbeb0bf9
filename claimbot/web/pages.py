"""Where are the engine's templates and static files, in a checkout and in an installed wheel?"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask

PACKAGE = Path(__file__).resolve().parent.parent
STATIC = PACKAGE / "web" / "static"


def find_templates(package: Path) -> Path:
    """A wheel carries them inside the package; a checkout has them beside it."""
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


TEMPLATES = find_templates(PACKAGE)

# Enough to tell two versions of one file apart.
MARK_CHARS = 12


def mark_static(app: Flask) -> None:
    """A changed file has a new address: no browser shows an old look with a new page."""

    @app.url_defaults
    def mark(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "v" not in values:
            values["v"] = mark_of(STATIC / values["filename"])


@cache
def mark_of(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:MARK_CHARS] if file.is_file() else None
