"""Where are the engine's templates and static files, in a checkout and in an installed wheel?"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
STATIC = PACKAGE / "web" / "static"


def find_templates(package: Path) -> Path:
    """A wheel carries them inside the package; a checkout has them beside it."""
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


TEMPLATES = find_templates(PACKAGE)
