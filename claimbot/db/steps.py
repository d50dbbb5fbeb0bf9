"""Which migrations do the tables still need? Told without Alembic, which would make every start slower."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

import claimbot
from claimbot.core.errors import Setup
from claimbot.db.engine import Ledger

# Where Alembic notes the last step that was applied.
NOTED_IN = "alembic_version"
NOTED = text("SELECT version_num FROM alembic_version")
# A step's file begins with its revision, and each hangs on the one before (tests/db/test_migrations.py).
REVISION_CHARS = 4


def find_migrations() -> Path:
    """The folder of the steps: inside an installed wheel, or beside the package in a checkout."""
    package = Path(claimbot.__file__).resolve().parent
    for folder in (package / "migrations", package.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise Setup(["The folder of the migrations is missing: install claimbot again."])


def pending(target: Ledger | Engine) -> list[str]:
    """The revisions that are not applied yet, oldest first."""
    ledger = target if isinstance(target, Ledger) else Ledger(target)
    with ledger.reading() as tx:
        return list_pending(tx)


def list_pending(tx: Connection) -> list[str]:
    """None when the tables are newer than we are: old and new code work side by side during an upgrade."""
    applied = tx.execute(NOTED).scalar() if _is_noted(tx) else None
    return [revision for revision in list_revisions() if applied is None or revision > applied]


def _is_noted(tx: Connection) -> bool:
    return inspect(tx).has_table(NOTED_IN)


def list_revisions() -> list[str]:
    """Oldest first."""
    files = (find_migrations() / "versions").glob(f"{'[0-9]' * REVISION_CHARS}_*.py")
    return sorted(path.name[:REVISION_CHARS] for path in files)
