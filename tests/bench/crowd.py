"""Who wrote to a brand that is big? A million people over five drops, written as fast as it goes."""

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Table, text

from claimbot.core.brands import Account, Brand
from claimbot.core.claims import State
from claimbot.db.columns import UtcDateTime
from claimbot.db.engine import Ledger
from claimbot.db.lead_lines import be_patient
from claimbot.db.tables import claims, inbox, leads
from tests.builders import make_account, make_brand, make_drop

DROPS = 5
STOCK_UNITS = 500
WAITING = 20_000
# Each drop's first `STOCK_UNITS` writers pay, the next `WAITING` wait, and all others come too late.
BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
BATCH = 20_000
FIRST_NAMES = ("Ana", "Ben", "Cleo", "Dana", "Émile", "Fatou", "Gül", "Håkon")
LAST_NAMES = ("Lima", "O'Brien", "Škoda, Jr.", "Mori", "van Dijk", "Sow", "Öz", "Berg")

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Crowd:
    """A brand with everybody who ever wrote to it."""

    brand: Brand
    account: Account
    drop_ids: tuple[str, ...]
    variant_ids: tuple[str, ...]
    people: int

    def drop_of(self, number: int) -> int:
        return number * len(self.drop_ids) // self.people

    def nth(self, number: int) -> int:
        """Which of their drop's writers they are."""
        return number - -(-self.drop_of(number) * self.people // len(self.drop_ids))


def make_crowd(ledger: Ledger, people: int) -> Crowd:
    brand = make_brand(ledger, "crowd", retention_days=100_000)
    account = make_account(ledger, brand, "17841400000000099")
    drops = [make_drop(ledger, brand, (f"WORD{number}",), name=f"Drop {number}") for number in range(DROPS)]
    variant_ids = tuple(drop.variants[0].id for drop in drops)
    crowd = Crowd(brand, account, tuple(drop.id for drop in drops), variant_ids, people)
    for table, rows in ((leads, _leads(crowd)), (claims, _claims(crowd)), (inbox, _inbox(crowd))):
        _write(ledger, table, rows)
    with ledger.begin() as tx:
        be_patient(tx)
        tx.execute(text("ANALYZE"))
    return crowd


def _at(number: int) -> datetime:
    """Ten people write in each second."""
    return BEGAN + timedelta(milliseconds=100 * number)


def _leads(crowd: Crowd) -> Iterator[Row]:
    yield (
        *(
            "id",
            "brand_id",
            "account_id",
            "external_id",
            "username",
            "name",
            "email",
            "source",
            "tags",
            "note",
        ),
        *("consent_marketing", "consent_at", "first_seen_at", "last_seen_at", "window_expires_at"),
    )
    for number in range(crowd.people):
        first, last = FIRST_NAMES[number % 8], LAST_NAMES[number // 8 % 8]
        is_buyer = crowd.nth(number) < STOCK_UNITS
        at = _at(number)
        yield (
            *(f"led_{number:08d}", crowd.brand.id, crowd.account.id, str(17_841_400_000_000_000 + number)),
            *(
                f"{first.lower()}.{number}",
                f"{first} {last}",
                f"{number}@post.test" if is_buyer else "",
                "dm",
            ),
            *(
                json.dumps(["vip"] if number % 200 == 7 else []),
                "=called, twice" if number % 1_000 == 3 else "",
            ),
            *(
                bool(number % 2) if is_buyer else None,
                at if is_buyer else None,
                at,
                at,
                at + timedelta(days=1),
            ),
        )


def _claims(crowd: Crowd) -> Iterator[Row]:
    yield (
        *("id", "brand_id", "drop_id", "variant_id", "lead_id", "event_key", "state", "line", "place"),
        *(
            "price_minor",
            "currency",
            "token",
            "keyword",
            "source",
            "created_at",
            "told_at",
            "paid_at",
            "paid_minor",
        ),
    )
    for number in range(crowd.people):
        nth, drop = crowd.nth(number), crowd.drop_of(number)
        if nth >= STOCK_UNITS + WAITING:
            continue
        is_sold, at = nth < STOCK_UNITS, _at(number)
        paid = (at, 12_900) if is_sold else (None, 0)
        yield (
            *(
                f"clm_{number:08d}",
                crowd.brand.id,
                crowd.drop_ids[drop],
                crowd.variant_ids[drop],
                f"led_{number:08d}",
            ),
            *(f"key-{number}-0", State.SOLD.value if is_sold else State.WAITLISTED.value, nth + 1, nth + 1),
            *(12_900, "EUR", f"token{number:021d}", f"WORD{drop}", "dm", at, at, *paid),
        )


def _inbox(crowd: Crowd) -> Iterator[Row]:
    """Everybody wrote the word; every tenth wrote it twice, and every twentieth something else besides."""
    yield (
        *("event_key", "account_id", "brand_id", "lead_id", "drop_id", "event_id", "kind", "text", "keyword"),
        *("source", "received_at", "outcome"),
    )
    for number in range(crowd.people):
        nth, drop = crowd.nth(number), crowd.drop_of(number)
        said = "held" if nth < STOCK_UNITS else "waitlisted" if nth < STOCK_UNITS + WAITING else "sold_out"
        words = [(crowd.drop_ids[drop], f"WORD{drop}", said)]
        if number % 10 == 1:
            words.append((crowd.drop_ids[drop], f"WORD{drop}", "closed"))
        if number % 20 == 3:
            words.append((None, "", "unmatched"))
        for turn, (drop_id, keyword, outcome) in enumerate(words):
            yield (
                *(f"key-{number}-{turn}", crowd.account.id, crowd.brand.id, f"led_{number:08d}", drop_id),
                *(f"mid-{number}-{turn}", "text", keyword or "hello", keyword, "dm"),
                *(_at(number) + timedelta(seconds=turn), outcome),
            )


def _write(ledger: Ledger, table: Table, rows: Iterator[Row]) -> None:
    """The first row names the columns. Postgres takes them by COPY, SQLite many at once."""
    names = next(rows)
    if ledger.is_sqlite:
        times = [place for place, name in enumerate(names) if isinstance(table.c[name].type, UtcDateTime)]
        marks = ", ".join("?" * len(names))
        insert = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"
        while batch := [_as_sqlite(row, times) for row in itertools.islice(rows, BATCH)]:
            with ledger.begin() as tx:
                tx.connection.cursor().executemany(insert, batch)
        return
    copying = f"COPY {table.name} ({', '.join(names)}) FROM STDIN"
    with ledger.begin() as tx, tx.connection.cursor() as cursor:
        # Every row names rows that we wrote a moment ago; looking each up again takes minutes.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL statement_timeout = 0")
        with cursor.copy(copying) as copy:
            for row in rows:
                copy.write_row(row)


def _as_sqlite(row: Row, times: Sequence[int]) -> list[Any]:
    """Times as SQLAlchemy keeps them: text that sorts."""
    values = list(row)
    for place in times:
        if values[place] is not None:
            values[place] = f"{values[place]:%Y-%m-%d %H:%M:%S.%f}"
    return values
