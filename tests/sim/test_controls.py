"""Can the simulation fail at all? With one guard taken away it must, within a few seeds."""

from collections.abc import Iterator

import pytest

from tests.sim.controls import CONTROLS
from tests.sim.run import first_failure, own_theatre
from tests.sim.stage import Theatre


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    with own_theatre() as one:
        yield one


# Each range begins near a seed that fails without the guard, and is long: whatever changes in the engine
# changes what happens in a program. The search ends at the first failure.
@pytest.mark.parametrize(
    ("guard", "seeds"),
    [
        ("no_unit_guard", range(65, 145)),
        ("no_bound", range(3, 43)),
        ("no_dedupe", range(20)),
        ("ack_before_commit", range(40)),
        ("no_fence", range(10, 70)),
        ("no_lease_check", range(2, 42)),
        ("no_owner", range(30, 110)),
    ],
)
def test_without_a_guard_a_promise_is_broken(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, guard: str, seeds: range
) -> None:
    CONTROLS[guard](monkeypatch)
    assert first_failure(theatre, seeds) is not None


def test_with_all_guards_the_same_seeds_keep_every_promise(theatre: Theatre) -> None:
    assert first_failure(theatre, [0, 3, 4, 12, 32, 67]) is None
