"""Has every row of the matrix of faults a test? `pytest --collect-only -m matrix` lists them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROWS = range(1, 51)
TESTS = Path(__file__).parent.parent
PATIENCE_SECONDS = 120.0


class Marked:
    """A plugin of pytest: which rows do the collected tests name?"""

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        rows = {row for item in session.items for mark in item.iter_markers("matrix") for row in mark.args}
        sys.stdout.write(f"rows {' '.join(map(str, sorted(rows)))}\n")


def marked_files() -> list[str]:
    here = Path(__file__)
    return [str(one) for one in TESTS.rglob("test_*.py") if one != here and "mark.matrix(" in one.read_text()]


def test_every_row_of_the_matrix_has_a_test() -> None:
    """By collecting in a process of its own, as anybody would who looks for them."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.test_matrix", *marked_files()],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    [found] = [line for line in done.stdout.splitlines() if line.startswith("rows ")]
    assert [int(row) for row in found.split()[1:]] == list(ROWS)


if __name__ == "__main__":
    sys.exit(pytest.main(["--collect-only", "-q", "-m", "matrix", *sys.argv[1:]], plugins=[Marked()]))
