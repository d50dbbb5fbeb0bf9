"""Do the health pages tell the truth, quickly, whatever is down?"""

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from claimbot.core.claims import State
from claimbot.flows.watch import watch
from claimbot.parts import make_parts
from claimbot.stock.breaker import Breaker
from claimbot.web.counts import Counts
from claimbot.web.metrics import FiguresCollector
from tests.builders import NOW, make_claim, make_drop, make_lead, make_work
from tests.engine import settings_for
from tests.web.doors import NOBODY, Doors, as_body, dead_ledger, hello


def figures(doors: Doors) -> dict[tuple[str, str], float]:
    """(name, label values) → value, as Prometheus reads them."""
    text = doors.browser.get("/metrics").text
    families = text_string_to_metric_families(text)
    return {
        (one.name.removeprefix("claimbot_"), ",".join(one.labels.values())): one.value
        for family in families
        for one in family.samples
    }


def test_a_process_is_alive_without_asking_anybody(sqlite_doors: Doors) -> None:
    answer = sqlite_doors.without_sql().browser.get("/healthz")

    assert (answer.status, answer.text) == (200, "ok\n")


def test_it_is_ready_when_sql_and_redis_answer(doors: Doors) -> None:
    assert (doors.browser.get("/readyz").status, doors.browser.get("/readyz").text) == (200, "ok\n")


def test_it_is_ready_without_sql_and_says_so(sqlite_doors: Doors) -> None:
    answer = sqlite_doors.without_sql().browser.get("/readyz")

    assert answer.status == 200
    assert answer.text == "SQL does not answer: look at DATABASE_URL and the database's own log\n"


def test_it_is_ready_without_redis_and_says_so(sqlite_doors: Doors) -> None:
    settings = settings_for(sqlite_doors.ledger, f"redis://{NOBODY}")
    without_redis = replace(sqlite_doors, parts=make_parts(settings, sqlite_doors.hands))

    answer = without_redis.browser.get("/readyz")

    assert answer.status == 200
    assert answer.text.startswith("Redis does not answer")


def test_it_is_not_ready_when_nothing_could_be_stored(sqlite_doors: Doors) -> None:
    settings = settings_for(sqlite_doors.ledger, f"redis://{NOBODY}")
    alone = replace(sqlite_doors, parts=make_parts(settings, sqlite_doors.hands)).without_sql()

    answer = alone.browser.get("/readyz")

    assert (answer.status, len(answer.text.splitlines())) == (503, 2)


def test_the_figures_count_what_is_in_the_ledger(doors: Doors) -> None:
    drop = make_drop(doors.ledger, doors.brand)
    lead = make_lead(doors.ledger, doors.account)
    make_claim(doors.ledger, drop, lead, State.SOLD)
    make_work(doors.ledger, lead)
    doors.hook(as_body(hello(mid="mid.1")))
    doors.hands.at = NOW.replace(minute=2)

    told = figures(doors)

    assert told["claims", "sold"] == 1
    assert told["claims", "waitlisted"] == 0
    assert told["outbox_rows", "ready"] >= 1
    assert told["outbox_oldest_ready_seconds", ""] == 120
    assert told["last_event_age_seconds", doors.account.id] == 120
    assert told["webhooks_total", "meta,stored"] == 1
    assert (told["sql_up", ""], told["redis_up", ""], told["gate_open", ""]) == (1, 1, 1)
    assert (told["alerts_open", ""], told["spool_entries", ""]) == (0, 0)


def test_no_figure_names_a_person_or_a_brand(doors: Doors) -> None:
    drop = make_drop(doors.ledger, doors.brand)
    make_claim(doors.ledger, drop, make_lead(doors.ledger, doors.account))

    text = doors.browser.get("/metrics").text

    assert not [word for word in ("aurora", "follower.7001", drop.name, doors.brand.id) if word in text]


def test_while_sql_is_down_the_rest_is_still_told(sqlite_doors: Doors) -> None:
    sqlite_doors.parts.catalog(is_fresh=True)
    broken = sqlite_doors.without_sql()
    broken.hook(as_body(hello()))

    told = figures(broken)

    assert (told["sql_up", ""], told["redis_up", ""], told["spool_entries", ""]) == (0, 1, 1)
    assert ("claims", "sold") not in told


def test_without_sql_and_redis_the_figures_are_a_page(sqlite_doors: Doors) -> None:
    settings = settings_for(dead_ledger(), f"redis://{NOBODY}")
    dead = replace(sqlite_doors, parts=make_parts(settings, sqlite_doors.hands))

    assert (figures(dead)["sql_up", ""], figures(dead)["redis_up", ""]) == (0, 0)


def test_a_gate_that_is_left_alone_is_told(sqlite_doors: Doors) -> None:
    breaker = Breaker(failures=1)
    breaker.failed()

    assert watch(replace(sqlite_doors.parts, breaker=breaker)).is_gate_open is False


@pytest.mark.parametrize(("later_seconds", "expected"), [(4.9, 0), (5.1, 1)])
def test_asking_often_does_not_count_the_ledger_often(
    sqlite_doors: Doors, later_seconds: float, expected: int
) -> None:
    seconds = [100.0]
    collector = FiguresCollector(sqlite_doors.parts, Counts(), lambda: seconds[0])
    list(collector.collect())
    drop = make_drop(sqlite_doors.ledger, sqlite_doors.brand)
    make_claim(sqlite_doors.ledger, drop, make_lead(sqlite_doors.ledger, sqlite_doors.account), State.SOLD)

    seconds[0] += later_seconds

    (family,) = [one for one in collector.collect() if one.name == "claimbot_claims"]
    assert [one.value for one in family.samples if one.labels == {"state": "sold"}] == [expected]
