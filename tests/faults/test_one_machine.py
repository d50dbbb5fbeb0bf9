"""What does one machine with SQLite lose to a power cut?"""

import os
import signal
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
    everybody = [machine.process.pid, *machine.children()]
    for pid in everybody:
        os.kill(pid, signal.SIGSTOP)
    for pid in everybody:
        os.kill(pid, signal.SIGKILL)
    machine.process.wait(PATIENCE_SECONDS)
    until(lambda: not [pid for pid in everybody if is_there(pid)])


def write(machine: Machine, names: list[str]) -> list[str]:
    """Who was acknowledged."""
    answers = {
        who: machine.sandbox.post("/api/dm", json={"follower": who, "text": "LAUNCH"}) for who in names
    }
    return [answer.json()["mid"] for answer in answers.values() if answer.json()["status"] == 200]


@pytest.mark.matrix(48)
def test_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    for number in range(POWER_CUTS):
        with running_up(tmp_path / "data") as machine:
            acknowledged |= set(write(machine, people(12, f"cut{number}.")))
            cut_power(machine)
        assert len(acknowledged) == 12 * (number + 1)

    assert acknowledged <= {row[0] for row in machine.sql("SELECT event_id FROM inbox")}
    assert machine.run("verify").returncode == 0
