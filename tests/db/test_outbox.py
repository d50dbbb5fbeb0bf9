"""Work is leased, done once, and never lost."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from claimbot.core.outbox import LEASE, Priority, RowState, Work
from claimbot.db import brands, outbox
from claimbot.db.engine import Ledger
from claimbot.db.tables import outbox as outbox_table
from tests.builders import NOW, World, make_claim, make_lead, make_work, make_world, take_work
from tests.crowd import at_once

SECOND = timedelta(seconds=1)


def row_of(ledger: Ledger, row_id: str) -> dict[str, object]:
    with ledger.reading() as tx:
        return dict(tx.execute(select(outbox_table).where(outbox_table.c.id == row_id)).one()._mapping)


def test_the_most_urgent_work_is_taken_first(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first, priority=Priority.HELP, payload={"text": "last"})
    make_work(ledger, world.first, priority=Priority.WINNER, next_at=NOW - SECOND, payload={"text": "second"})
    make_work(ledger, world.first, priority=Priority.WINNER, next_at=NOW, payload={"text": "third"})
    make_work(ledger, world.first, priority=Priority.MONEY, payload={"text": "first"})
    taken = [row.payload["text"] for row in take_work(ledger)]
    assert taken == ["first", "second", "third", "last"]


def test_no_more_is_taken_than_was_asked_for(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first, priority=Priority.REFUSAL)
    urgent = make_work(ledger, world.first, priority=Priority.MONEY, payload={"text": "urgent"})
    assert [row.payload for row in take_work(ledger, most=1)] == [urgent.payload]


def test_work_is_taken_when_its_time_has_come(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first, next_at=NOW + SECOND)
    assert take_work(ledger, NOW) == []
    assert len(take_work(ledger, NOW + SECOND)) == 1


def test_work_with_a_known_key_is_written_once(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first, dedupe_key="once", payload={"text": "first"})
    make_work(ledger, world.first, dedupe_key="once", payload={"text": "second"})
    assert [row.payload["text"] for row in take_work(ledger)] == ["first"]


def test_taken_work_is_not_taken_again(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first)
    (row,) = take_work(ledger)
    assert (row.attempts, row.sends, row.called_at) == (1, 0, None)
    assert take_work(ledger, NOW + LEASE) == []


def test_work_of_a_worker_that_did_not_come_back_is_taken_again(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first)
    take_work(ledger, NOW)
    (again,) = take_work(ledger, NOW + LEASE + SECOND)
    assert again.attempts == 2


def test_a_renewed_lease_keeps_the_work(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first)
    (row,) = take_work(ledger, NOW)
    with ledger.begin() as tx:
        assert outbox.renew_lease(tx, row, NOW + LEASE)
    assert take_work(ledger, NOW + LEASE + SECOND) == []


def test_a_late_worker_changes_nothing(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first)
    (late,) = take_work(ledger, NOW)
    (current,) = take_work(ledger, NOW + LEASE + SECOND)
    before = row_of(ledger, current.id)
    with ledger.begin() as tx:
        assert not outbox.mark_calling(tx, late, NOW)
        assert not outbox.renew_lease(tx, late, NOW)
        assert not outbox.mark_done(tx, late, NOW)
        assert not outbox.mark_again(tx, late, NOW, "busy", was_accepted=False)
        assert not outbox.mark_stopped(tx, late, RowState.DEAD, "blocked", NOW)
    assert row_of(ledger, current.id) == before


def test_no_call_begins_after_the_lease_ended(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first)
    (row,) = take_work(ledger, NOW)
    with ledger.begin() as tx:
        assert outbox.mark_calling(tx, row, NOW + LEASE - SECOND, {"text": "frozen"})
        assert not outbox.mark_calling(tx, row, NOW + 2 * LEASE)
    stored = row_of(ledger, row.id)
    assert (stored["sends"], stored["payload"]) == (1, {"text": "frozen"})


def test_done_work_is_done_once(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first)
    (row,) = take_work(ledger)
    with ledger.begin() as tx:
        assert outbox.mark_done(tx, row, NOW, "mid_9")
        assert not outbox.mark_done(tx, row, NOW, "mid_10")
        assert outbox.find_by_result(tx, world.account.id, "mid_9") == row.id
        assert outbox.find_by_result(tx, world.other_account.id, "mid_9") is None
    assert take_work(ledger, NOW + timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("was_accepted", "sends", "is_called"),
    [
        pytest.param(True, 1, True, id="it may have been accepted"),
        pytest.param(False, 0, False, id="it was surely not"),
    ],
)
def test_a_send_stays_counted_while_it_may_have_arrived(
    ledger: Ledger, world: World, was_accepted: bool, sends: int, is_called: bool
) -> None:
    make_work(ledger, world.first)
    (row,) = take_work(ledger)
    with ledger.begin() as tx:
        outbox.mark_calling(tx, row, NOW)
        assert outbox.mark_again(tx, row, NOW + SECOND, "busy", was_accepted)
    (again,) = take_work(ledger, NOW + SECOND)
    assert (again.sends, again.called_at is not None, again.attempts) == (sends, is_called, 2)


@pytest.mark.parametrize(("state", "sends"), [(RowState.DEAD, 1), (RowState.PARKED, 0)])
def test_stopped_work_is_not_taken(ledger: Ledger, world: World, state: RowState, sends: int) -> None:
    make_work(ledger, world.first)
    (row,) = take_work(ledger)
    with ledger.begin() as tx:
        outbox.mark_calling(tx, row, NOW)
        assert outbox.mark_stopped(tx, row, state, "token_expired", NOW)
    stored = row_of(ledger, row.id)
    assert (stored["state"], stored["reason"], stored["sends"]) == (state.value, "token_expired", sends)
    assert take_work(ledger, NOW + timedelta(days=1)) == []


def test_work_of_a_parked_account_waits_until_it_is_live(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first)
    make_work(ledger, world.stranger, payload={"text": "other account"})
    with ledger.begin() as tx:
        brands.mark_parked(tx, world.account.id, "token_expired", NOW)
    assert [row.payload["text"] for row in take_work(ledger)] == ["other account"]
    with ledger.begin() as tx:
        brands.mark_live(tx, world.account.id)
    assert len(take_work(ledger)) == 1


def test_work_without_an_account_never_waits_for_one(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first, kind=Work.EXPIRE, account_id=None)
    with ledger.begin() as tx:
        brands.mark_parked(tx, world.account.id, "token_expired", NOW)
    assert len(take_work(ledger)) == 1


def test_parked_rows_are_due_when_their_account_works_again(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first)
    (row,) = take_work(ledger)
    with ledger.begin() as tx:
        outbox.mark_stopped(tx, row, RowState.PARKED, "token_expired", NOW)
        assert outbox.unpark(tx, world.other_account.id, NOW) == 0
        assert outbox.unpark(tx, world.account.id, NOW) == 1
    assert len(take_work(ledger)) == 1


def test_parked_rows_are_due_when_the_payment_keys_work_again(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first, kind=Work.OFFER)
    (row,) = take_work(ledger)
    with ledger.begin() as tx:
        outbox.mark_stopped(tx, row, RowState.PARKED, "bad_key", NOW)
        assert outbox.unpark_brand_work(tx, world.brand.id, [Work.REPLY], NOW) == 0
        assert outbox.unpark_brand_work(tx, world.other_brand.id, [Work.OFFER], NOW) == 0
        assert outbox.unpark_brand_work(tx, world.brand.id, [Work.OFFER], NOW) == 1


def test_stop_drops_only_messages_that_were_not_begun(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first)
    (begun,) = take_work(ledger)
    make_work(ledger, world.first)
    make_work(ledger, world.first, kind=Work.EXPIRE, payload={"text": "expire"})
    make_work(ledger, world.second, payload={"text": "second follower"})
    with ledger.begin() as tx:
        assert outbox.drop_waiting(tx, world.first.id, "opted_out", NOW) == 1
        assert outbox.count_by_state(tx) == {"running": 1, "ready": 2, "dead": 1}
        assert outbox.mark_done(tx, begun, NOW)
    assert {row.payload["text"] for row in take_work(ledger)} == {"expire", "second follower"}


def test_an_echo_confirms_a_send_whose_answer_was_lost(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first)
    (row,) = take_work(ledger)
    with ledger.begin() as tx:
        outbox.mark_calling(tx, row, NOW)
        outbox.mark_again(tx, row, NOW + timedelta(minutes=1), "timeout", was_accepted=True)
    with ledger.begin() as tx:
        (unconfirmed,) = outbox.list_unconfirmed(tx, world.first.id)
        assert outbox.mark_confirmed(tx, unconfirmed.id, NOW, "mid_9")
        assert not outbox.mark_confirmed(tx, unconfirmed.id, NOW, "mid_9")
        assert outbox.list_unconfirmed(tx, world.first.id) == []
    stored = row_of(ledger, row.id)
    assert (stored["state"], stored["result_id"], stored["reason"]) == ("done", "mid_9", "echo")


def test_an_echo_takes_the_work_from_the_worker_that_has_it(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first)
    (row,) = take_work(ledger)
    with ledger.begin() as tx:
        outbox.mark_calling(tx, row, NOW)
        assert outbox.mark_confirmed(tx, row.id, NOW, "mid_9")
        assert not outbox.mark_done(tx, row, NOW, "mid_9")


def test_urgent_work_waits_while_it_is_due_and_not_taken(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first, priority=Priority.WAITLIST)
    assert not is_winner_waiting(ledger, world)
    make_work(ledger, world.first, next_at=NOW + timedelta(minutes=1))
    assert not is_winner_waiting(ledger, world)
    make_work(ledger, world.first)
    assert is_winner_waiting(ledger, world)
    take_work(ledger)
    assert not is_winner_waiting(ledger, world)


def is_winner_waiting(ledger: Ledger, world: World) -> bool:
    with ledger.reading() as tx:
        return outbox.is_waiting(tx, world.account.id, Priority.PROMOTED, NOW)


def test_waiting_work_is_measured(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first, next_at=NOW - timedelta(minutes=3))
    make_work(ledger, world.first, next_at=NOW + SECOND)
    with ledger.reading() as tx:
        assert outbox.oldest_ready(tx, NOW) == NOW - timedelta(minutes=3)
        assert outbox.oldest_ready(tx, NOW - timedelta(hours=1)) is None


@pytest.mark.matrix(21)
def test_sixteen_workers_take_one_row_once(ledger: Ledger, world: World) -> None:
    make_work(ledger, world.first)
    taken = at_once(16, lambda _: take_work(ledger))
    assert sum(len(rows) for rows in taken) == 1


def test_sixteen_workers_share_the_work(ledger: Ledger, world: World) -> None:
    people = [make_lead(ledger, world.account, str(number)) for number in range(40)]
    expected = {make_work(ledger, one, payload={"to": one.id}).payload["to"] for one in people}
    taken = at_once(16, lambda _: take_work(ledger, most=5))
    ids = [row.id for rows in taken for row in rows]
    assert len(ids) == len(set(ids))
    rest = take_work(ledger)
    assert {row.payload["to"] for rows in [*taken, rest] for row in rows} == expected


def test_a_worker_does_not_wait_for_rows_that_another_takes(on_postgresql: Ledger) -> None:
    world = make_world(on_postgresql)
    make_work(on_postgresql, world.first)
    with on_postgresql.begin() as one, on_postgresql.begin() as other:
        assert len(outbox.take_due(one, NOW, 10)) == 1
        assert outbox.take_due(other, NOW, 10) == []


def test_the_offer_of_a_claim_that_ends_is_not_sent(ledger: Ledger, world: World) -> None:
    claim = make_claim(ledger, world.drop(), world.first)
    make_work(ledger, world.first, kind=Work.OFFER, claim_id=claim.id)
    make_work(ledger, world.first, kind=Work.REPLY, claim_id=claim.id)
    with ledger.begin() as tx:
        assert outbox.drop_waiting_offer(tx, claim.id, "passed", NOW) == 1
    assert [row.kind for row in take_work(ledger)] == [Work.REPLY]
