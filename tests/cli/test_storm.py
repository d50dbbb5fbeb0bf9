import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claimbot.db.engine import Ledger
from claimbot.jobs import WorkerLoop
from tests.cli.conftest import Terminal
from tests.engine import Engine, running_engine

STOP_SECONDS = 10.0


@pytest.fixture
def engine(on_sqlite: Ledger, redis_url: str) -> Iterator[Engine]:
    """With a worker beside it."""
    with running_engine(on_sqlite, redis_url) as engine:
        loop = WorkerLoop(engine.parts, threads=2)
        thread = threading.Thread(target=loop.run, daemon=True)
        thread.start()
        yield engine
        loop.stop()
        thread.join(STOP_SECONDS)


def terminal_of(engine: Engine) -> Terminal:
    settings = engine.parts.settings
    return Terminal(
        {
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "ENCRYPTION_KEYS": settings.encryption_keys[0].get_secret_value(),
            "STRIPE_API_URL": settings.stripe_api_url,
        }
    )


def storm(engine: Engine, *words: str) -> tuple[int, dict[str, Any]]:
    url = ("--sandbox-url", engine.world.url)
    result = terminal_of(engine).run("storm", *url, "--json", *words)
    return result.exit_code, json.loads(result.stdout)


@pytest.mark.parametrize("batch", ["1", "7"])
def test_a_rehearsal_counts_everybody_once_and_keeps_every_promise(engine: Engine, batch: str) -> None:
    engine.drop(stock_units=5)

    code, report = storm(engine, "--followers", "40", "--duplicates", "50", "--pay", "100", "--batch", batch)

    assert code == 0, report
    assert report["outcomes"] == {"held": 5, "waitlisted": 35}
    assert report["claims"] == {"sold": 5, "waitlisted": 35}
    assert report["broken"] == []
    assert report["refused"] == 0


def test_a_process_that_is_not_there_cannot_be_killed(engine: Engine, tmp_path: Path) -> None:
    engine.drop(stock_units=1)

    url = ("--sandbox-url", engine.world.url)
    result = terminal_of(engine).run("storm", *url, "--fault", "web-killed", "--followers", "5")

    assert result.exit_code == 2
    assert "no web runs on" in result.stderr


def test_a_word_that_no_drop_has_is_refused(engine: Engine) -> None:
    url = ("--sandbox-url", engine.world.url)

    result = terminal_of(engine).run("storm", *url, "--word", "NOTHING")

    assert result.exit_code == 2
    assert result.stderr.startswith("claimbot: --word: no open drop has the word NOTHING")


def test_a_sandbox_that_is_not_there_is_named_in_one_line(engine: Engine) -> None:
    engine.drop(stock_units=1)

    result = terminal_of(engine).run("storm", "--sandbox-url", "http://127.0.0.1:9", "--json")

    assert (result.exit_code, result.stderr) == (
        1,
        "claimbot: the sandbox does not answer; start it with: claimbot up\n",
    )
