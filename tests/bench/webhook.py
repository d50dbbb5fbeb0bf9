"""How many DMs a second does one web process acknowledge, each after its durable commit?"""

from collections.abc import Iterator
from dataclasses import dataclass

from claimbot.core.drops import STOCK_UNITS_MOST
from tests.bench.bodies import Crowd
from tests.bench.cores import cpu_seconds
from tests.bench.figures import Goal, Row, Sample
from tests.bench.ground import Ground
from tests.bench.load import Load, Storm, throw, write_bodies
from tests.bench.stand import Site, Stand, running_floor, running_stand

NOOP = "no-op Flask POST on the same server"
# Nobody is to run out of new followers before the time is over.
POSTS_PER_SECOND_MOST = 12_000
ALONE_PER_SECOND_MOST = 1_500
# A platform repeats a delivery that it got no answer to: these come again and again.
REPEATED = 500
WARM_UP, WARM_UP_SECONDS = 200, 60.0
MATCHED_AT_LEAST = {"sqlite": 0.33, "postgresql": 0.25}


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of DM. `stock`: whether there is a unit for everybody."""

    name: str
    what: str
    text: str
    at_least: float | None


MATCHED = "matched"
CASES = (
    Case("sold_out", "sold-out DMs", "GONE", 0.40),
    Case("unmatched", "unmatched DMs, each of a new follower", "good morning", 0.40),
)


def rows(database: str) -> tuple[Row, ...]:
    def row(name: str, what: str, *goals: Goal, floor: str = NOOP) -> Row:
        return Row(f"{name} {database}", f"{what} ({database})", "DMs/s", floor, goals)

    at_least = Goal("ratio", at_least=MATCHED_AT_LEAST[database])
    quick = (Goal("p50_ms", at_most=2), Goal("p99_ms", at_most=10))
    return (
        row(MATCHED, "webhook: one matched DM per POST, 64 connections", at_least),
        row("alone", "the same without group commit (WEB_THREADS=1)"),
        row("one", "the same, 1 connection", *quick, floor=""),
        *(row(one.name, f"webhook: {one.what}", Goal("ratio", at_least=one.at_least)) for one in CASES),
        row("duplicates", "webhook: duplicates", Goal("ratio", at_least=0.45)),
    )


def play(ground: Ground, database: str) -> Iterator[Sample]:
    crowd = Crowd()
    core = ground.cores.server
    with running_stand(ground, database) as stand, running_floor(ground, "noop", core) as noop:
        most = (2 + ground.rounds * 4) * ground.posts(POSTS_PER_SECOND_MOST)
        stand.drop("LAUNCH", min(STOCK_UNITS_MOST, most))
        stand.drop("GONE", 0, is_waitlist_on=False)
        web, alone = stand.start_web(), stand.start_web(WEB_THREADS="1")
        bench = Bench(stand, crowd, database)
        for site in (noop, web, alone):
            warm_up(stand, site, crowd)
        for _ in range(ground.rounds):
            yield from bench.round(noop, web, alone)
        stand.check()


def warm_up(stand: Stand, site: Site, crowd: Crowd) -> None:
    """The first requests pay for imports, connections and prepared statements."""
    path = write_bodies(stand.folder / "bodies.txt", crowd.lines(stand.ground.pick(WARM_UP, 20), "LAUNCH"))
    throw(Storm(site.url, path, stand.ground.connections // 4, WARM_UP_SECONDS), stand.ground.cores.client)


@dataclass(frozen=True, slots=True)
class Taken:
    """What one storm found. `cpu_us`: of the web process's processor, for one DM."""

    load: Load
    cpu_us: float


@dataclass
class Bench:
    stand: Stand
    crowd: Crowd
    database: str

    def round(self, noop: Site, web: Site, alone: Site) -> Iterator[Sample]:
        """Floor and figures right after one another: the machine drifts."""
        floor = self.post(noop, "LAUNCH")
        yield self._sample(MATCHED, self.post(web, "LAUNCH"), floor)
        yield self._sample("alone", self.post(alone, "LAUNCH"), floor)
        yield self._sample("one", self.post(web, "LAUNCH", connections=1))
        for one in CASES:
            yield self._sample(one.name, self.post(web, one.text), floor)
        yield self._sample("duplicates", self.repeat(web), floor)

    def _sample(self, name: str, taken: Taken, floor: Taken | None = None) -> Sample:
        parts = {"p50_ms": taken.load.p50_ms, "p99_ms": taken.load.p99_ms, "cpu_us": taken.cpu_us}
        if floor is not None and taken.cpu_us:
            parts["cpu_ratio"] = floor.cpu_us / taken.cpu_us
        at_most = floor.load.per_second if floor else None
        return Sample(f"{name} {self.database}", taken.load.per_second, at_most, parts)

    def post(self, site: Site, text: str, connections: int = 0) -> Taken:
        """Every DM is of a new follower. `connections` 0: many."""
        count = self.stand.ground.posts(ALONE_PER_SECOND_MOST if connections == 1 else POSTS_PER_SECOND_MOST)
        return self._throw(site, self.crowd.lines(count, text), connections or self.stand.ground.connections)

    def repeat(self, site: Site) -> Taken:
        """The same deliveries over and over; the first time they are new, and not counted."""
        ground = self.stand.ground
        lines = self.crowd.lines(ground.pick(REPEATED, 50), "LAUNCH")
        path = write_bodies(self.stand.folder / "bodies.txt", lines)
        throw(Storm(site.url, path, ground.connections, WARM_UP_SECONDS), ground.cores.client)
        return self._throw(site, lines, ground.connections, is_cycle=not ground.is_quick)

    def _throw(self, site: Site, lines: list[bytes], connections: int, is_cycle: bool = False) -> Taken:
        path = write_bodies(self.stand.folder / "bodies.txt", lines)
        ground = self.stand.ground
        before = cpu_seconds(site.pid)
        load = throw(Storm(site.url, path, connections, ground.seconds, is_cycle), ground.cores.client)
        return Taken(load, (cpu_seconds(site.pid) - before) * 1e6 / load.posts)
