"""How fast is a POST of a hundred DMs, beside SQLAlchemy Core inserting the rows that it leaves behind?"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from claimbot.core.drops import STOCK_UNITS_MOST
from claimbot.db.engine import Ledger
from claimbot.db.tables import accounts, brands, claims, drops, inbox, leads, outbox, units, variants
from tests.bench.bodies import Crowd
from tests.bench.cores import running_on
from tests.bench.figures import Goal, Row, Sample
from tests.bench.ground import Ground
from tests.bench.load import Storm, throw, write_bodies
from tests.bench.stand import Site, Stand, new_database, running_stand
from tests.ledgers import open_ledger

PER_POST = 100
CONNECTIONS = 4
# Nobody is to run out of new followers before the time is over.
POSTS_PER_SECOND_MOST = 200
# So many posts' rows are inserted for the floor.
FLOOR_POSTS = 50
# What the rows below hang on; then what a DM that gets a unit leaves behind, in the order of references.
GROUND_TABLES: Sequence[Table] = (brands, accounts, drops, variants)
ROW_TABLES: Sequence[Table] = (leads, claims, inbox, units, outbox)

Rows = Mapping[str, Sequence[dict[str, Any]]]
Post = Sequence[tuple[Table, Sequence[dict[str, Any]]]]


def rows(database: str) -> tuple[Row, ...]:
    return (
        Row(
            f"batch {database}",
            f"webhook: 100 matched DMs per POST ({database})",
            "DMs/s",
            "SQLAlchemy Core inserts the same rows, 100 DMs in a transaction",
            (Goal("ratio", at_least=0.45), Goal("figure", at_least=8_000)),
        ),
    )


def play(ground: Ground, database: str) -> Iterator[Sample]:
    crowd = Crowd()
    posts = ground.pick(round(ground.seconds * POSTS_PER_SECOND_MOST), 10)
    with running_stand(ground, database) as stand:
        stand.drop("FIRST", FLOOR_POSTS * PER_POST)
        web = stand.start_web()
        post_all(stand, web, crowd.lines(ground.pick(FLOOR_POSTS, 8), "FIRST", PER_POST))
        made = read_rows(stand)
        for number in range(ground.rounds):
            word = f"WAVE{number}"
            stand.drop(word, min(STOCK_UNITS_MOST, posts * PER_POST))
            with running_on(ground.cores.server):
                floor = floor_per_second(ground, database, made)
            yield Sample(f"batch {database}", post_all(stand, web, crowd.lines(posts, word, PER_POST)), floor)
        stand.check()


def post_all(stand: Stand, web: Site, lines: Sequence[bytes]) -> float:
    """DMs per second."""
    path = write_bodies(stand.folder / "bodies.txt", lines)
    storm = Storm(web.url, path, CONNECTIONS, stand.ground.seconds)
    return throw(storm, stand.ground.cores.client).per_second * PER_POST


def read_rows(stand: Stand) -> Rows:
    """What the first posts left behind, and what it hangs on."""
    with stand.parts.ledger.reading() as tx:
        # What hangs on others first: a post that is just being answered may commit between two looks.
        found = {table.name: _all(tx, table) for table in reversed((*GROUND_TABLES, *ROW_TABLES))}
    found[units.name] = [row for row in found[units.name] if row["claim_id"] is not None]
    return found


def _all(tx: Connection, table: Table) -> list[dict[str, Any]]:
    return [dict(row) for row in tx.execute(select(table)).mappings()]


def floor_per_second(ground: Ground, database: str, made: Rows) -> float:
    """DMs per second of one thread that inserts the rows of a hundred DMs in each transaction."""
    people = len(made[leads.name])
    url = new_database(ground, database, ground.new_folder("floor"))
    with open_ledger(url) as ledger:
        _insert(ledger, [(table, made[table.name]) for table in GROUND_TABLES])
        posts = list(_posts(made, people))
        began_at = time.perf_counter()
        for post in posts:
            _insert(ledger, post)
        return people / (time.perf_counter() - began_at)


def _insert(ledger: Ledger, post: Post) -> None:
    with ledger.begin() as tx:
        for table, some in post:
            tx.execute(insert(table), some)


def _posts(made: Rows, people: int) -> Iterator[Post]:
    """The rows of a hundred leads at a time, whatever they belong to standing before them."""
    order = {row["id"]: place for place, row in enumerate(made[leads.name])}
    of_claim = {row["id"]: order[row["lead_id"]] for row in made[claims.name]}
    places = {
        leads.name: lambda row: order[row["id"]],
        claims.name: lambda row: order[row["lead_id"]],
        inbox.name: lambda row: order[row["lead_id"]],
        units.name: lambda row: of_claim[row["claim_id"]],
        outbox.name: lambda row: order[row["lead_id"]],
    }
    for start in range(0, people, PER_POST):
        mine = range(start, start + PER_POST)
        some = {
            table: [row for row in made[table.name] if places[table.name](row) in mine]
            for table in ROW_TABLES
        }
        yield [(table, found) for table, found in some.items() if found]
