"""Is work that was left undone noticed: messages, holds, lines and parked accounts?"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from claimbot.core.claims import State
from claimbot.core.outbox import Work
from claimbot.db import alerts, brands
from claimbot.flows.verify import verify
from claimbot.parts import Parts
from tests.builders import NOW, World, make_claim, make_lead, make_work, told
from tests.flows.alone import parts_alone
from tests.flows.busy import LONG_AGO, Busy, add_message, broken, make_busy

SEEN = {"last_seen_at": LONG_AGO}


@pytest.fixture
def parts(world: World, redis_url: str) -> Iterator[Parts]:
    with parts_alone(world.ledger, redis_url) as found:
        yield found


@pytest.fixture
def busy(world: World) -> Busy:
    return make_busy(world)


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def tell_a_person(parts: Parts, kind: str, subject: str) -> None:
    with parts.ledger.begin() as tx:
        alerts.raise_alert(tx, alerts.Alert(kind, subject, "look at it"), NOW)


def test_an_event_without_an_outcome_is_reported(busy: Busy, parts: Parts) -> None:
    add_message(busy, "unended", "")
    assert broken(verify(parts)) == {"I8": "event unended has no outcome"}


@pytest.mark.parametrize("outcome", ["held", "sold_out", "waitlisted", "closed", "passed"])
def test_a_matched_message_without_an_answer_is_reported(busy: Busy, parts: Parts, outcome: str) -> None:
    add_message(busy, "silent", outcome)
    found = broken(verify(parts))
    assert list(found) == ["I8"]
    assert "event silent" in found["I8"]


@pytest.mark.parametrize(("outcome", "kind"), [("held", "offer"), ("sold_out", "reply")])
def test_an_answer_on_its_way_is_enough(busy: Busy, parts: Parts, outcome: str, kind: str) -> None:
    add_message(busy, "heard", outcome)
    make_work(parts.ledger, busy.world.first, dedupe_key=f"{kind}:heard")
    assert broken(verify(parts)) == {}


@pytest.mark.parametrize("outcome", ["ignored", "unmatched", "opted_out", "human", "late"])
def test_a_message_that_nobody_needs_to_answer_is_no_breach(busy: Busy, parts: Parts, outcome: str) -> None:
    add_message(busy, "quiet", outcome)
    assert broken(verify(parts)) == {}


@pytest.mark.parametrize("bent", ["state = 'dead', reason = ''", "sends = 3"])
def test_a_message_given_up_silently_or_sent_thrice_is_reported(busy: Busy, parts: Parts, bent: str) -> None:
    make_work(parts.ledger, busy.world.first, dedupe_key="mine")
    busy.change(f"UPDATE outbox SET {bent} WHERE dedupe_key = 'mine'")
    (row_id,) = ids(busy, "mine")
    found = broken(verify(parts))
    assert list(found) == ["I8"]
    assert row_id in found["I8"]


def ids(busy: Busy, dedupe_key: str) -> list[str]:
    with busy.world.ledger.reading() as tx:
        query = "SELECT id FROM outbox WHERE dedupe_key = ?"
        mark = "?" if busy.world.ledger.is_sqlite else "%s"
        return list(tx.exec_driver_sql(query.replace("?", mark), (dedupe_key,)).scalars())


def waiting_person(busy: Busy, quantity: int = 1) -> str:
    """Somebody reachable waits for the free unit since long ago; returns their claim."""
    lead = make_lead(busy.world.ledger, busy.world.account, "7300", **SEEN)
    claim = make_claim(busy.world.ledger, busy.drop, lead, State.WAITLISTED, quantity, created_at=LONG_AGO)
    return claim.id


def test_a_free_unit_while_somebody_waits_is_reported(busy: Busy, parts: Parts) -> None:
    claim_id = waiting_person(busy)
    found = broken(verify(parts))
    assert list(found) == ["I9"]
    assert claim_id in found["I9"]


TOO_NEW = {
    "they wrote just now": "UPDATE leads SET last_seen_at = :now",
    "a claim ended just now": "UPDATE claims SET ended_at = :now WHERE state = 'refunded'",
    "the drop opened just now": "UPDATE drops SET opens_at = :now",
}
NOT_FOR_THEM = {
    "they opted out": "UPDATE leads SET opted_out_at = :now",
    "their window has closed": "UPDATE leads SET window_expires_at = :now",
    "the drop is over": "UPDATE drops SET closes_at = :now",
    "the drop is paused": "UPDATE drops SET state = 'paused', created_at = :now",
    "the drop is closed": "UPDATE drops SET state = 'closed', created_at = :now",
    "the whole wish waits": "UPDATE drops SET is_partial_allowed = false, created_at = :now",
}
REASONS = {**TOO_NEW, **NOT_FOR_THEM}


@pytest.mark.parametrize("why", REASONS)
def test_a_free_unit_is_no_breach_while_there_is_a_reason(busy: Busy, parts: Parts, why: str) -> None:
    waiting_person(busy, quantity=2)
    busy.change(REASONS[why], now=NOW)
    assert broken(verify(parts)) == {}


@pytest.mark.parametrize("why", TOO_NEW)
def test_at_rest_no_free_unit_is_excused_by_being_new(busy: Busy, parts: Parts, why: str) -> None:
    claim_id = waiting_person(busy)
    busy.change(TOO_NEW[why], now=NOW)
    assert claim_id in broken(verify(parts, is_at_rest=True))["I9"]


def test_a_hold_that_outlives_its_end_is_reported(busy: Busy, parts: Parts) -> None:
    busy.change("UPDATE claims SET hold_expires_at = :at WHERE id = :id", at=at(-2), id=busy.held.id)
    found = broken(verify(parts))
    assert list(found) == ["I9"]
    assert busy.held.id in found["I9"]


def test_a_hold_in_its_grace_is_no_breach(busy: Busy, parts: Parts) -> None:
    busy.change("UPDATE claims SET hold_expires_at = :at WHERE id = :id", at=at(-1), id=busy.held.id)
    assert broken(verify(parts)) == {}


@pytest.fixture
def ending(busy: Busy) -> str:
    """Somebody passed two minutes ago, and Stripe has not ended their session yet; their claim."""
    busy.change("UPDATE claims SET state = 'expiring' WHERE id = :id", id=busy.held.id)
    work = {"kind": Work.EXPIRE, "dedupe_key": "expire:it", "claim_id": busy.held.id, "next_at": at(1)}
    make_work(busy.world.ledger, busy.world.first, **work)
    busy.change("UPDATE outbox SET created_at = :at WHERE dedupe_key = 'expire:it'", at=at(-2))
    return busy.held.id


def test_a_session_that_does_not_end_keeps_a_unit_too_long(busy: Busy, parts: Parts, ending: str) -> None:
    found = broken(verify(parts))
    assert list(found) == ["I9"]
    assert ending in found["I9"]


@pytest.mark.parametrize("kind", ["stripe_unreachable", "stripe"])
def test_a_hold_that_waits_for_a_silent_stripe_is_no_breach(
    busy: Busy, parts: Parts, ending: str, kind: str
) -> None:
    tell_a_person(parts, kind, busy.world.brand.id)
    assert broken(verify(parts)) == {}
    assert ending in broken(verify(parts, is_at_rest=True))["I9"]


def test_a_hold_whose_clock_can_never_start_is_reported(busy: Busy, parts: Parts) -> None:
    claim = make_claim(parts.ledger, busy.drop, busy.world.first)
    assert claim.id in broken(verify(parts))["I9"]
    make_work(parts.ledger, busy.world.first, kind=Work.OFFER, claim_id=claim.id)
    assert broken(verify(parts)) == {}


def test_work_older_than_a_day_is_reported(busy: Busy, parts: Parts) -> None:
    make_work(parts.ledger, busy.world.first, dedupe_key="old")
    busy.change("UPDATE outbox SET created_at = :at WHERE dedupe_key = 'old'", at=LONG_AGO)
    (row_id,) = ids(busy, "old")
    found = broken(verify(parts))
    assert list(found) == ["I10"]
    assert row_id in found["I10"]


def test_money_that_waits_for_a_silent_stripe_may_be_old(busy: Busy, parts: Parts) -> None:
    busy.change("UPDATE outbox SET created_at = :at WHERE dedupe_key = 'refund:cs_2'", at=LONG_AGO)
    assert list(broken(verify(parts))) == ["I10"]
    tell_a_person(parts, "stripe_unreachable", busy.world.brand.id)
    assert broken(verify(parts)) == {}


def test_at_rest_work_that_is_due_is_reported(busy: Busy, parts: Parts) -> None:
    busy.change(
        "UPDATE claims SET state = 'refunded', refunded_minor = 1 WHERE id = :id", id=busy.refunding.id
    )
    (row_id,) = ids(busy, "refund:cs_2")
    assert broken(verify(parts)) == {}
    found = broken(verify(parts, is_at_rest=True))
    assert list(found) == ["I10"]
    assert row_id in found["I10"]


def test_parked_work_needs_a_reason_and_an_alert(busy: Busy, parts: Parts) -> None:
    make_work(parts.ledger, busy.world.first, dedupe_key="parked")
    busy.change("UPDATE outbox SET state = 'parked', reason = 'token' WHERE dedupe_key = 'parked'")
    (row_id,) = ids(busy, "parked")
    assert row_id in broken(verify(parts))["I10"]
    tell_a_person(parts, "account", busy.world.account.id)
    assert broken(verify(parts)) == {}
    busy.change("UPDATE outbox SET reason = '' WHERE dedupe_key = 'parked'")
    assert list(broken(verify(parts))) == ["I10"]


def test_a_parked_account_holds_its_work_for_as_long_as_a_person_knows(busy: Busy, parts: Parts) -> None:
    with parts.ledger.begin() as tx:
        brands.mark_parked(tx, busy.world.account.id, "token", NOW)
    make_work(parts.ledger, busy.world.first, dedupe_key="old")
    busy.change("UPDATE outbox SET created_at = :at WHERE dedupe_key = 'old'", at=LONG_AGO)
    found = broken(verify(parts))
    assert found == {"I10": f"account {busy.world.account.id} is parked without a reason or an alert"}
    tell_a_person(parts, "account", busy.world.account.id)
    assert broken(verify(parts)) == {}


@pytest.fixture
def line(busy: Busy) -> tuple[str, str]:
    """Two people in a line since an hour ago, both reachable ever since; their claims in that order."""
    busy.change("UPDATE drops SET state = 'paused'")
    ledger, account = busy.world.ledger, busy.world.account
    seen = {"last_seen_at": at(-60), "window_expires_at": at(23 * 60)}
    joined = {"state": State.WAITLISTED, "created_at": at(-60)}
    ahead = make_claim(ledger, busy.drop, make_lead(ledger, account, "7400", **seen), **joined)
    behind = make_claim(ledger, busy.drop, make_lead(ledger, account, "7401", **seen), **joined)
    return ahead.id, behind.id


PROMOTE = "UPDATE claims SET state = 'expired', promoted_at = :at, ended_at = :at WHERE id = :id"


def test_who_is_promoted_before_those_ahead_breaks_the_line(
    busy: Busy, parts: Parts, line: tuple[str, str]
) -> None:
    busy.change(PROMOTE, at=at(-5), id=line[1])
    found = broken(verify(parts))
    assert list(found) == ["I11"]
    assert line[0] in found["I11"]


def test_who_is_promoted_later_than_those_behind_broke_the_line_too(
    busy: Busy, parts: Parts, line: tuple[str, str]
) -> None:
    busy.change(PROMOTE, at=at(-5), id=line[1])
    busy.change(PROMOTE, at=at(-4), id=line[0])
    assert line[0] in broken(verify(parts))["I11"]


def test_promotions_that_waited_for_each_other_are_no_breach(
    busy: Busy, parts: Parts, line: tuple[str, str]
) -> None:
    """Each took its time before it waited for the ledger, and the first in line happened to do so later."""
    busy.change(PROMOTE, at=at(-5), id=line[1])
    busy.change(PROMOTE, at=at(-5) + timedelta(seconds=9), id=line[0])
    assert broken(verify(parts)) == {}


def test_a_line_served_in_order_is_no_breach(busy: Busy, parts: Parts, line: tuple[str, str]) -> None:
    busy.change(PROMOTE, at=at(-5), id=line[0])
    busy.change(PROMOTE, at=at(-4), id=line[1])
    assert broken(verify(parts)) == {}


@pytest.mark.parametrize("bent", ["window_expires_at = :then", "last_seen_at = :now", "opted_out_at = :now"])
def test_who_could_perhaps_not_be_written_to_is_not_reported(
    busy: Busy, parts: Parts, line: tuple[str, str], bent: str
) -> None:
    busy.change(PROMOTE, at=at(-5), id=line[1])
    statement = f"UPDATE leads SET {bent} WHERE id = (SELECT lead_id FROM claims WHERE id = :id)"
    busy.change(statement, id=line[0], **{bent.rpartition(":")[2]: TIMES[bent.rpartition(":")[2]]})
    assert broken(verify(parts)) == {}


def test_who_was_heard_later_than_they_wrote_could_not_be_served_before(
    busy: Busy, parts: Parts, line: tuple[str, str]
) -> None:
    """The platform delivered it again and again until it came; without it a commenter has no window."""
    busy.change(PROMOTE, at=at(-5), id=line[1])
    add_message(busy, "late", "unmatched")
    theirs = "(SELECT lead_id FROM claims WHERE id = :id)"
    heard = f"UPDATE inbox SET lead_id = {theirs}, received_at = :heard WHERE event_key = :key"

    busy.change(heard, id=line[0], key="late", heard=at(-4))
    assert broken(verify(parts)) == {}

    busy.change(heard, id=line[0], key="late", heard=at(-6))
    assert list(broken(verify(parts))) == ["I11"]


TIMES = {"then": at(-5), "now": NOW}


def test_a_newcomer_who_overtakes_the_line_is_reported(
    busy: Busy, parts: Parts, line: tuple[str, str]
) -> None:
    make_claim(parts.ledger, busy.drop, busy.world.first, created_at=at(-5), **told(10))
    found = broken(verify(parts))
    assert list(found) == ["I11"]
    assert line[0] in found["I11"]
    assert line[1] in found["I11"]
