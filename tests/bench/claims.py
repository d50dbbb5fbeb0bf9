"""Does a claim cost more when five million others are in the ledger?"""

from collections.abc import Iterator
from contextlib import ExitStack

from tests.bench.bodies import Crowd
from tests.bench.figures import Goal, Row, Sample
from tests.bench.fill import fill_claims, fill_leads
from tests.bench.ground import Ground
from tests.bench.load import Storm, throw, write_bodies
from tests.bench.stand import Site, Stand, running_stand
from tests.bench.webhook import POSTS_PER_SECOND_MOST, warm_up

# So many leads of long ago have a claim in each of five drops of long ago.
DROPS = 5
FEW, MANY = 10_000, 5_000_000


def rows(database: str) -> tuple[Row, ...]:
    return (
        Row(
            f"flat {database}",
            f"time of a claim from 10,000 to 5,000,000 claims in SQL ({database})",
            "µs",
            "with 10,000",
            (Goal("ratio", at_most=1.3),),
        ),
    )


def play(ground: Ground, database: str) -> Iterator[Sample]:
    crowd = Crowd()
    with ExitStack() as stack:
        few = stack.enter_context(running_stand(ground, database))
        many = stack.enter_context(running_stand(ground, database))
        sites = {}
        for stand, count in ((few, FEW), (many, ground.pick(MANY, 2 * FEW))):
            fill_leads(stand, count // DROPS)
            fill_claims(stand, DROPS, count // DROPS)
            stand.drop("LAUNCH", 100_000)
            sites[stand.port] = stand.start_web()
            warm_up(stand, sites[stand.port], crowd)
        for _ in range(ground.rounds):
            floor = microseconds(few, sites[few.port], crowd)
            yield Sample(f"flat {database}", microseconds(many, sites[many.port], crowd), floor)
        few.check()
        many.check()


def microseconds(stand: Stand, site: Site, crowd: Crowd) -> float:
    """Of one claim among sixty-four at once."""
    lines = crowd.lines(stand.ground.posts(POSTS_PER_SECOND_MOST), "LAUNCH")
    path = write_bodies(stand.folder / "bodies.txt", lines)
    storm = Storm(site.url, path, stand.ground.connections, stand.ground.seconds)
    return 1e6 / throw(storm, stand.ground.cores.client).per_second
