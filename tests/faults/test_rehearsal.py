"""Does a rehearsal in which everything breaks at once still end with every promise kept?"""

from tests.cli.test_storm import engine, storm
from tests.engine import Engine

__all__ = ["engine"]

BREAKING = ["redis-wiped", "webhooks-lost", "platform-busy", "echoes-twice"]


def test_a_rehearsal_in_which_everything_breaks_still_keeps_every_promise(engine: Engine) -> None:
    engine.drop(stock_units=50)
    faults = [word for name in BREAKING for word in ("--fault", name)]

    code, report = storm(engine, "--followers", "40", "--stock", "5", "--pay", "100", "--reorder", *faults)

    assert code == 0, report
    assert report["claims"] == {"sold": 5, "waitlisted": 35}
    assert (report["lost"], report["broken"]) == (0, [])
    assert sorted(set(report["faults"])) == sorted(BREAKING)
    assert engine.world.get("/faults") == []
