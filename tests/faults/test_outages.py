"""What is it like while Redis, SQL, Stripe or the platform is away for a while? With real processes and time.

Followers write all the while. How they were acknowledged is a property of each test, which `--junitxml FILE`
keeps.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from claimbot.cli.storm_strikes import Target, revoke_tokens
from claimbot.core.drops import Drop
from tests.faults.lines import Ack, p99_seconds, press
from tests.faults.servers import Database, RedisProcess
from tests.faults.site import Site, running_site, until
from tests.invariants import assert_invariants
from tests.proxy import BLACK_HOLE, Proxy, running_proxy

pytestmark = pytest.mark.e2e

# For a night: CLAIMBOT_TEST_OUTAGE_SECONDS=60 CLAIMBOT_TEST_STRIPE_OUTAGE_SECONDS=600.
OUTAGE_SECONDS = float(os.environ.get("CLAIMBOT_TEST_OUTAGE_SECONDS", "2"))
STRIPE_OUTAGE_SECONDS = float(os.environ.get("CLAIMBOT_TEST_STRIPE_OUTAGE_SECONDS", "2"))
PER_SECOND = 4.0
STOCK_UNITS = 5
# What could not be sent is tried again after two minutes at most, and a place in the line of hands.
ANSWERED_SECONDS = 180.0
Note = Callable[[str, object], None]


@dataclass
class Place:
    """A site whose every neighbour can be away."""

    site: Site
    database: Database
    redis: RedisProcess
    stripe: Proxy
    graph: Proxy

    def drop(self, word: str) -> Drop:
        """The doors look for new drops once a second."""
        drop = self.site.drop(words=(word,), stock_units=STOCK_UNITS)
        until(lambda: self.site.deliver(f"{word}.first", word).status == 200 and self.claims(drop))
        until(lambda: self.is_answered())
        return drop

    def trickle(self, word: str, seconds: float) -> list[Ack]:
        """A few people each second, one after the other and each once."""
        begins_at = time.monotonic()
        acks = []
        for number in range(int(seconds * PER_SECOND)):
            time.sleep(max(0.0, begins_at + number / PER_SECOND - time.monotonic()))
            acks.append(self.site.deliver(f"{word}.{number:04d}", word))
        return acks

    def claims(self, drop: Drop) -> list[str]:
        """In the order of the line: whose message made them."""
        rows = self.site.rows(
            "SELECT i.event_id FROM claims c JOIN inbox i ON i.event_key = c.event_key"
            f" WHERE c.drop_id = '{drop.id}' ORDER BY c.line, c.created_at"
        )
        return [row[0] for row in rows]

    def is_answered(self) -> bool:
        open_work = "SELECT count(*) FROM outbox WHERE kind IN ('offer', 'reply') AND state <> 'done'"
        return self.site.rows(open_work) == [(0,)]

    def heard(self, ack: Ack) -> int:
        who = ack.mid.removeprefix("mid.")
        return sum(one["direction"] == "out" for one in self.site.world.phone(who))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, database: Database) -> Iterator[Place]:
    home = tmp_path_factory.mktemp("outages")
    with (
        RedisProcess.running(home / "redis") as redis,
        running_site(home / "site", database.fresh(), redis.url) as site,
        running_proxy(("127.0.0.1", site.world.http.base_url.port or 0)) as stripe,
        running_proxy(stripe.upstream) as graph,
    ):
        addresses = {"STRIPE_API_URL": f"{stripe.url}/stripe"}
        addresses |= dict.fromkeys(("META_GRAPH_URL", "META_INSTAGRAM_URL"), f"{graph.url}/graph")
        site.values = {**site.values, **addresses}
        site.start("worker")
        site.start("clock")
        site.start_web()
        yield Place(site, database, redis, stripe, graph)
        for name in list(site.running):
            site.end(name)


@contextmanager
def away(end: Callable[[], object], back: Callable[[], object]) -> Iterator[None]:
    end()
    try:
        yield
    finally:
        back()


def note(record: Note, acks: Sequence[Ack]) -> None:
    """How they were acknowledged."""
    statuses = [ack.status for ack in acks]
    record("statuses", {status: statuses.count(status) for status in sorted(set(statuses))})
    record("p50_ms", round(1000 * statistics.median(ack.seconds for ack in acks)))
    record("p99_ms", round(1000 * p99_seconds(acks)))


def assert_answered_once(place: Place, acks: Sequence[Ack]) -> None:
    until(place.is_answered, ANSWERED_SECONDS)
    assert {ack.mid: place.heard(ack) for ack in acks} == {ack.mid: 1 for ack in acks}
    assert_invariants(place.site.parts)


@pytest.mark.matrix(14)
def test_while_redis_is_away_units_come_from_sql_and_everybody_is_answered(
    place: Place, record_property: Note
) -> None:
    drop = place.drop("REDIS")

    with away(place.redis.kill, place.redis.start):
        acks = place.trickle("REDIS", OUTAGE_SECONDS)
        note(record_property, acks)
        assert_answered_once(place, acks)

    assert {ack.status for ack in acks} == {200}
    assert len(place.claims(drop)) == len(acks) + 1


@pytest.mark.matrix(16)
def test_while_sql_is_away_messages_wait_and_are_taken_in_in_their_order(
    place: Place, record_property: Note
) -> None:
    drop = place.drop("LEDGER")

    with away(place.database.end, place.database.start):
        acks = place.trickle("LEDGER", OUTAGE_SECONDS)
    note(record_property, acks)

    assert {ack.status for ack in acks} == {200}
    until(lambda: {ack.mid for ack in acks} <= place.site.stored_mids())
    waiting = [ack.mid for ack in acks[STOCK_UNITS - 1 :]]
    assert place.claims(drop)[-len(waiting) :] == waiting
    assert_answered_once(place, acks)


@pytest.mark.matrix(17)
def test_while_sql_and_redis_are_away_nothing_is_acknowledged(place: Place, record_property: Note) -> None:
    place.drop("BOTH")

    with (
        away(place.redis.kill, place.redis.start),
        away(place.database.end, place.database.start),
    ):
        refused = place.trickle("BOTH", OUTAGE_SECONDS)
    note(record_property, refused)

    assert {ack.status for ack in refused} == {503}
    until(lambda: place.site.deliver("BOTH.after", "BOTH").status == 200)
    assert not {ack.mid for ack in refused} & place.site.stored_mids()
    again = place.trickle("BOTH", OUTAGE_SECONDS)
    assert {ack.status for ack in again} == {200}
    assert_answered_once(place, again)


@pytest.mark.matrix(27)
@pytest.mark.parametrize("word", ["REFUSED", "SWALLOWED"])
def test_while_stripe_is_away_winners_are_told_and_pay_later(
    place: Place, record_property: Note, word: str
) -> None:
    drop = place.drop(word)
    end = {"REFUSED": place.stripe.close_door, "SWALLOWED": lambda: swallow(place.stripe)}[word]
    back = {"REFUSED": place.stripe.open_door, "SWALLOWED": place.stripe.heal}[word]

    with away(end, back):
        acks = place.trickle(word, STRIPE_OUTAGE_SECONDS)
        note(record_property, acks)
        assert_answered_once(place, acks)
    record_property("told_after_ms", told_after_ms(place, drop))
    # A call of Stripe that nobody waits for may take ten.
    assert told_after_ms(place, drop) < 9_000

    assert {ack.status for ack in acks} == {200}
    for ack in acks[: STOCK_UNITS - 1]:
        pay_by_link(place, ack.mid.removeprefix("mid."))
    sold = f"SELECT count(*) FROM claims WHERE drop_id = '{drop.id}' AND state = 'sold'"
    until(lambda: place.site.rows(sold) == [(STOCK_UNITS - 1,)])
    until(place.is_answered)
    assert_invariants(place.site.parts)


def swallow(proxy: Proxy) -> None:
    proxy.up = BLACK_HOLE


def told_after_ms(place: Place, drop: Drop) -> int:
    """How long the slowest winner waited for the message."""
    told = f"SELECT max(extract(epoch FROM told_at - created_at)) FROM claims WHERE drop_id = '{drop.id}'"
    return round(1000 * float(place.site.rows(told)[0][0]))


def pay_by_link(place: Place, who: str) -> None:
    """The first press may be the one that finds out that Stripe is back."""
    [link] = [one["url"] for bubble in place.site.world.phone(who) for one in bubble["buttons"]]
    assert "/c/" in link
    answer = until(lambda: next((one for one in [press(link)] if one.status_code == 303), None))
    place.site.world.api(f"/stripe/sessions/{answer.headers['Location'].rpartition('/')[2]}/pay")


@pytest.mark.matrix(28)
def test_while_the_platform_is_away_nobodys_time_runs_and_everybody_is_told_later(
    place: Place, record_property: Note
) -> None:
    drop = place.drop("PLATFORM")

    with away(place.graph.close_door, place.graph.open_door):
        acks = place.trickle("PLATFORM", OUTAGE_SECONDS)
        note(record_property, acks)
        untold = f"SELECT count(*) FROM claims WHERE drop_id = '{drop.id}' AND hold_expires_at IS NULL"
        assert place.site.rows(f"{untold} AND state = 'held'") == [(STOCK_UNITS - 1,)]
        assert [place.heard(ack) for ack in acks] == [0] * len(acks)

    assert {ack.status for ack in acks} == {200}
    assert_answered_once(place, acks)


@pytest.mark.matrix(29)
def test_while_the_token_is_refused_all_messages_wait_and_go_out_once_when_it_is_renewed(
    place: Place, record_property: Note
) -> None:
    drop = place.drop("TOKEN")
    alerts = "SELECT count(*) FROM alerts WHERE kind = 'account' AND cleared_at IS NULL"

    connect_again = revoke_tokens(Target(place.site.parts, place.site.world.http, drop), 0.0)
    with away(lambda: None, connect_again):
        acks = place.trickle("TOKEN", OUTAGE_SECONDS)
        note(record_property, acks)
        until(lambda: place.site.rows(alerts) == [(1,)])
        assert [place.heard(ack) for ack in acks] == [0] * len(acks)

    assert {ack.status for ack in acks} == {200}
    assert_answered_once(place, acks)
    assert place.site.rows(alerts) == [(0,)]
