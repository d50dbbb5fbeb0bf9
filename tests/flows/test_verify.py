"""Does every invariant hold in a healthy world, and is a bent row noticed by the right one?"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from claimbot.core.messages import Delivery, Inbound, Kind
from claimbot.core.outbox import Work
from claimbot.db import alerts, audit, marks
from claimbot.flows.receive import Signed, receive
from claimbot.flows.verify import INVARIANTS, verify, verify_and_note
from claimbot.parts import Parts
from tests.builders import NOW, World, make_work
from tests.flows.alone import parts_alone
from tests.flows.busy import (
    Busy,
    add_message,
    add_payment_event,
    add_session,
    broken,
    make_busy,
    make_their_drop,
)


@pytest.fixture
def parts(world: World, redis_url: str) -> Iterator[Parts]:
    with parts_alone(world.ledger, redis_url) as found:
        yield found


@pytest.fixture
def busy(world: World) -> Busy:
    return make_busy(world)


def test_a_healthy_world_breaks_nothing(busy: Busy, parts: Parts) -> None:
    findings = verify(parts)
    assert broken(findings) == {}
    assert [one.invariant for one in findings] == [f"I{n}" for n in (1, 2, 3, 4, 7, 8, 9, 10, 11, 12)]


def test_a_storm_through_the_front_door_breaks_nothing(world: World, parts: Parts) -> None:
    world.drop(stock_units=3)
    crowd = [
        Inbound("instagram", world.account.external_id, Kind.TEXT, f"mid-{n}", f"90{n:02d}", NOW, "LAUNCH")
        for n in range(12)
    ]
    receive(parts, Delivery("instagram", tuple(crowd)), Signed(), NOW)
    assert broken(verify(parts)) == {}


# Which promise breaks, how, and which row of the busy world must be named.
CORRUPTIONS = [
    ("I1", "UPDATE claims SET quantity = 2 WHERE id = :id", "held"),
    ("I1", "UPDATE units SET claim_id = NULL WHERE claim_id = :id", "held"),
    ("I1", "UPDATE units SET claim_id = :id WHERE unit_no = 5", "expired"),
    ("I1", "UPDATE variants SET stock_units = 6 WHERE id = :id", "variant"),
    ("I1", "DELETE FROM units WHERE unit_no = 3 AND variant_id = :id", "variant"),
    ("I2", "UPDATE claims SET place = 99 WHERE id = :id", "held"),
    ("I3", "UPDATE drops SET per_follower_limit = 1 WHERE id = :id", "drop"),
    ("I3", "UPDATE claims SET event_key = 'twice' WHERE drop_id = :id", "drop"),
    ("I4", "UPDATE claims SET stripe_session_id = 'cs_9' WHERE id = :id", "sold"),
    ("I4", "DELETE FROM outbox WHERE claim_id = :id", "refunding"),
    ("I4", "UPDATE outbox SET state = 'dead', reason = 'refused' WHERE claim_id = :id", "refunding"),
    ("I12", "UPDATE claims SET state = 'lost' WHERE id = :id", "expired"),
    ("I12", "UPDATE claims SET paid_at = NULL WHERE id = :id", "sold"),
    ("I12", "UPDATE claims SET paid_at = created_at WHERE id = :id", "expired"),
    ("I12", "UPDATE claims SET ended_at = NULL WHERE id = :id", "expired"),
    ("I12", "UPDATE claims SET ended_at = created_at WHERE id = :id", "pending"),
    ("I12", "UPDATE claims SET refunded_minor = 0 WHERE id = :id", "refunded"),
    ("I12", "UPDATE claims SET told_at = NULL WHERE id = :id", "held"),
]


def aim(busy: Busy, row: str) -> str:
    others = {"variant": busy.drop.variants[0].id, "drop": busy.drop.id}
    return others.get(row) or str(getattr(busy, row).id)


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda one: f"{one[0]}-{one[1]}")
def test_a_bent_row_is_named_by_its_own_invariant(
    busy: Busy, parts: Parts, corruption: tuple[str, str, str]
) -> None:
    invariant, statement, row = corruption
    busy.change(statement, id=aim(busy, row))
    found = broken(verify(parts))
    assert list(found) == [invariant]
    assert named(busy, statement, row) in found[invariant]


def named(busy: Busy, statement: str, row: str) -> str:
    """What the finding must name: the row that was bent, or who has gained by it."""
    if "'twice'" in statement:
        return "event twice"
    return busy.sold.lead_id if row == "drop" else aim(busy, row)


def test_selling_more_than_there_is_breaks_the_stock_too(busy: Busy, parts: Parts) -> None:
    busy.change("UPDATE drops SET per_follower_limit = 9")
    busy.change("UPDATE claims SET quantity = 9 WHERE id = :id", id=busy.sold.id)
    found = broken(verify(parts))
    assert list(found) == ["I1", "I2"]
    assert busy.drop.variants[0].id in found["I2"]


def test_a_unit_that_a_refund_took_off_sale_is_no_breach(busy: Busy, parts: Parts) -> None:
    busy.change("UPDATE units SET state = 'retired' WHERE unit_no = 5")
    assert broken(verify(parts)) == {}


def test_two_live_claims_of_one_follower_are_reported(busy: Busy, parts: Parts) -> None:
    busy.change("DROP INDEX uq_claims_one_live")
    busy.change("UPDATE claims SET lead_id = :it WHERE id = :id", it=busy.held.lead_id, id=busy.pending.id)
    found = broken(verify(parts))
    assert list(found) == ["I3"]
    assert busy.held.lead_id in found["I3"]


def test_a_limit_that_was_lowered_later_is_no_breach(busy: Busy, parts: Parts) -> None:
    busy.change("UPDATE drops SET per_follower_limit = 1")
    with parts.ledger.begin() as tx:
        audit.insert_line(tx, "owner", "drop_edited", busy.drop.id, now=NOW, per_follower_limit=1)
    assert broken(verify(parts)) == {}


def test_money_for_a_claim_that_ended_is_reported(busy: Busy, parts: Parts) -> None:
    add_session(busy, busy.expired, "cs_3")
    found = broken(verify(parts))
    assert list(found) == ["I4"]
    assert "cs_3" in found["I4"]


@pytest.mark.parametrize(("outcome", "reason"), [("applied", "payment_failed"), ("review", "other_amount")])
def test_money_that_never_came_or_waits_for_a_person_is_no_breach(
    busy: Busy, parts: Parts, outcome: str, reason: str
) -> None:
    add_session(busy, busy.expired, "cs_3")
    add_payment_event(busy, busy.expired, outcome, reason)
    assert broken(verify(parts)) == {}


def test_money_that_stripe_told_us_of_when_asked_may_wait_for_a_person_too(busy: Busy, parts: Parts) -> None:
    add_session(busy, busy.expired, "cs_3")
    with parts.ledger.begin() as tx:
        alerts.raise_alert(tx, alerts.Alert("review", "cs_3", "look at it in Stripe"), NOW)
    assert broken(verify(parts)) == {}


def test_a_second_payment_with_its_refund_is_no_breach(busy: Busy, parts: Parts) -> None:
    busy.change("UPDATE checkouts SET session_id = 'cs_77'")
    refund = {"kind": Work.REFUND, "dedupe_key": "refund:cs_77", "claim_id": busy.sold.id}
    make_work(parts.ledger, busy.world.first, **refund)
    assert broken(verify(parts)) == {}


def test_a_refund_that_stripe_refused_is_no_breach_once_a_person_knows(busy: Busy, parts: Parts) -> None:
    busy.change("UPDATE outbox SET state = 'dead', reason = 'refused'")
    with parts.ledger.begin() as tx:
        alerts.raise_alert(tx, alerts.Alert("refund", busy.refunding.id, "send it yourself"), NOW)
    assert broken(verify(parts)) == {}


def test_at_rest_money_that_is_still_owed_is_reported(busy: Busy, parts: Parts) -> None:
    assert busy.refunding.id in broken(verify(parts, is_at_rest=True))["I4"]


# table and column that is bent toward the other brand, and which of its rows
BRIDGES = [
    ("claims", "lead_id", "state = 'held'"),
    ("claims", "drop_id", "state = 'held'"),
    ("checkouts", "brand_id", "session_id = 'cs_1'"),
    ("payment_events", "brand_id", "event_id = 'evt_1'"),
    ("outbox", "lead_id", "dedupe_key = 'refund:cs_2'"),
    ("inbox", "account_id", "event_key = 'a-message'"),
    ("leads", "account_id", "external_id = '7002'"),
    ("keywords", "drop_id", "word = 'LAUNCH'"),
]


@pytest.mark.parametrize("bridge", BRIDGES, ids=lambda one: f"{one[0]}-{one[1]}")
def test_a_row_that_hangs_on_another_brand_is_reported(
    busy: Busy, parts: Parts, bridge: tuple[str, str, str]
) -> None:
    table, column, row = bridge
    add_payment_event(busy, busy.sold)
    add_message(busy, "a-message", "ignored")
    theirs = {
        "lead_id": busy.world.stranger.id,
        "drop_id": make_their_drop(busy).id,
        "brand_id": busy.world.other_brand.id,
        "account_id": busy.world.other_account.id,
    }
    busy.change(f"UPDATE {table} SET {column} = :to WHERE {row}", to=theirs[column])
    found = broken(verify(parts))
    assert list(found) == ["I7"]
    assert table in found["I7"]


def test_a_breach_is_an_alert_until_it_is_mended(busy: Busy, parts: Parts) -> None:
    busy.change("UPDATE claims SET place = 99 WHERE id = :id", id=busy.held.id)
    assert verify_and_note(parts) == 1
    with parts.ledger.reading() as tx:
        mark, raised = marks.find_mark(tx, "verify"), alerts.list_open(tx)
    assert mark is not None
    assert list(mark.facts["broken"]) == ["I2"]
    assert [(alert.kind, alert.subject) for alert in raised] == [("invariant", "I2")]
    busy.change("UPDATE claims SET place = 1 WHERE id = :id", id=busy.held.id)
    assert verify_and_note(parts) == 0
    with parts.ledger.reading() as tx:
        assert alerts.list_open(tx) == []


@pytest.mark.parametrize(("took_seconds", "breaches"), [(2.0, 1), (30.0, 0)])
def test_a_ledger_that_takes_long_to_look_at_is_looked_at_less_often(
    busy: Busy, parts: Parts, took_seconds: float, breaches: int
) -> None:
    busy.change("UPDATE claims SET place = 99 WHERE id = :id", id=busy.held.id)
    with parts.ledger.begin() as tx:
        before = {"broken": {}, "breaches": 0, "took_seconds": took_seconds}
        marks.set_mark(tx, "verify", NOW - timedelta(minutes=9), before)
    assert verify_and_note(parts) == breaches


def test_every_invariant_says_in_words_what_it_promises() -> None:
    assert all(len(one.statement.split()) >= 5 for one in INVARIANTS)
