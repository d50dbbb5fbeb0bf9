"""What does a process load at its start? Nothing heavy that it may never need."""

import subprocess
import sys

import pytest

SAYS_WHAT_IS_LOADED = "import sys, {module}; print(*sys.modules)"


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("claimbot.cli.following", {"alembic", "sqlalchemy.orm", "zxcvbn"}),
        ("claimbot.cli.web", {"alembic", "flask", "sqlalchemy.orm", "zxcvbn"}),
        ("claimbot.cli.serve", {"alembic", "flask", "sqlalchemy.orm", "zxcvbn"}),
        ("claimbot.cli", {"sqlalchemy", "stripe", "redis", "pydantic", "rich"}),
    ],
)
def test_a_start_loads_nothing_that_it_may_never_need(module: str, heavy: set[str]) -> None:
    code = SAYS_WHAT_IS_LOADED.format(module=module)

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert heavy & set(told.stdout.split()) == set()
