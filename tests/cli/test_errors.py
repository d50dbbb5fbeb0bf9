import sqlite3
from collections.abc import Iterator
from contextlib import closing

import click
import pytest
from click.testing import CliRunner

from claimbot.cli import COMMANDS, claimbot, say
from claimbot.core.errors import LedgerUnavailable, Refused, Setup
from tests.cli.conftest import Terminal


def all_commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from all_commands(found, (*path, name))


@pytest.mark.parametrize("path", list(all_commands(claimbot)), ids=" ".join)
def test_every_command_shows_an_example_in_its_help(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(claimbot, [*path, "--help"])

    assert result.exit_code == 0
    assert f"Example: {' '.join(('claimbot', *path))}" in " ".join(result.output.split())


def test_the_list_of_commands_says_what_each_does() -> None:
    listed = CliRunner().invoke(claimbot, ["--help"]).output

    assert all(place.about in listed for place in COMMANDS.values())


def test_the_version_is_that_of_the_package() -> None:
    assert CliRunner().invoke(claimbot, ["--version"]).output.startswith("claimbot 0.")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("lunch",), "No such command 'lunch'"),
        (("up", "--port", "80"), "'--port'"),
        (("drop", "create"), "Missing option '--brand'"),
        (("replay", "nowhere.json"), "does not exist"),
        (("storm", "--duplicates", "101"), "'--duplicates'"),
    ],
)
def test_wrong_words_are_answered_with_what_is_wrong(words: tuple[str, ...], part: str) -> None:
    result = CliRunner().invoke(claimbot, words)

    assert result.exit_code == 2
    assert part in result.stderr


def test_every_fault_of_the_settings_has_its_own_line(terminal: Terminal) -> None:
    result = terminal.run("db", "status", PORT="no number", WEB_THREADS="0", ENCRYPTION_KEYS="short")

    assert result.exit_code == 2
    assert [line.split(": ")[1] for line in result.stderr.splitlines()] == [
        "PORT",
        "WEB_THREADS",
        "ENCRYPTION_KEYS",
    ]


def test_a_refusal_is_one_line(terminal: Terminal) -> None:
    result = terminal.run("export", "leads", "--brand", "nobody")

    assert result.exit_code == 2
    assert result.stderr == "claimbot: There is no brand nobody; see: claimbot brand list\n"


@pytest.mark.parametrize(
    "words",
    [("doctor",), ("verify",), ("brand", "list"), ("storm",), ("export", "leads", "--brand", "aurora")],
)
def test_a_data_folder_of_an_older_version_says_what_to_run(
    aurora: Terminal, database: str, words: tuple[str, ...]
) -> None:
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as file, file:
        file.execute("UPDATE alembic_version SET version_num = '0001'")
        file.execute("DROP TABLE notices")

    result = aurora.run(*words)

    assert (result.exit_code, result.stderr) == (
        2,
        "claimbot: the tables are not up to date: claimbot db upgrade\n",
    )


def test_a_silent_database_is_one_line(terminal: Terminal) -> None:
    result = terminal.run("brand", "list", DATABASE_URL="postgresql://127.0.0.1:1/none")

    assert (result.exit_code, result.stderr) == (1, "claimbot: the ledger did not answer\n")


@pytest.mark.parametrize(
    ("error", "code"),
    [(Refused("no"), 2), (Setup(["one", "two"]), 2), (LedgerUnavailable("gone"), 1), (KeyError("x"), 70)],
)
def test_each_family_of_errors_has_its_exit_code(error: Exception, code: int) -> None:
    assert say(error) == code


def test_a_bug_shows_no_text_of_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    say(ValueError("a follower's words"))

    assert capsys.readouterr().err == (
        "claimbot: unexpected ValueError; set LOG_LEVEL=DEBUG for the traceback\n"
    )


def test_a_bug_shows_its_traceback_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "debug")

    with pytest.raises(ValueError, match="mine"):
        say(ValueError("mine"))
