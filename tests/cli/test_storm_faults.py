"""Does everything that a rehearsal breaks work again afterwards, however the rehearsal ends?"""

import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from claimbot.cli.storm_faults import FAULTS, Schedule
from claimbot.cli.storm_strikes import Target
from claimbot.core.drops import Drop
from claimbot.core.errors import Refused
from claimbot.jobs import ClockLoop
from tests.cli.test_storm import engine, storm, terminal_of
from tests.e2e.machine import command, environment
from tests.engine import Engine
from tests.faults.servers import RedisProcess
from tests.faults.site import until
from tests.flows.looks import open_alerts

__all__ = ["engine"]

OF_THE_WORLD = sorted(
    name
    for name in FAULTS
    if name.startswith(("stripe", "platform", "webhooks", "messages", "answers", "echoes"))
)
STOP_SECONDS = 10.0


@pytest.fixture
def drop(engine: Engine) -> Drop:
    return engine.drop(stock_units=5)


@pytest.fixture
def clock(engine: Engine) -> Iterator[None]:
    """It is a minute ahead: what was just written is old enough to be looked for."""
    engine.chore("lost")
    engine.clock.moved += timedelta(minutes=1)
    loop = ClockLoop(engine.parts)
    thread = threading.Thread(target=loop.run, daemon=True)
    thread.start()
    yield
    loop.stop()
    thread.join(STOP_SECONDS)


def schedule_of(engine: Engine, drop: Drop, *names: str, seconds: float | None = None) -> Schedule:
    return Schedule.of(Target(engine.parts, engine.world.http, drop), names, 10, seconds)


def armed(engine: Engine) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = engine.world.get("/faults")
    return found


def test_words_that_no_webhook_told_are_found_and_everybody_is_counted(
    engine: Engine, drop: Drop, clock: None
) -> None:
    words = ("--followers", "40", "--duplicates", "0", "--pay", "0", "--fault", "messages-lost")

    code, report = storm(engine, *words)

    assert (code, report["broken"], report["lost"]) == (0, [], 0)
    assert report["untold"] == report["found"] == 4
    assert report["outcomes"] == {"held": 5, "waitlisted": 35}


def test_words_that_nobody_looks_for_are_lost_and_said_to_be(engine: Engine, drop: Drop) -> None:
    """No clock runs here; the rehearsal waits for one no longer than it is told."""
    words = (
        "--followers",
        "20",
        "--duplicates",
        "0",
        "--pay",
        "0",
        "--patience",
        "1",
        "--fault",
        "messages-lost",
    )

    code, report = storm(engine, *words)

    assert (code, report["untold"], report["found"], report["lost"]) == (1, 2, 0, 2)


@pytest.mark.parametrize("name", OF_THE_WORLD)
def test_a_fault_of_the_world_ends_with_the_rehearsal(engine: Engine, drop: Drop, name: str) -> None:
    with schedule_of(engine, drop, name) as schedule:
        schedule.pass_by(10)
        assert len(armed(engine)) == 1

    assert (schedule.struck, armed(engine)) == ([name], [])


def test_what_lasts_for_seconds_is_over_before_the_rehearsal_is(engine: Engine, drop: Drop) -> None:
    with schedule_of(engine, drop, "stripe-reset", "platform-slow", seconds=0.1) as schedule:
        schedule.pass_by(10)
        schedule.wait()
        assert [one["fault"] for one in armed(engine)] == ["slow"]


def test_what_cannot_be_mended_is_told_after_everything_else_was(engine: Engine, drop: Drop) -> None:
    with pytest.raises(httpx.RemoteProtocolError):  # noqa: SIM117 - the faults are armed between the two
        with schedule_of(engine, drop, "token-expired", "ledger-locked") as schedule:
            schedule.pass_by(10)
            engine.world.fault("graph", "reset_all", times=1_000)

    assert engine.dm("ann") == 200
    assert engine.states() == {"held": 1}


def test_a_token_that_was_refused_is_connected_again(engine: Engine, drop: Drop) -> None:
    with schedule_of(engine, drop, "token-expired") as schedule:
        schedule.pass_by(10)
        engine.dm("ann")
        until(lambda: "account" in open_alerts(engine))
        assert engine.heard("ann") == []

    until(lambda: len(engine.heard("ann")) == 1)
    assert "account" not in open_alerts(engine)


def test_a_ledger_that_was_locked_is_written_to_again(engine: Engine, drop: Drop) -> None:
    path = engine.parts.ledger.engine.url.database
    assert path is not None
    with schedule_of(engine, drop, "ledger-locked") as schedule:
        schedule.pass_by(10)
        with closing(sqlite3.connect(path, timeout=0)) as other, pytest.raises(sqlite3.OperationalError):
            other.execute("BEGIN IMMEDIATE")

    assert engine.dm("ann") == 200
    assert engine.states() == {"held": 1}


def test_a_redis_that_stood_still_goes_on(engine: Engine, drop: Drop, tmp_path: Path) -> None:
    with RedisProcess.running(tmp_path / "data") as redis:
        object.__setattr__(
            engine.parts, "settings", engine.parts.settings.model_copy(update={"data_dir": tmp_path / "data"})
        )
        with schedule_of(engine, drop, "redis-paused") as schedule:
            schedule.pass_by(10)
            until(lambda: state_of(redis.process.process.pid) == "T")

        until(lambda: state_of(redis.process.process.pid) == "S")


def state_of(pid: int) -> str:
    """T is stopped, S sleeps until somebody asks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]


def test_an_account_that_was_taken_off_is_subscribed_again(engine: Engine, drop: Drop) -> None:
    with schedule_of(engine, drop, "unsubscribed") as schedule:
        schedule.pass_by(10)
        assert engine.dm("ann") == 0

    assert engine.dm("ben") == 200


def test_nothing_is_broken_when_one_of_the_faults_cannot_strike(engine: Engine, drop: Drop) -> None:
    with pytest.raises(Refused, match="no web runs on"):
        schedule_of(engine, drop, "stripe-slow", "web-killed")

    assert armed(engine) == []


def test_in_one_large_post_every_moment_strikes(engine: Engine, drop: Drop) -> None:
    words = ("--followers", "20", "--batch", "100", "--pay", "0", "--fault", "redis-wiped")

    code, report = storm(engine, *words)

    assert (code, report["faults"]) == (0, ["redis-wiped"] * 3)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_rehearsal_that_is_interrupted_leaves_the_world_whole(
    engine: Engine, drop: Drop, number: signal.Signals
) -> None:
    url = ("--sandbox-url", engine.world.url)
    words = command("storm", *url, "--followers", "5000", "--threads", "2", "--fault", "platform-slow")
    process = subprocess.Popen(
        words, env=environment(**terminal_of(engine).values), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    until(lambda: armed(engine) and engine.outcomes())

    process.send_signal(number)

    process.communicate(timeout=STOP_SECONDS)
    assert (process.returncode, armed(engine)) == (1, [])
