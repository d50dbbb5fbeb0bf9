"""How long is a gate that was lost gone? Loaded again from SQL, units and line."""

import time
from collections.abc import Iterator

from claimbot.flows.reconcile import rebuild_gate
from tests.bench.cores import running_on
from tests.bench.figures import Goal, Row, Sample
from tests.bench.ground import Ground
from tests.bench.stand import Stand, running_stand

SIZES = {10_000: 250, 100_000: 1_500}


def rows(database: str) -> tuple[Row, ...]:
    return tuple(
        Row(
            f"rebuild {units} {database}",
            f"rebuild of a gate of {units:,} units ({database})",
            "ms",
            goals=(Goal("figure", at_most=most_ms),),
        )
        for units, most_ms in SIZES.items()
    )


def play(ground: Ground, database: str) -> Iterator[Sample]:
    with running_stand(ground, database) as stand:
        drops = {units: stand.drop(f"SIZE{units}", ground.pick(units, units // 100)) for units in SIZES}
        for _ in range(ground.rounds):
            for units, drop in drops.items():
                yield Sample(f"rebuild {units} {database}", rebuild_ms(stand, drop.id))
        stand.check()


def rebuild_ms(stand: Stand, drop_id: str) -> float:
    stand.parts.gate.drop_keys(drop_id)
    with running_on(stand.core):
        began_at = time.perf_counter()
        is_done = rebuild_gate(stand.parts, drop_id)
        took_ms = (time.perf_counter() - began_at) * 1000
    assert is_done, "Redis did not answer"
    return took_ms
