"""What does one machine with SQLite lose to a power cut?"""

import json
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.machine import Machine, running_up
from tests.faults.lines import people
from tests.faults.servers import is_there
from tests.faults.site import PATIENCE_SECONDS, until

pytestmark = pytest.mark.e2e

# More of them for a night: CLAIMBOT_TEST_POWER_CUTS=50.
POWER_CUTS = int(os.environ.get("CLAIMBOT_TEST_POWER_CUTS", "3"))


def cut_power(machine: Machine) -> None:
    """Every process at once, none of them warned."""
    everybody: set[int] = set()
    # Who is being started this very moment is found at the next look; once all stand still, nobody is.
    while started := {machine.process.pid, *machine.children(), *at_home_in(machine.folder)} - everybody:
        for pid in started:
            os.kill(pid, signal.SIGSTOP)
        everybody |= started
    for pid in everybody:
        os.kill(pid, signal.SIGKILL)
    machine.process.wait(PATIENCE_SECONDS)
    until(lambda: not [pid for pid in everybody if is_there(pid)])


def at_home_in(folder: Path) -> set[int]:
    """Who was started by this `up`, also when their own parent is gone already."""
    mark = f"CLAIMBOT_HOME={folder}\0".encode()
    found = set()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in environment.read_bytes() + b"\0":
                found.add(int(environment.parent.name))
    return found


def write(machine: Machine, names: list[str]) -> list[str]:
    """Who was acknowledged."""
    answers = {
        who: machine.sandbox.post("/api/dm", json={"follower": who, "text": "LAUNCH"}) for who in names
    }
    return [answer.json()["mid"] for answer in answers.values() if answer.json()["status"] == 200]


def one_evening(folder: Path, number: int) -> tuple[Machine, list[str]]:
    """A run that ends with a power cut, and what was acknowledged in it."""
    with running_up(folder) as machine:
        acknowledged = write(machine, people(12, f"cut{number}."))
        cut_power(machine)
    return machine, acknowledged


@pytest.mark.matrix(48)
def test_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    evenings = [one_evening(tmp_path / "data", number) for number in range(POWER_CUTS)]

    machine = evenings[-1][0]
    acknowledged = {mid for _, mids in evenings for mid in mids}
    assert len(acknowledged) == 12 * POWER_CUTS
    assert acknowledged <= {row[0] for row in machine.sql("SELECT event_id FROM inbox")}
    assert machine.run("verify").returncode == 0


# A killed worker, as in a power cut, costs the half minute of its lease: tests/faults/test_processes.py.
KILLED = ("web-killed", "clock-killed", "redis-killed", "redis-wiped")
BROKEN = ("redis-paused", "ledger-locked", "token-expired", "stripe-reset")
REHEARSAL_SECONDS = 240.0


@pytest.mark.matrix(20)
@pytest.mark.parametrize("names", [KILLED, BROKEN], ids=["killed", "broken"])
def test_a_rehearsal_breaks_what_this_machine_needs_and_loses_nothing(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    faults = [word for name in names for word in ("--fault", name)]
    with running_up(tmp_path / "data") as machine:
        words = ("--followers", "60", "--threads", "8", "--stock", "20", "--outage", "3", "--json")
        done = machine.run("storm", *words, *faults, seconds=REHEARSAL_SECONDS)

    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert (report["lost"], report["broken"], report["refused"]) == (0, [], 0)
    assert sorted(set(report["faults"])) == sorted(names)
    assert sum(report["outcomes"].values()) == 60
