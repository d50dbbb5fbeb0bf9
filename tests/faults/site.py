"""What runs in a test of processes? Real web, worker and clock, a PostgreSQL and a Redis, all ours to end."""

import base64
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
from sqlalchemy import text

from claimbot.core.brands import Brand
from claimbot.core.drops import Drop
from claimbot.core.payments import PaymentKeys
from claimbot.db import brands, marks
from claimbot.parts import Parts, make_parts
from claimbot.settings import Settings
from tests.builders import make_account, make_brand, make_drop, make_sealer
from tests.e2e.machine import command, environment, free_port
from tests.engine import KEY_BYTES
from tests.faults.lines import CALLERS, Ack
from tests.proxy import Proxy, running_proxy
from tests.sandbox.worlds import (
    ACCOUNT,
    APP_SECRET,
    KEY,
    TOKEN,
    WEBHOOK_SECRET,
    Running,
    config_for,
    running_world,
)

T = TypeVar("T")

PATIENCE_SECONDS = 30.0
# A platform delivers again and again; a message that is refused this often is a fault.
TRIES_MOST = 60
TRY_AGAIN_SECONDS = 0.25


def until(look: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
    """The first answer that is not empty."""
    ends_at = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < ends_at, "it did not happen"
        time.sleep(0.02)
    return found


@dataclass
class Site:
    """`front` stands before the web process, like a load balancer; the world delivers there."""

    folder: Path
    values: Mapping[str, str]
    front: Proxy
    world: Running
    parts: Parts
    brand: Brand
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def drop(self, **changes: Any) -> Drop:
        return make_drop(self.parts.ledger, self.brand, **changes)

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """`web`, `worker` or `clock`, in a process group of its own; a number behind makes a second one."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command(name.rstrip("0123456789")),
                env=environment(**self.values),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.running[name] = process
        return process

    def wait_for_beat(self, name: str) -> None:
        """A worker or a clock has begun to work."""
        beats = r"SELECT name FROM marks WHERE name LIKE 'beat\:%'"
        ends = f":{self.running[name].pid}"
        until(lambda: any(row[0].endswith(ends) for row in self.rows(beats)))

    def start_web(self, name: str = "web") -> None:
        """On a port of its own; when it answers, the front leads there."""
        port = free_port()
        self.values = {**self.values, "PORT": str(port)}
        self.start(name)
        until(lambda: answers(f"http://127.0.0.1:{port}/healthz"))
        self.front.upstream = ("127.0.0.1", port)

    def end(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """The signal goes to the whole group when it kills, else to the one process."""
        process = self.running.pop(name)
        if number is signal.SIGKILL:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        return process.wait(PATIENCE_SECONDS)

    def deliver(self, who: str, words: str = "LAUNCH") -> Ack:
        """They write; the same message again when it was not acknowledged."""
        begun, mid = time.monotonic(), f"mid.{who}"
        status = 0
        with suppress(httpx.HTTPError):
            status = self.world.api("/dm", follower=who, text=words, mid=mid, retry=False)["status"]
        return Ack(mid, status, time.monotonic() - begun)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.parts.ledger.reading() as tx:
            return [tuple(row) for row in tx.execute(text(query))]

    def stored_mids(self) -> set[str]:
        return {row[0] for row in self.rows("SELECT event_id FROM inbox")}

    def said_by_verify(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command("verify"),
            env=environment(**self.values),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=4 * PATIENCE_SECONDS,
        )


def answers(url: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(url, trust_env=False, timeout=1.0).status_code == 200
    return False


@contextmanager
def running_site(folder: Path, database_url: str, redis_url: str) -> Iterator[Site]:
    """Nothing of ours runs yet: start what the test needs."""
    folder.mkdir()
    with (
        running_proxy(("127.0.0.1", 9)) as front,
        running_world(config_for(front.url)) as world,
    ):
        values = values_for(folder, front.url, world.url) | {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
        }
        parts = make_parts(Settings.from_mapping(values))
        site = Site(folder, values, front, world, parts, seed(parts))
        try:
            yield site
        finally:
            for name in list(site.running):
                site.end(name)
            parts.close()


def values_for(folder: Path, front_url: str, world_url: str) -> dict[str, str]:
    return {
        "DATA_DIR": str(folder),
        "PUBLIC_URL": front_url,
        "META_GRAPH_URL": f"{world_url}/graph",
        "META_INSTAGRAM_URL": f"{world_url}/graph",
        "STRIPE_API_URL": f"{world_url}/stripe",
        "ENCRYPTION_KEYS": base64.b64encode(KEY_BYTES).decode(),
        "SECRET_KEY": "a secret for tests, long enough to sign",
        "META_APP_SECRETS": APP_SECRET,
        "META_VERIFY_TOKEN": "the-verify-token",
        "LOG_LEVEL": "WARNING",
    }


def seed(parts: Parts) -> Brand:
    brand = make_brand(parts.ledger)
    make_account(parts.ledger, brand, ACCOUNT, token=TOKEN)
    keys = PaymentKeys(brand.id, KEY, (WEBHOOK_SECRET,), livemode=False)
    with parts.ledger.begin() as tx:
        brands.mark_payment_keys(tx, make_sealer(), keys)
        marks.set_mark(tx, marks.CATALOG, parts.clock())
    return brand


@dataclass
class Storm:
    """Followers who write while things break; what is not acknowledged is delivered again."""

    site: Site
    names: Sequence[str]
    per_second: float
    acks: list[Ack] = field(default_factory=list)
    """Of every try."""
    numbers: list[int] = field(default_factory=list)

    def __enter__(self) -> "Storm":
        self.begins_at = time.monotonic()
        self.numbers = list(range(len(self.names)))[::-1]
        self.threads = [threading.Thread(target=self._call, daemon=True) for _ in range(CALLERS)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self.threads:
            thread.join()

    @property
    def acknowledged(self) -> set[str]:
        return {ack.mid for ack in self.acks if ack.status == 200}

    @property
    def statuses(self) -> set[int]:
        return {ack.status for ack in self.acks}

    def _call(self) -> None:
        with suppress(IndexError):
            while True:
                self._deliver(self.numbers.pop())

    def _deliver(self, number: int) -> None:
        time.sleep(max(0.0, self.begins_at + number / self.per_second - time.monotonic()))
        for _ in range(TRIES_MOST):
            self.acks.append(self.site.deliver(self.names[number]))
            if self.acks[-1].status == 200:
                return
            time.sleep(TRY_AGAIN_SECONDS)
