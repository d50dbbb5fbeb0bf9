"""How many buyers a second does the whole shop serve? As the peers were measured: 5,000 of them, 500 units.

Two web processes share the two cores with the client. The floor beside it is a Flask shop on the same server
that only asks the gate's script: no SQL, no keywords, no answers, nothing kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from claimbot.stock.connect import connect
from claimbot.stock.gate import Gate
from tests.bench import floors
from tests.bench.bodies import Crowd
from tests.bench.figures import Goal, Row, Sample
from tests.bench.ground import Ground
from tests.bench.load import Load, Storm, throw, write_bodies
from tests.bench.stand import Site, Stand, running_floor, running_redis, running_stand
from tests.bench.webhook import WARM_UP, warm_up

AT_ONCE = 32
UNITS = 500
PROCESSES = 2
SECONDS_MOST = 60.0
FLOOR = "Flask and the gate's script on the same server, without SQL"


def rows(database: str) -> tuple[Row, ...]:
    return (
        Row(
            f"buyers {database}",
            f"5,000 buyers at 32 at once, 500 units, 2 web processes ({database})",
            "buyers/s",
            FLOOR,
            (Goal("ratio", at_least=0.6), Goal("p50_ms", at_most=12)),
        ),
        Row(
            f"refusals {database}",
            f"refused buyers beside buyers who all get a unit ({database})",
            "buyers/s",
            "reservations",
            (Goal("ratio", at_least=0.95),),
        ),
    )


def play(ground: Ground, database: str) -> Iterator[Sample]:
    buyers = ground.pick(5_000, 100)
    crowd = Crowd()
    with (
        running_redis(ground, ground.new_folder("buyers"), None) as redis_url,
        running_floor(ground, "claim", None, PROCESSES, **{floors.REDIS_VARIABLE: redis_url}) as floor,
        running_stand(ground, database, is_pinned=False, WEB_WORKERS=str(PROCESSES)) as stand,
    ):
        street = Street(stand, crowd, buyers)
        web = stand.start_web()
        stand.drop("LAUNCH", 2 * WARM_UP)
        stand.drop("PLENTY", ground.rounds * buyers)
        stand.drop("GONE", 0, is_waitlist_on=False)
        load_floor(redis_url, 1)
        for site in (floor, web):
            warm_up(stand, site, crowd)
        for number in range(ground.rounds):
            load_floor(redis_url, number + 2)
            floor_rate = street.send(floor, "any").per_second
            stand.drop(f"SALE{number}", UNITS, is_waitlist_on=False)
            sale = street.send(web, f"SALE{number}")
            parts = {"p50_ms": sale.p50_ms, "p99_ms": sale.p99_ms}
            yield Sample(f"buyers {database}", sale.per_second, floor_rate, parts)
            reserved = street.send(web, "PLENTY").per_second
            refused = street.send(web, "GONE").per_second
            yield Sample(f"refusals {database}", refused, reserved)
        stand.check()


def load_floor(redis_url: str, epoch: int) -> None:
    client = connect(redis_url, timeout_seconds=10.0)
    Gate(client).rebuild(floors.DROP, epoch, {floors.VARIANT: range(1, UNITS + 1)}, (), 0)
    client.close()


@dataclass(frozen=True)
class Street:
    """Where the buyers come from; every call brings new ones."""

    stand: Stand
    crowd: Crowd
    buyers: int

    def send(self, site: Site, word: str) -> Load:
        path = write_bodies(self.stand.folder / "bodies.txt", self.crowd.lines(self.buyers, word))
        return throw(Storm(site.url, path, min(AT_ONCE, self.buyers // 4), SECONDS_MOST), None)
