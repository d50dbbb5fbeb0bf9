"""Does a ledger that a rehearsal holds keep everybody else from writing, and nobody from reading?"""

from collections.abc import Iterator

import pytest
from sqlalchemy import event, text

from claimbot.core.errors import LedgerUnavailable
from claimbot.db.engine import Ledger, make_engine
from claimbot.db.storms import hold_ledger

NOTHING_WRITTEN = text("DELETE FROM inbox WHERE event_key = 'nobody'")


@pytest.fixture
def other(ledger: Ledger) -> Iterator[Ledger]:
    """Another process's way to the same ledger, which waits 50 ms for a lock."""
    url = ledger.engine.url.render_as_string(hide_password=False)
    other = Ledger(make_engine(url, statement_timeout_ms=50))
    if other.is_sqlite:
        event.listen(
            other.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 50")
        )
    yield other
    other.close()


def test_nobody_else_writes_until_it_is_let_go(ledger: Ledger, other: Ledger) -> None:
    let_go = hold_ledger(ledger)

    with pytest.raises(LedgerUnavailable), other.begin() as tx:
        tx.execute(NOTHING_WRITTEN)
    with other.reading() as tx:
        assert tx.execute(text("SELECT count(*) FROM inbox")).scalar_one() == 0

    let_go()
    with other.begin() as tx:
        tx.execute(NOTHING_WRITTEN)


def test_a_ledger_that_somebody_else_holds_is_not_held_twice(ledger: Ledger, other: Ledger) -> None:
    let_go = hold_ledger(ledger)

    with pytest.raises(LedgerUnavailable):
        hold_ledger(other)

    let_go()
    hold_ledger(other)()
