"""Does the gate work on a real Redis Cluster, also when it loses a node in the middle of a drop?"""

from collections.abc import Iterator

import pytest

from claimbot.core.drops import Drop
from claimbot.db.engine import Ledger
from claimbot.flows.reconcile import check_gates
from tests.engine import Engine, running_engine
from tests.faults.cluster import NODES, Cluster, running_nodes
from tests.faults.lines import Platform, people, platform_for
from tests.invariants import assert_invariants

STOCK_UNITS = 30
WORDS = ("ALPHA", "BETA", "GAMMA")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_nodes(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def engine(on_postgresql: Ledger, redis_url: str, cluster: Cluster) -> Iterator[Engine]:
    with running_engine(on_postgresql, redis_url, STOCK_REDIS_URL=cluster.url) as engine:
        yield engine


@pytest.fixture
def platform(engine: Engine) -> Iterator[Platform]:
    with platform_for(engine.parts.settings.public_url) as platform:
        yield platform


@pytest.fixture
def three_drops(engine: Engine, cluster: Cluster) -> list[Drop]:
    """One drop for each node."""
    return [
        engine.drop(id=cluster.drop_id_on(node), name=word, words=(word,), stock_units=STOCK_UNITS)
        for node, word in enumerate(WORDS)
    ]


def taken(engine: Engine) -> dict[str, int]:
    return dict(
        engine.rows(
            "SELECT d.name, count(*) FROM units u JOIN claims c ON c.id = u.claim_id"
            " JOIN drops d ON d.id = c.drop_id GROUP BY d.name"
        )
    )


def test_a_storm_over_three_nodes_gives_every_unit_once(
    engine: Engine, platform: Platform, three_drops: list[Drop]
) -> None:
    acks = platform.post_all(people(300), words=WORDS)

    assert {ack.status for ack in acks} == {200}
    assert taken(engine) == dict.fromkeys(WORDS, STOCK_UNITS)
    assert engine.states() == {"held": NODES * STOCK_UNITS, "waitlisted": 300 - NODES * STOCK_UNITS}
    assert {drop.id: "same" for drop in three_drops} == words_of_gates(engine)
    assert_invariants(engine.parts)


def words_of_gates(engine: Engine) -> dict[str, str]:
    return check_gates(engine.parts, engine.clock())


@pytest.mark.matrix(14)
def test_a_node_that_dies_in_the_middle_costs_nobody_an_answer_or_a_unit(
    engine: Engine, platform: Platform, three_drops: list[Drop], cluster: Cluster
) -> None:
    acks = platform.post_all(people(60, "before"), words=WORDS)

    cluster.kill(1)
    acks += platform.post_all(people(240, "after"), words=WORDS)

    assert {ack.status for ack in acks} == {200}
    assert taken(engine) == dict.fromkeys(WORDS, STOCK_UNITS)
    assert engine.states() == {"held": NODES * STOCK_UNITS, "waitlisted": 300 - NODES * STOCK_UNITS}
    assert_invariants(engine.parts)
