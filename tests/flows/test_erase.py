"""Is an erased person nowhere to be found, while the books, the line and their STOP stay right?"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import select, text

from claimbot.core.claims import Claim, State
from claimbot.core.errors import Refused
from claimbot.core.followers import Lead, follower_key
from claimbot.core.lead_filters import Wanted
from claimbot.core.messages import Delivery, Inbound, Kind, Quarantined
from claimbot.core.money import Money
from claimbot.core.payments import CheckoutRequest, NewsKind, PaymentEvent, SessionNews, SessionState
from claimbot.db import audit, checkouts, claims, leads, units
from claimbot.db.engine import Ledger
from claimbot.db.tables import metadata
from claimbot.flows.deliver import drain
from claimbot.flows.erase import erase
from claimbot.flows.export import export_leads
from claimbot.flows.receive import Receipt, Signed, receive
from claimbot.flows.settle import hear
from claimbot.flows.verify import verify
from claimbot.parts import Parts
from tests.builders import NOW, PRICE, World, make_claim, make_work, take_work, told
from tests.flows.alone import parts_alone
from tests.flows.busy import broken

# Whatever names the person contains this word; afterwards it must be nowhere.
CANARY = "canary"
THEM = "canary7009"
PERSONAL = {"name": "Canary Bird", "email": "canary@example.org", "phone": "+49canary", "note": "a canary"}


@pytest.fixture
def parts(world: World, redis_url: str) -> Iterator[Parts]:
    with parts_alone(world.ledger, redis_url) as found:
        yield found


def write(parts: Parts, world: World, words: str, who: str = THEM) -> Receipt:
    """They write; the platform's own ids and the raw event name them too."""
    count = len(rows(parts.ledger, "inbox"))
    raw = json.dumps({"sender": {"id": who}, "text": words})
    mid = f"mid-{who}-{count}"
    event = Inbound(
        "instagram", world.account.external_id, Kind.TEXT, mid, who, NOW, words, username=who, raw=raw
    )
    return receive(parts, Delivery("instagram", (event,)), Signed(), NOW)


def rows(ledger: Ledger, table: str) -> list[Any]:
    with ledger.reading() as tx:
        return list(tx.execute(select(metadata.tables[table])))


def tables_with(ledger: Ledger, word: str) -> set[str]:
    """Every table in which any column of any row contains the word."""
    return {
        name
        for name in metadata.tables
        if any(word in repr(tuple(row)).lower() for row in rows(ledger, name))
    }


def everything_in(client: Redis) -> str:
    """All keys of Redis with all that is in them."""
    read = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"stream": client.xrange,
    }
    return repr({key: read[client.type(key)](key) for key in client.keys("*")}).lower()


def find(ledger: Ledger, who: str = THEM) -> Lead:
    with ledger.reading() as tx:
        return leads.find_known(tx, [(account_of(ledger), who)])[account_of(ledger), who]


def account_of(ledger: Ledger) -> str:
    return str(next(row.id for row in rows(ledger, "accounts") if row.external_id == "17841400000000001"))


@pytest.fixture
def person(world: World, parts: Parts) -> Lead:
    """Somebody who holds a unit, bought another, wrote and was written to: their traces are everywhere."""
    world.drop()
    write(parts, world, "LAUNCH says the canary")
    lead = find(parts.ledger)
    sold = make_claim(
        parts.ledger, world.drop(words=("SOLD",)), lead, State.SOLD, paid_at=NOW, paid_minor=12_900,
        stripe_session_id="cs_1", payment_intent="pi_1",
    )  # fmt: skip
    lost = Quarantined("unreadable", f'{{"sender": "{THEM}"}}', world.account.external_id)
    receive(parts, Delivery("instagram", (), (lost,)), Signed(), NOW)
    make_work(parts.ledger, lead, payload={"text": "paid", "rendered": "Dear Canary"})
    with parts.ledger.begin() as tx:
        leads.mark_lead(tx, lead.id, {**PERSONAL, "tags": ["canary"]})
        claims.mark_values(tx, sold.id, shipping='{"name": "Canary"}', cancel_note="canary")
        tx.execute(text("UPDATE outbox SET result_id = 'mid-of-canary'"))
        tx.execute(
            text(PAID_EVENTS), {"brand": lead.brand_id, "claim": sold.id, "now": "2026-03-14 18:00:00"}
        )
    return lead


