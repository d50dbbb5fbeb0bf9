"""Who plays the platform and Stripe? The sandbox in a process of its own, as slow as the real ones."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.bench.cores import pin
from tests.bench.stand import Stand, end_process, start_process
from tests.e2e.machine import environment
from tests.faults.site import answers, until
from tests.sandbox.worlds import config_for

# More calls than any benchmark makes: every one of them is slow.
ALWAYS = 1_000_000_000
SEND_SECONDS, STRIPE_SECONDS = 0.2, 0.3
CALLERS = 16
# A POST of a platform carries at most this many of our messages.
POST_MOST = 100
PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Pace:
    """How slow the world is, and whether it counts calls as Meta and Stripe do."""

    send_seconds: float = SEND_SECONDS
    stripe_seconds: float = STRIPE_SECONDS
    is_limited: bool = True


@dataclass(frozen=True)
class Sandbox:
    http: httpx.Client

    def call(self, path: str, **body: Any) -> Any:
        answer = self.http.post(f"/api{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def slow_down(self, target: str, seconds: float) -> None:
        if seconds:
            self.call("/faults", target=target, fault="slow", times=ALWAYS, delay_seconds=seconds)

    def write(self, who: str, text: str) -> None:
        status = self.call("/dm", follower=who, text=text)["status"]
        assert status == 200, status

    def write_all(self, people: Sequence[str], text: str) -> None:
        """All at once, a hundred in a POST."""
        for start in range(0, len(people), POST_MOST):
            written = [{"follower": who, "text": text} for who in people[start : start + POST_MOST]]
            assert self.call("/batch", messages=written)["status"] == 200

    def write_at_pace(self, wishes: Sequence[tuple[str, str]], per_second: float) -> None:
        """(follower, text): each at its time, whether or not the ones before were answered."""
        begins_at = time.monotonic()

        def write(number: int) -> None:
            time.sleep(max(0.0, begins_at + number / per_second - time.monotonic()))
            self.write(*wishes[number])

        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(write, range(len(wishes))))


@contextmanager
def running_sandbox(stand: Stand, pace: Pace, kept_in: Path | None = None) -> Iterator[Sandbox]:
    """On the port beside the engine's. `kept_in`: a folder that a world before it may have left."""
    engine_url = f"http://127.0.0.1:{stand.port}"
    limits = {"graph_rate_limit": pace.is_limited, "stripe_rate_limit": pace.is_limited}
    config = stand.folder / "world.json"
    config.write_text(json.dumps(asdict(config_for(engine_url, **limits))), "utf-8")
    told = [sys.executable, "-m", "claimbot.sandbox", "--config", str(config), "--port", str(stand.port + 1)]
    told += ["--data-dir", str(kept_in)] if kept_in else []
    process = start_process(stand.folder / "sandbox.log", told, environment(), stand.folder)
    pin(process.pid, stand.ground.cores.client)
    url = f"http://127.0.0.1:{stand.port + 1}"
    try:
        until(lambda: answers(f"{url}/"))
        with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_SECONDS) as client:
            sandbox = Sandbox(client)
            sandbox.slow_down("graph", pace.send_seconds)
            sandbox.slow_down("stripe", pace.stripe_seconds)
            yield sandbox
    finally:
        end_process(process)
