"""Statements that go straight to the driver fail, and are heard of, like all others."""

from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from claimbot.core.errors import LedgerUnavailable
from claimbot.db.driver import ask, change, change_each
from claimbot.db.engine import Ledger
from claimbot.db.many import among, equals, listed
from tests.builders import make_brand
from tests.web.doors import dead_ledger


def test_rows_are_found_and_changed(ledger: Ledger) -> None:
    brand = make_brand(ledger, "aurora")
    with ledger.begin() as tx:
        slug = equals(tx, "slug")
        assert change(tx, f"UPDATE brands SET name = 'New' WHERE {slug}", ("aurora",)) == 1
        assert change_each(tx, f"UPDATE brands SET name = 'Newer' WHERE {slug}", [("aurora",), ("x",)]) == 1
        query = f"SELECT id, name FROM brands WHERE {among(tx, 'slug')}"
        assert ask(tx, query, (listed(tx, ["aurora", "boreal"]),)) == [(brand.id, "Newer")]


def test_a_failure_is_sqlalchemys_and_quotes_no_value(ledger: Ledger) -> None:
    with pytest.raises(DBAPIError) as raised, ledger.begin() as tx:
        ask(tx, f"SELECT nothing FROM brands WHERE {equals(tx, 'slug')}", ("a secret",))
    assert "a secret" not in str(raised.value)
    with ledger.reading() as tx:
        assert ask(tx, "SELECT 1") == [(1,)]


def test_a_broken_transaction_is_rolled_back(ledger: Ledger) -> None:
    make_brand(ledger, "aurora")
    with pytest.raises(DBAPIError), ledger.begin() as tx:
        change(tx, "UPDATE brands SET name = 'Gone'")
        change(tx, "UPDATE brands SET slug = NULL")
    with ledger.reading() as tx:
        assert ask(tx, "SELECT name FROM brands WHERE name = 'Gone'") == []


def test_a_glance_begins_nothing_and_leaves_transactions_to_others(ledger: Ledger) -> None:
    make_brand(ledger, "aurora")
    with ledger.glancing() as tx:
        assert ask(tx, "SELECT slug FROM brands") == [("aurora",)]
        with ledger.begin() as other:
            change(other, "UPDATE brands SET slug = 'boreal'")
        # A transaction that had begun with the first look would still see it on SQLite.
        assert ask(tx, "SELECT slug FROM brands") == [("boreal",)]
    with pytest.raises(DBAPIError), ledger.begin() as tx:
        change(tx, "UPDATE brands SET slug = 'nobody'")
        change(tx, "UPDATE brands SET slug = NULL")
    with ledger.glancing() as tx:
        assert ask(tx, "SELECT slug FROM brands") == [("boreal",)]


def test_without_a_server_a_glance_is_the_ledgers_trouble() -> None:
    with pytest.raises(LedgerUnavailable), dead_ledger().glancing():
        pass


def test_a_lost_connection_is_the_ledgers_trouble_and_not_kept(on_postgresql: Ledger) -> None:
    ledger = on_postgresql
    with pytest.raises(LedgerUnavailable), ledger.begin() as tx:
        ((pid,),) = ask(tx, "SELECT pg_backend_pid()")
        with ledger.begin() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        ask(tx, "SELECT 1")
    with ledger.reading() as tx:
        assert ask(tx, "SELECT pg_backend_pid()") != [(pid,)]


def test_who_listens_to_the_engine_hears_of_them(ledger: Ledger) -> None:
    heard: list[tuple[str, bool]] = []

    def listen(
        _tx: object, _cursor: object, statement: str, _values: Any, _context: object, is_many: bool
    ) -> None:
        heard.append((statement, is_many))

    event.listen(ledger.engine, "before_cursor_execute", listen)
    with ledger.begin() as tx:
        ask(tx, "SELECT 1")
        change_each(tx, f"UPDATE brands SET name = '' WHERE {equals(tx, 'slug')}", [("x",)])
    event.remove(ledger.engine, "before_cursor_execute", listen)

    assert ("SELECT 1", False) in heard
    assert any(statement.startswith("UPDATE brands") and is_many for statement, is_many in heard)
