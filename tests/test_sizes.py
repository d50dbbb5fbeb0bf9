"""Is every file and function short enough to read? The limits of how our code looks."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILE_LINES = 400
FUNCTION_LINES = 50
LUA_LINES = 90
TEMPLATE_LINES = 100
MIGRATION_LINES = 80

PYTHON = sorted(path for folder in ("claimbot", "tests", ".ci") for path in (ROOT / folder).rglob("*.py"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MIGRATIONS = sorted((ROOT / "migrations" / "versions").glob("*.py"))
LUA = sorted((ROOT / "claimbot").rglob("*.lua"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_a_python_file_is_short(path: Path) -> None:
    assert lines_of(path) <= FILE_LINES


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_its_functions_are_short(path: Path) -> None:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, functions)
    ]
    long = [node.name for node in found if (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES]

    assert long == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_is_short(path: Path) -> None:
    assert lines_of(path) <= TEMPLATE_LINES


@pytest.mark.parametrize("path", MIGRATIONS, ids=name_of)
def test_a_migration_is_one_step(path: Path) -> None:
    assert lines_of(path) <= MIGRATION_LINES


@pytest.mark.parametrize("path", LUA, ids=name_of)
def test_a_script_is_one_verb(path: Path) -> None:
    assert lines_of(path) <= LUA_LINES
