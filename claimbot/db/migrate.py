"""Are the tables as this version needs them, and how do they get there? All steps, in one transaction."""

import io
import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

import claimbot
from claimbot.core.errors import Setup
from claimbot.db.engine import Ledger

# Any number serves: it lets one process upgrade at a time on PostgreSQL.
UPGRADE_LOCK = 7_020_312
# Long enough for another process to finish its upgrade; then something is wrong.
TURN_SECONDS = 60
# A step that waits longer for a table would hold up everybody who queues behind it.
LOCK_TIMEOUT_SECONDS = 3
# Alembic's `op` and `context` belong to the whole process: one upgrade at a time in it.
_one_at_a_time = threading.Lock()


def find_migrations() -> Path:
    """The folder of the steps: inside an installed wheel, or beside the package in a checkout."""
    package = Path(claimbot.__file__).resolve().parent
    for folder in (package / "migrations", package.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise Setup(["The folder of the migrations is missing: install claimbot again."])


def upgrade(target: Ledger | Engine) -> list[str]:
    """Bring the tables up to date, all steps or none; returns the revisions that were applied.

    Any number of processes may do this at once: one applies the steps, the others find nothing to do.
    """
    ledger = target if isinstance(target, Ledger) else Ledger(target)
    with _one_at_a_time, ledger.begin() as tx:
        _wait_for_turn(tx)
        waiting = _list_pending(tx)
        if waiting:
            config = _config()
            config.attributes["connection"] = tx
            command.upgrade(config, "head")
    return waiting


def pending(target: Ledger | Engine) -> list[str]:
    """The revisions that are not applied yet, oldest first."""
    ledger = target if isinstance(target, Ledger) else Ledger(target)
    with ledger.reading() as tx:
        return _list_pending(tx)


def _wait_for_turn(tx: Connection) -> None:
    """SQLite needs none: its transaction began with the write lock."""
    if tx.dialect.name != "postgresql":
        return
    tx.execute(text("SET LOCAL statement_timeout = 0"))
    tx.execute(text(f"SET LOCAL lock_timeout = '{TURN_SECONDS}s'"))
    tx.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": UPGRADE_LOCK})
    tx.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'"))


def _list_pending(tx: Connection) -> list[str]:
    applied = MigrationContext.configure(tx).get_current_heads()
    steps = ScriptDirectory.from_config(_config())
    newest_first = steps.iterate_revisions("head", applied or "base")
    return [step.revision for step in newest_first][::-1]


def _config() -> Config:
    """No ini file: it would also reconfigure logging. What Alembic prints goes nowhere."""
    config = Config(stdout=io.StringIO(), output_buffer=io.StringIO())
    config.set_main_option("script_location", str(find_migrations()).replace("%", "%%"))
    return config
