"""What may the tests of the commands ask for? A terminal with a migrated SQLite and a real Redis."""

import base64
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from claimbot.cli import claimbot
from tests.engine import KEY_BYTES
from tests.ledgers import sqlite_url
from tests.sandbox.worlds import APP_SECRET

SETTINGS_NAMES = ("LOG_LEVEL", "DATABASE_URL", "REDIS_URL", "DATA_DIR", "PORT", "ENCRYPTION_KEYS")


class Terminal:
    """Runs commands as a person would, in an empty folder."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values

    def run(self, *words: str, typed: str = "", **more: str) -> Result:
        return CliRunner().invoke(claimbot, words, env={**self.values, **more}, input=typed)

    def ok(self, *words: str, **more: str) -> str:
        """The output of a command that must not fail."""
        result = self.run(*words, **more)
        assert result.exit_code == 0, result.output
        return result.stdout


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No `.env` and no setting of this machine."""
    monkeypatch.chdir(tmp_path)
    for name in SETTINGS_NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def database(migrated_sqlite: Path, tmp_path: Path) -> str:
    path = tmp_path / "ledger.sqlite"
    shutil.copyfile(migrated_sqlite, path)
    return sqlite_url(path)


@pytest.fixture
def terminal(database: str, redis_url: str) -> Terminal:
    return Terminal(
        {
            "DATABASE_URL": database,
            "REDIS_URL": redis_url,
            "ENCRYPTION_KEYS": base64.b64encode(KEY_BYTES).decode(),
            "META_APP_SECRETS": APP_SECRET,
            "META_VERIFY_TOKEN": "the-verify-token",
        }
    )


@pytest.fixture
def aurora(terminal: Terminal) -> Terminal:
    """A terminal of somebody who has made a brand."""
    terminal.ok("brand", "create", "--slug", "aurora", "--name", "Aurora")
    return terminal