PAID_EVENTS = """INSERT INTO payment_events (event_id, brand_id, type, received_at, claim_id, payload) VALUES
('evt_1', :brand, 'a', :now, :claim, 'canary'), ('evt_2', :brand, 'b', :now, NULL, 'canary pays pi_1'),
('evt_3', :brand, 'c', :now, NULL, 'canary@example.org'),
('evt_4', :brand, 'd', :now, NULL, 'somebody else')"""


def test_the_canary_is_everywhere_before_and_nowhere_after(
    parts: Parts, person: Lead, redis_client: Redis
) -> None:
    before = {"leads", "inbox", "outbox", "claims", "payment_events"}
    assert tables_with(parts.ledger, CANARY) == before
    erase(parts, "owner", person.id)
    assert tables_with(parts.ledger, CANARY) == set()
    assert CANARY not in everything_in(redis_client)
    assert CANARY.encode() not in b"".join(export_leads(parts, Wanted(person.brand_id))).lower()


def test_the_gate_forgets_the_person(parts: Parts, person: Lead, redis_client: Redis) -> None:
    key = follower_key(person.account_id, person.external_id)
    assert key in everything_in(redis_client)
    erase(parts, "owner", person.id)
    assert key not in everything_in(redis_client)


def test_the_books_and_every_promise_stay_right(parts: Parts, person: Lead) -> None:
    erase(parts, "owner", person.id)
    drain(parts)
    assert broken(verify(parts)) == {}
    sold = [row for row in rows(parts.ledger, "claims") if row.state == "sold"]
    assert [(row.paid_minor, row.payment_intent) for row in sold] == [(12_900, "pi_1")]


def test_the_summary_counts_and_the_audit_names_nobody(parts: Parts, person: Lead) -> None:
    done = erase(parts, "owner", person.id)
    assert (done.messages, done.replies, done.claims_ended, done.payment_events) == (2, 2, 1, 3)
    with parts.ledger.reading() as tx:
        assert audit.find_break(tx) is None
    line = rows(parts.ledger, "audit")[-1]
    assert (line.actor, line.action, line.subject) == ("owner", "lead_erased", person.id)


def test_erasing_twice_changes_nothing(parts: Parts, person: Lead) -> None:
    erase(parts, "owner", person.id)
    before = {name: rows(parts.ledger, name) for name in metadata.tables}
    assert erase(parts, "owner", person.id).messages == 0
    assert {name: rows(parts.ledger, name) for name in metadata.tables} == before


def test_who_does_not_exist_is_refused(parts: Parts) -> None:
    with pytest.raises(Refused):
        erase(parts, "owner", "led_of_nobody")


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (State.WAITLISTED, "erased"),
        (State.GRANTED, "erased"),
        (State.HELD, "cancelled"),
        (State.EXPIRING, "expiring"),
        (State.PENDING, "pending"),
        (State.EXPIRED, "expired"),
    ],
)
def test_each_claim_ends_as_far_as_it_may(world: World, parts: Parts, state: State, after: str) -> None:
    claim = make_claim(parts.ledger, world.drop(), world.first, state)
    erase(parts, "owner", world.first.id)
    assert [row.state for row in rows(parts.ledger, "claims") if row.id == claim.id] == [after]


def test_the_unit_of_an_erased_person_goes_to_the_next_in_line(world: World, parts: Parts) -> None:
    drop = world.drop(stock_units=1)
    make_claim(parts.ledger, drop, world.first, **told(10))
    next_one = make_claim(parts.ledger, drop, world.second, State.WAITLISTED)
    erase(parts, "owner", world.first.id)
    with parts.ledger.reading() as tx:
        assert units.list_units_of(tx, next_one.id) == (1,)


