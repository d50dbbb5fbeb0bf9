"""How do the tables become what this version needs? All steps, in one transaction."""

import io
import threading

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from claimbot.db.engine import Ledger
from claimbot.db.steps import find_migrations, list_pending

# Any number serves: it lets one process upgrade at a time on PostgreSQL.
UPGRADE_LOCK = 7_020_312
# Long enough for another process to finish its upgrade; then something is wrong.
TURN_SECONDS = 60
# A step that waits longer for a table would hold up everybody who queues behind it.
LOCK_TIMEOUT_SECONDS = 3
# Alembic's `op` and `context` belong to the whole process: one upgrade at a time in it.
_one_at_a_time = threading.Lock()


def upgrade(target: Ledger | Engine) -> list[str]:
    """Bring the tables up to date, all steps or none; returns the revisions that were applied.

    Any number of processes may do this at once: one applies the steps, the others find nothing to do.
    """
    ledger = target if isinstance(target, Ledger) else Ledger(target)
    with _one_at_a_time, ledger.begin() as tx:
        _wait_for_turn(tx)
        waiting = list_pending(tx)
        if waiting:
            config = _config()
            config.attributes["connection"] = tx
            command.upgrade(config, "head")
    return waiting


def _wait_for_turn(tx: Connection) -> None:
    """SQLite needs none: its transaction began with the write lock."""
    if tx.dialect.name != "postgresql":
        return
    tx.execute(text("SET LOCAL statement_timeout = 0"))
    tx.execute(text(f"SET LOCAL lock_timeout = '{TURN_SECONDS}s'"))
    tx.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": UPGRADE_LOCK})
    tx.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'"))


def _config() -> Config:
    """No ini file: it would also reconfigure logging. What Alembic prints goes nowhere."""
    config = Config(stdout=io.StringIO(), output_buffer=io.StringIO())
    config.set_main_option("script_location", str(find_migrations()).replace("%", "%%"))
    return config
