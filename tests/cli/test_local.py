import json
from pathlib import Path

import pytest

from claimbot.cli.local import SANDBOX_SECRETS, SECRETS, held_folder, keep_secrets, write_private
from claimbot.cli.processes import Program, Supervisor, write_config
from claimbot.cli.surroundings import ADDRESSES_FILE, SECRETS_FILE, find_settings, find_values
from claimbot.cli.up import make_plan
from claimbot.core.errors import Refused, Setup
from tests.e2e.machine import free_port


def test_every_secret_is_made_once_and_kept_for_this_account_only(tmp_path: Path) -> None:
    path = tmp_path / SECRETS_FILE

    first = keep_secrets(path, {})

    assert first.keys() == {*SECRETS, *SANDBOX_SECRETS}
    assert keep_secrets(path, {}) == first
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["SECRET_KEY", "SECRET_KEY_FILE"])
def test_a_secret_of_the_environment_is_not_made(tmp_path: Path, name: str) -> None:
    assert "SECRET_KEY" not in keep_secrets(tmp_path / SECRETS_FILE, {name: "given"})


def test_made_secrets_are_good_enough_for_production(tmp_path: Path) -> None:
    secrets = keep_secrets(tmp_path / SECRETS_FILE, {})
    given = {"ENVIRONMENT": "production", "PUBLIC_URL": "https://drops.aurora.test", "PORT": str(free_port())}

    assert make_plan(tmp_path, given, has_sandbox=False).settings.app_secrets == (
        secrets["META_APP_SECRETS"],
    )


def test_a_broken_file_of_secrets_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / SECRETS_FILE
    path.write_text("{half", "utf-8")

    with pytest.raises(Setup, match=r"secrets\.json in the data folder cannot be read"):
        keep_secrets(path, {})

    assert path.read_text("utf-8") == "{half"


def test_a_folder_is_held_by_one(tmp_path: Path) -> None:
    with held_folder(tmp_path), pytest.raises(Refused, match="already runs"), held_folder(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")

    with pytest.raises(Refused, match="--data-dir"), held_folder(tmp_path / "file" / "data"):
        pass


def test_commands_find_what_up_left_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    write_private(tmp_path / "data" / ADDRESSES_FILE, json.dumps({"PORT": "8123", "HOST": "127.0.0.2"}))
    monkeypatch.setenv("HOST", "127.0.0.3")

    settings = find_settings()

    assert (settings.port, settings.host) == (8123, "127.0.0.3")


def test_the_env_file_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=8124\n", "utf-8")

    assert find_values()["PORT"] == "8124"


def test_the_sandbox_signs_with_the_secret_that_the_engine_believes(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, {"PORT": str(free_port())}, has_sandbox=True)

    assert plan.settings.stripe_api_url == f"{plan.sandbox_url}/stripe"
    assert plan.settings.app_secrets == (plan.secrets["META_APP_SECRETS"],)


def test_no_folder_and_no_secret_stands_in_the_configuration(tmp_path: Path) -> None:
    folder = tmp_path / "a %(b)s ;c #d"
    folder.mkdir()

    write_config(folder, [Program("web", ["python", "-m", "claimbot.cli", "50%"])])

    written = (folder / "run" / "supervisord.conf").read_text("utf-8")
    assert str(tmp_path) not in written
    assert "command=python -m claimbot.cli 50%%\n" in written


def test_a_process_that_gives_up_is_told_once_also_after_its_log_was_replaced(tmp_path: Path) -> None:
    log, told = tmp_path / "supervisord.log", list[str]()
    supervisor = Supervisor(None, log, told.append)  # type: ignore[arg-type]  # only its log is looked at
    log.write_text("INFO spawned: 'web' with pid 1\n" * 9, "utf-8")
    supervisor.look()

    log.write_text("INFO gave up: web entered FATAL state, too many start retries\n", "utf-8")
    supervisor.look()
    supervisor.look()

    assert supervisor.has_given_up
    assert told == ["web does not start: see logs/web.log in the data folder"]