def test_a_hold_with_a_session_waits_for_stripe_before_its_unit_goes(world: World, parts: Parts) -> None:
    claim = make_claim(parts.ledger, world.drop(), world.first, **told(10))
    request = CheckoutRequest(claim.id, 1, "Night Jacket", PRICE, 1, NOW, "http://127.0.0.1/c/x")
    with parts.ledger.begin() as tx:
        checkouts.insert_attempt(tx, claim.brand_id, request, NOW)
        attempt = checkouts.find_latest(tx, claim.id)
        assert attempt is not None
        checkouts.mark_open(tx, attempt, "cs_9", "http://127.0.0.1/pay")
    assert erase(parts, "owner", world.first.id).sessions == ("cs_9",)
    assert [row.state for row in rows(parts.ledger, "claims")] == ["expiring"]
    assert [row.kind for row in rows(parts.ledger, "outbox")] == ["expire"]


def test_nothing_more_is_sent_to_an_erased_person(world: World, parts: Parts) -> None:
    make_work(parts.ledger, world.first)
    (running,) = take_work(parts.ledger)
    make_work(parts.ledger, world.first)
    erase(parts, "owner", world.first.id)
    found = rows(parts.ledger, "outbox")
    assert {(row.state, row.reason, json.dumps(row.payload)) for row in found} == {("dead", "erased", "{}")}
    assert running.lease_token not in {row.lease_token for row in found}


def test_another_person_and_another_brand_keep_everything(world: World, parts: Parts, person: Lead) -> None:
    others = [row for row in rows(parts.ledger, "leads") if row.id != person.id]
    erase(parts, "owner", person.id)
    assert [row for row in rows(parts.ledger, "leads") if row.id != person.id] == others
    assert "somebody else" in {row.payload for row in rows(parts.ledger, "payment_events")}


def test_who_wrote_stop_is_still_left_alone_when_they_come_back(world: World, parts: Parts) -> None:
    world.drop()
    write(parts, world, "STOP")
    erase(parts, "owner", find(parts.ledger).id)
    assert write(parts, world, "LAUNCH").outcomes[0][1] == "opted_out"
    assert write(parts, world, "START").outcomes[0][1] == "opted_in"
    assert write(parts, world, "LAUNCH").outcomes[0][1] == "held"


def test_who_never_wrote_stop_comes_back_as_somebody_new(world: World, parts: Parts) -> None:
    world.drop()
    write(parts, world, "hello")
    old = find(parts.ledger)
    erase(parts, "owner", old.id)
    assert write(parts, world, "LAUNCH").outcomes[0][1] == "held"
    assert find(parts.ledger).id != old.id


def test_the_latest_will_counts_however_often_they_are_erased(world: World, parts: Parts) -> None:
    world.drop()
    write(parts, world, "STOP")
    erase(parts, "owner", find(parts.ledger).id)
    write(parts, world, "START")
    erase(parts, "owner", find(parts.ledger).id)
    assert write(parts, world, "LAUNCH").outcomes[0][1] == "held"


def test_news_of_money_brings_no_name_back(world: World, parts: Parts) -> None:
    claim = make_claim(parts.ledger, world.drop(), world.first, State.PENDING)
    erase(parts, "owner", world.first.id)
    assert hear(parts, claim.brand_id, paid(claim), '{"email": "canary"}').reason == "sold"
    assert tables_with(parts.ledger, CANARY) == set()


def paid(claim: Claim) -> PaymentEvent:
    total = Money(12_900, "EUR")
    buyer = {"buyer_email": "canary@x", "buyer_name": "Canary", "shipping": '{"name": "Canary"}'}
    session = SessionNews("cs_5", SessionState.COMPLETE_PAID, claim.id, False, total, total, **buyer)
    return PaymentEvent(
        "evt_9", "checkout.session.completed", "cs_5", NewsKind.SESSION, False, session=session
    )
