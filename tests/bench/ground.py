"""What does a benchmark stand on? A scratch folder, the cores, how long to measure, a PostgreSQL."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tests.bench.cores import (
    Cores,
    busy_before,
    family_of,
    find_cores,
    pin,
    pin_to,
    running_on,
    running_on_all,
)
from tests.e2e.machine import is_free
from tests.ledgers import Postgres, migrate_template, migrated_file, running_postgres

# Below those that the system gives to outgoing connections.
FIRST_PORT = 12_000
DATABASES = ("sqlite", "postgresql")


@dataclass
class Ground:
    folder: Path
    cores: Cores
    rounds: int
    is_quick: bool
    load_before: float = field(default_factory=busy_before)
    stack: ExitStack = field(default_factory=ExitStack)
    next_port: int = field(default_factory=lambda: FIRST_PORT + os.getpid() % 1_000 * 2)

    def pick(self, full: int, quick: int) -> int:
        """How many of something: a quick run only shows that the harness works."""
        return quick if self.is_quick else full

    @property
    def seconds(self) -> float:
        """How long one figure is measured in one round; a quick run is bounded by its posts instead."""
        return 60.0 if self.is_quick else 2.0

    def posts(self, per_second_most: int) -> int:
        """More than any machine of ours takes in during that time."""
        return self.pick(round(self.seconds * per_second_most), 50)

    @cached_property
    def postgres(self) -> Postgres:
        """Durable, as a brand runs it; on the client's core, like every server that is not ours."""
        postgres = self.stack.enter_context(running_postgres())
        migrate_template(postgres)
        for pid in postgres_pids(postgres):
            pin(pid, self.cores.client)
        return postgres

    @cached_property
    def migrated(self) -> Path:
        folder = self.folder / "template"
        folder.mkdir()
        return migrated_file(folder)

    @contextmanager
    def unpinned(self) -> Iterator[None]:
        """What is started meanwhile runs on every core, like at home."""
        with running_on_all(self.cores):
            yield

    @contextmanager
    def unpinned_with_postgres(self) -> Iterator[None]:
        """The same, and PostgreSQL on every core too: what it is asked at once it does side by side."""
        pids = postgres_pids(self.postgres)
        is_bound = self.cores.client is not None
        for pid in pids if is_bound else ():
            pin_to(pid, self.cores.all)
        try:
            with self.unpinned():
                yield
        finally:
            for pid in pids:
                pin(pid, self.cores.client)

    @property
    def connections(self) -> int:
        """Fewer than there are posts, or all of them would wait when the last one was sent."""
        return self.pick(64, 8)

    def new_port(self) -> int:
        """This one and the next are free, and were given to nobody else: who gets it may not listen yet."""
        while True:
            port = self.next_port
            self.next_port += 2
            if is_free(port) and is_free(port + 1):
                return port

    def new_folder(self, name: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))


def postgres_pids(postgres: Postgres) -> list[int]:
    """The server and what it started; what it starts later inherits its core."""
    shown = postgres.owner.execute("SHOW data_directory").fetchone()
    assert shown is not None  # SHOW always answers
    return family_of(int((Path(shown[0]) / "postmaster.pid").read_text("utf-8").split()[0]))


@contextmanager
def prepared_ground(rounds: int, is_quick: bool) -> Iterator[Ground]:
    """The bench itself stays on the client's core; everything is gone afterwards."""
    cores = find_cores()
    with ExitStack() as stack, running_on(cores.client):
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="claimbot-bench-"))
        yield Ground(Path(folder), cores, rounds, is_quick, stack=stack)
