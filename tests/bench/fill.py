"""How does a ledger get its millions? The database writes the rows itself; indexes are built afterwards."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Index, create_engine, text

from claimbot.db.engine import Ledger
from claimbot.db.tables import claims, inbox, leads
from tests.bench.stand import Stand

# Names of one width sort like their numbers.
FIRST = 10_000_000
# For building the indexes of millions of rows.
CACHE_KIB = 500_000

NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)",
    "postgresql": "WITH n(i) AS (SELECT generate_series(1, :count))",
}
LEADS = """
INSERT INTO leads (id, brand_id, account_id, external_id, username, name, source, first_seen_at,
  last_seen_at)
{numbers} SELECT 'led_old' || ({first} + i), :brand, :account, 'old' || ({first} + i),
  'fan.' || ({first} + i), 'Fan ' || i, 'dm', {moment}, {moment} FROM n
"""
CLAIMS = """
INSERT INTO claims (id, brand_id, drop_id, variant_id, lead_id, event_key, state, line, currency, price_minor,
  token, keyword, source, created_at, ended_at, ended_reason)
{numbers} SELECT :tag || ({first} + i), :brand, :drop, :variant, 'led_old' || ({first} + i), '', :state, i,
  'EUR', 12900, :tag || 'token' || ({first} + i), :word, 'dm', {moment}, {moment}, 'hold_ended' FROM n
"""
INBOX = """
INSERT INTO inbox (event_key, account_id, brand_id, lead_id, drop_id, claim_id, event_id, kind, text, keyword,
  source, received_at, outcome)
{numbers} SELECT 'old' || ({first} + i), :account, :brand, 'led_old' || ({first} + i), :drop,
  :tag || ({first} + i), 'mid' || ({first} + i), 'text', :word, :word, 'dm', {moment}, 'late' FROM n
"""
MOMENTS = {"sqlite": "'2026-01-05 18:00:00.000000'", "postgresql": "timestamptz '2026-01-05 18:00:00+00'"}


def fill_leads(stand: Stand, count: int) -> None:
    """Leads of long ago, of the stand's account."""
    with filling(stand.parts.ledger, list(leads.indexes)) as tx:
        _insert(tx, LEADS, count, brand=stand.brand.id, account=stand.account.id)


def fill_claims(stand: Stand, per_lead: int, count: int, state: str = "expired") -> list[str]:
    """Ended claims: one of each of `count` leads in each of `per_lead` drops; returns the drops."""
    made = [stand.drop(f"OLD{number}", 0) for number in range(per_lead)]
    with filling(stand.parts.ledger, list(claims.indexes)) as tx:
        for drop in made:
            told = {"drop": drop.id, "variant": drop.variants[0].id, "tag": f"clm_{drop.id[-8:]}_"}
            _insert(tx, CLAIMS, count, brand=stand.brand.id, word=drop.name, state=state, **told)
    return [drop.id for drop in made]


def fill_inbox(stand: Stand, drop_id: str, word: str, count: int) -> None:
    """The message of each lead that led to its claim in this drop."""
    with filling(stand.parts.ledger, list(inbox.indexes)) as tx:
        told = {"drop": drop_id, "tag": f"clm_{drop_id[-8:]}_", "word": word}
        _insert(tx, INBOX, count, brand=stand.brand.id, account=stand.account.id, **told)


def _insert(tx: Connection, statement: str, count: int, **values: object) -> None:
    name = tx.dialect.name
    sql = statement.format(numbers=NUMBERS[name], first=FIRST, moment=MOMENTS[name])
    tx.execute(text(sql), {"count": count, **values})


@contextmanager
def filling(ledger: Ledger, indexes: Sequence[Index]) -> Iterator[Connection]:
    """Without time limits and look-ups of references; what was written is known to the planner afterwards."""
    writes = _on_sqlite if ledger.is_sqlite else _on_postgresql
    with writes(ledger) as tx:
        # What carries a promise stays; the rest is built at once, which takes a fifth of the time.
        rebuilt = [one for one in indexes if not one.unique]
        for one in rebuilt:
            one.drop(tx)
        yield tx
        for one in rebuilt:
            one.create(tx)
        tx.execute(text("ANALYZE"))


@contextmanager
def _on_sqlite(ledger: Ledger) -> Iterator[Connection]:
    engine = create_engine(ledger.engine.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as tx:
        for pragma in ("foreign_keys = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}"):
            tx.exec_driver_sql(f"PRAGMA {pragma}")
        yield tx
        tx.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()


@contextmanager
def _on_postgresql(ledger: Ledger) -> Iterator[Connection]:
    with ledger.begin() as tx:
        tx.execute(text("SET LOCAL statement_timeout = 0"))
        tx.execute(text(f"SET LOCAL maintenance_work_mem = '{CACHE_KIB}kB'"))
        tx.execute(text("SET LOCAL session_replication_role = replica"))
        yield tx
