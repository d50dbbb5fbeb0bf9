"""Is work done once, whatever happens to the worker that began it? With real processes."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from claimbot.db.engine import Ledger
from tests.e2e.machine import environment, until
from tests.engine import Engine, running_engine

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 30.0
# The lease is 30 seconds; the rest is one look a second and the send itself.
TAKEOVER_SECONDS = 35.0


@pytest.fixture
def engine(on_sqlite: Ledger, redis_url: str) -> Iterator[Engine]:
    with running_engine(on_sqlite, redis_url) as engine:
        yield engine


def settings_of(engine: Engine) -> dict[str, str]:
    settings = engine.parts.settings
    return environment(
        DATABASE_URL=settings.database_url,
        REDIS_URL=settings.redis_url,
        ENCRYPTION_KEYS=settings.encryption_keys[0].get_secret_value(),
        PUBLIC_URL=settings.public_url,
        META_GRAPH_URL=settings.meta_graph_url,
        META_INSTAGRAM_URL=settings.meta_instagram_url,
        STRIPE_API_URL=settings.stripe_api_url,
        DATA_DIR="nowhere",
    )


@contextmanager
def process(engine: Engine, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen([sys.executable, "-m", *arguments], env=settings_of(engine), cwd=ROOT)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def test_what_a_killed_worker_began_is_done_once_by_another(engine: Engine, tmp_path: Path) -> None:
    """Killed between the Stripe call and the send; the lease runs out in real time."""
    engine.drop(stock_units=1)
    engine.dm("ann")
    here = tmp_path / "here"
    with process(engine, "tests.e2e.paused_worker", "offer.after_session", str(here)) as paused:
        until(here.exists)
        with process(engine, "claimbot.cli", "worker"):
            paused.send_signal(signal.SIGKILL)
            paused.wait()
            killed_at = time.monotonic()
            assert engine.heard("ann") == []
            until(lambda: engine.heard("ann"), TAKEOVER_SECONDS)

    assert time.monotonic() - killed_at <= TAKEOVER_SECONDS
    assert len(engine.heard("ann")) == 1
    assert engine.world.get("/state")["sessions"]["open"] == 1


def test_a_worker_that_is_told_to_stop_finishes_what_it_sends(engine: Engine) -> None:
    engine.drop(stock_units=8)
    people = [f"person{number}" for number in range(8)]
    for person in people:
        engine.dm(person)
    engine.world.fault("graph", "slow", times=8, delay_seconds=1.5)

    with process(engine, "claimbot.cli", "worker") as worker:
        until(lambda: engine.rows("SELECT 1 FROM outbox WHERE called_at IS NOT NULL"))
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(STOP_SECONDS) == 0

    assert engine.rows("SELECT count(*) FROM outbox WHERE state = 'running'") == [(0,)]
    assert all(len(engine.heard(person)) <= 1 for person in people)


@pytest.mark.parametrize("name", ["worker", "clock"])
def test_a_process_refuses_tables_that_are_not_up_to_date(name: str, tmp_path: Path) -> None:
    key = "RERmR3o5TXpqcFF3eVhrYTdQMnRMc1Z1QjRuMGhpSmM="
    said = subprocess.run(
        [sys.executable, "-m", "claimbot.cli", name],
        env=environment(DATA_DIR=str(tmp_path), REDIS_URL="redis://127.0.0.1:1", ENCRYPTION_KEYS=key),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=STOP_SECONDS,
    )

    assert said.returncode == 2
    assert said.stderr.splitlines()[-1] == "claimbot: the tables are not up to date: claimbot db upgrade"
