"""Troubles are raised once; marks count."""

from dataclasses import replace
from datetime import timedelta

from claimbot.db import alerts, marks
from claimbot.db.alerts import Alert
from claimbot.db.engine import Ledger
from claimbot.db.marks import Mark
from tests.builders import NOW, World
from tests.crowd import at_once

EXPIRED = Alert("token_expired", "acc_1", "Connect the account again.")


def test_a_trouble_is_raised_once_until_it_is_cleared(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        assert alerts.raise_alert(tx, EXPIRED, NOW)
        assert not alerts.raise_alert(tx, EXPIRED, NOW)
        assert alerts.is_open(tx, EXPIRED.kind, EXPIRED.subject)
        assert alerts.clear_alert(tx, EXPIRED.kind, EXPIRED.subject, NOW)
        assert not alerts.clear_alert(tx, EXPIRED.kind, EXPIRED.subject, NOW)
        assert not alerts.is_open(tx, EXPIRED.kind, EXPIRED.subject)
        assert alerts.raise_alert(tx, EXPIRED, NOW)


def test_open_troubles_are_listed_oldest_first(ledger: Ledger, world: World) -> None:
    older = Alert("token_expired", "acc_1", "Connect it again.", world.brand.id)
    newer, cleared = replace(older, subject="acc_2"), replace(older, subject="acc_3")
    with ledger.begin() as tx:
        alerts.raise_alert(tx, newer, NOW)
        alerts.raise_alert(tx, older, NOW - timedelta(hours=1))
        alerts.raise_alert(tx, cleared, NOW)
        alerts.clear_alert(tx, cleared.kind, cleared.subject, NOW)
        assert [one.subject for one in alerts.list_open(tx)] == ["acc_1", "acc_2"]


def test_thirty_two_workers_raise_one_alert(ledger: Ledger) -> None:
    def see_trouble(_: int) -> bool:
        with ledger.begin() as tx:
            return alerts.raise_alert(tx, EXPIRED, NOW)

    assert sum(at_once(32, see_trouble)) == 1


def test_a_mark_counts_and_keeps_its_latest_facts(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        marks.set_mark(tx, "swept", NOW, {"ended": 3})
        marks.set_mark(tx, "swept", NOW + timedelta(seconds=1), {"ended": 5})
        expected = Mark("swept", 2, {"ended": 5}, NOW + timedelta(seconds=1))
        assert marks.find_mark(tx, "swept") == expected
        assert marks.list_marks(tx) == [expected] == marks.list_marks(tx, "swe")
        assert marks.list_marks(tx, "wept") == []
        assert marks.find_mark(tx, "never") is None


def test_no_count_of_a_mark_is_lost(ledger: Ledger) -> None:
    def sweep(_: int) -> None:
        with ledger.begin() as tx:
            marks.set_mark(tx, "swept", NOW)

    at_once(32, sweep)
    with ledger.reading() as tx:
        found = marks.find_mark(tx, "swept")
    assert found is not None
    assert found.value == 32
