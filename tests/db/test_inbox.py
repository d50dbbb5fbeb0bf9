"""Every event once, over any number of deliveries."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from claimbot.core.messages import Inbound, Kind
from claimbot.db import inbox
from claimbot.db.engine import Ledger, RunAgain
from claimbot.db.inbox import RAW_CHARS_MAX, TEXT_CHARS_MAX, Arrival, Ending
from claimbot.db.tables import inbox as inbox_table
from tests.builders import NOW, World
from tests.crowd import at_once


def arrival(event_id: str = "mid_1", **changes: str) -> Arrival:
    key = inbox.event_key("instagram", "17841400000000001", event_id)
    return replace(Arrival(key, event_id, NOW, "message", text="LAUNCH", raw="{}"), **changes)


def write(ledger: Ledger, *arrivals: Arrival) -> None:
    with ledger.begin() as tx:
        inbox.insert_events(tx, [(one, Ending(one.event_key, "held")) for one in arrivals])


def count(ledger: Ledger) -> int:
    with ledger.reading() as tx:
        return int(tx.execute(select(func.count()).select_from(inbox_table)).scalar_one())


def row_of(ledger: Ledger, one: Arrival) -> dict[str, object]:
    with ledger.reading() as tx:
        found = tx.execute(select(inbox_table).where(inbox_table.c.event_key == one.event_key)).one()
    return dict(found._mapping)


def test_a_known_event_is_not_written_again(ledger: Ledger) -> None:
    write(ledger, arrival(text="LAUNCH"))
    with pytest.raises(RunAgain):
        write(ledger, arrival(text="something else"), arrival("mid_2"))
    assert count(ledger) == 1
    assert row_of(ledger, arrival())["text"] == "LAUNCH"


def test_an_event_twice_in_one_delivery_is_one(ledger: Ledger) -> None:
    write(ledger, arrival(), arrival())
    assert count(ledger) == 1


def test_an_empty_delivery_writes_nothing(ledger: Ledger) -> None:
    write(ledger)
    assert count(ledger) == 0


def test_thousands_of_events_are_written_at_once(ledger: Ledger) -> None:
    write(ledger, *(arrival(f"mid_{number}") for number in range(2_500)))
    assert count(ledger) == 2_500


def test_sixty_four_deliveries_of_the_same_events_make_each_once(ledger: Ledger) -> None:
    same = [arrival(f"mid_{number}") for number in range(5)]

    def deliver(number: int) -> int:
        with suppress(RunAgain):
            write(ledger, *(same if number % 2 else reversed(same)))
            return 1
        return 0

    assert sum(at_once(64, deliver)) == 1
    assert count(ledger) == 5


def test_known_keys_are_found(ledger: Ledger) -> None:
    write(ledger, arrival("mid_1"))
    keys = [arrival("mid_1").event_key, arrival("mid_2").event_key]
    with ledger.reading() as tx:
        assert inbox.find_known_keys(tx, keys) == {keys[0]}
        assert inbox.find_known_keys(tx, []) == set()


@pytest.mark.parametrize(
    "other",
    [
        ("instagram", "1", "mid_2"),
        ("instagram", "2", "mid_1"),
        ("messenger", "1", "mid_1"),
        ("instagram", "1m", "id_1"),
    ],
)
def test_another_event_has_another_key(other: tuple[str, str, str]) -> None:
    assert inbox.event_key("instagram", "1", "mid_1") != inbox.event_key(*other)


def test_an_inbound_event_has_the_key_of_its_message() -> None:
    event = Inbound("instagram", "17841400000000001", Kind.TEXT, "mid_1", "7001", NOW)
    assert inbox.key_of(event) == arrival("mid_1").event_key


def test_an_event_ends_with_its_outcome(ledger: Ledger, world: World) -> None:
    drop = world.drop()
    ending = Ending(arrival().event_key, "held", "", world.first.id, drop.id, None, "LAUNCH")
    with ledger.begin() as tx:
        inbox.insert_events(tx, [(arrival(), ending)])
        assert inbox.count_outcomes(tx, drop.id) == {"held": 1}
    assert row_of(ledger, arrival())["lead_id"] == world.first.id


def test_a_message_that_was_taken_back_is_forgotten(ledger: Ledger, world: World) -> None:
    write(ledger, arrival(account_id=world.account.id))
    with ledger.begin() as tx:
        assert not inbox.forget_text(tx, world.other_account.id, "mid_1")
        assert inbox.forget_text(tx, world.account.id, "mid_1")
    assert (row_of(ledger, arrival())["text"], row_of(ledger, arrival())["raw"]) == ("", "")


def test_raw_events_are_purged_by_age(ledger: Ledger) -> None:
    write(ledger, arrival())
    with ledger.begin() as tx:
        assert inbox.purge_raw(tx, NOW) == 0
        assert inbox.purge_raw(tx, NOW + timedelta(seconds=1)) == 1
        assert inbox.purge_raw(tx, NOW + timedelta(seconds=1)) == 0


def test_long_texts_are_cut(ledger: Ledger) -> None:
    write(ledger, arrival(text="x" * 5_000, raw="y" * 50_000))
    row = row_of(ledger, arrival())
    assert (len(str(row["text"])), len(str(row["raw"]))) == (TEXT_CHARS_MAX, RAW_CHARS_MAX)
