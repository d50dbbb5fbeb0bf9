import csv
import io
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.machine import (
    Machine,
    command,
    environment,
    is_alive,
    is_ready,
    kill_and_wait_for_the_next,
    running_up,
    stop,
    until,
)

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with running_up(tmp_path_factory.mktemp("up") / "data") as machine:
        yield machine


def test_a_word_becomes_a_paid_unit(machine: Machine) -> None:
    machine.dm("ann", "LAUNCH")
    offer = machine.hears("ann", "held for 15 minutes")

    machine.pay(offer["buttons"][0]["url"])

    until(lambda: machine.sql("SELECT 1 FROM claims WHERE state = 'sold'"))
    until(lambda: len(machine.phone("ann")) == 2)


def test_a_choice_is_asked_for_and_a_tap_decides(machine: Machine) -> None:
    machine.dm("ben", "TEE")
    asked = until(lambda: next((one for one in machine.phone("ben") if one["choices"]), None))

    tap = next(one for one in asked["choices"] if one["title"] == "M")
    machine.api("/dm", follower="ben", text=tap["title"], payload=tap["payload"])

    assert "Aurora Tee" in machine.hears("ben", "held for")["text"]


def test_the_lead_list_is_a_csv_with_everybody(machine: Machine) -> None:
    machine.dm("cleo", "launch please")
    machine.hears("cleo", "held for")

    said = machine.run("export", "leads", "--brand", "aurora")

    rows = list(csv.DictReader(io.StringIO(said.stdout)))
    assert said.returncode == 0, said.stderr
    assert {row["lead_id"] for row in rows} == {lead for (lead,) in machine.sql("SELECT id FROM leads")}
    assert "LAUNCH" in {row["keyword"] for row in rows}


def test_stop_is_obeyed(machine: Machine) -> None:
    machine.dm("dora", "STOP")
    machine.hears("dora", "START")

    machine.dm("dora", "LAUNCH")

    assert machine.sql("SELECT outcome FROM inbox WHERE reason = 'wrote_stop_before'") == [("opted_out",)]
    assert not machine.sql(
        "SELECT 1 FROM outbox WHERE state = 'ready' AND lead_id IN"
        " (SELECT id FROM leads WHERE opted_out_at IS NOT NULL)"
    )


def test_a_hold_that_ends_goes_to_the_next_in_line(machine: Machine) -> None:
    said = machine.run(
        "drop", "create", "--brand", "aurora", "--name", "Aurora Cap", "--price", "20.00 EUR",
        "--word", "CAP", "--stock", "1", "--open",
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    time.sleep(1.1)  # the doors look for new drops once a second
    machine.dm("erin", "CAP")
    machine.hears("erin", "held for")
    machine.dm("finn", "CAP")
    machine.hears("finn", "line")

    machine.sql(
        "UPDATE claims SET hold_expires_at = '2020-01-01 00:00:00.000000' WHERE state = 'held' AND drop_id ="
        " (SELECT id FROM drops WHERE name = 'Aurora Cap')"
    )

    assert machine.hears("finn", "held for")["buttons"]


def test_nothing_is_wrong_after_all_that(machine: Machine) -> None:
    said = machine.run("verify")

    assert said.returncode == 0, said.stdout + said.stderr


def test_a_second_up_on_the_same_folder_says_so_in_one_line(machine: Machine) -> None:
    said = machine.run("up", "--data-dir", str(machine.folder), "--port", "22998")

    assert said.returncode == 2
    assert said.stderr.count("\n") == 1
    assert f"process {machine.process.pid}" in said.stderr


def test_a_taken_port_is_named_in_one_line(machine: Machine, tmp_path: Path) -> None:
    said = machine.run("up", "--data-dir", str(tmp_path), "--port", str(machine.port))

    assert said.returncode == 2
    assert said.stderr.splitlines() == [
        f"claimbot: port {machine.port} is taken: stop what uses it, or choose another with --port"
    ]


def test_secrets_are_for_this_account_only_and_on_no_command_line(machine: Machine) -> None:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout

    assert (machine.folder / "secrets.json").stat().st_mode & 0o077 == 0
    assert "sk_test_" not in listed
    assert "whsec_" not in listed


def test_settings_are_refused_all_at_once(tmp_path: Path) -> None:
    said = subprocess.run(
        command("up", "--data-dir", str(tmp_path)),
        env=environment(WEB_THREADS="0", LOG_LEVEL="LOUD", PORT="99999"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert said.returncode == 2
    assert [line.split(":")[1].strip() for line in said.stderr.splitlines()] == [
        "PORT",
        "WEB_THREADS",
        "LOG_LEVEL",
    ]


def test_a_process_that_keeps_ending_is_named_and_replaced_and_none_outlives_up(tmp_path: Path) -> None:
    with running_up(tmp_path / "data", "--no-sandbox") as machine:
        kill_and_wait_for_the_next(machine, "web")
        kill_and_wait_for_the_next(machine, "web")
        kill_and_wait_for_the_next(machine, "web")
        said = machine.process.stdout
        assert said is not None
        assert until(lambda: next((line for line in said if "/admin/join/" in line), ""))
        assert until(lambda: next((line for line in said if "web has ended 3 times" in line), ""))
        until(lambda: is_ready(machine), seconds=30.0)

        children = machine.children()
        machine.process.kill()
        until(lambda: not [pid for pid in children if is_alive(pid)], seconds=30.0)

    assert len(children) >= 5


def test_ctrl_c_ends_everything_and_the_next_run_keeps_the_data(machine: Machine) -> None:
    """The last one: it ends the machine that all of them used."""
    children = machine.children()
    known = machine.sql("SELECT count(*) FROM claims")

    assert stop(machine.process) == 0

    assert len(children) >= 6
    assert not [pid for pid in children if is_alive(pid)]
    with running_up(machine.folder) as again:
        again.dm("ann", "LAUNCH")
        again.hears("ann", "already")
        assert again.sql("SELECT count(*) FROM claims") == known
