"""What would the engine be without one of its guards? Naive versions, which a test puts in place."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, and_, bindparam, select

from claimbot.core.errors import Outside
from claimbot.core.outbox import NewRow, OutboxRow
from claimbot.db import inbox, outbox, tables, units
from claimbot.db.many import update_many
from claimbot.flows import launch, release
from claimbot.flows.receive import Signed
from claimbot.flows.take_in import take_in
from tests.races.naive_inbox import insert_anyway
from tests.sim import letters
from tests.sim.stage import Letter, Stage

Guard = Callable[[pytest.MonkeyPatch], None]


def no_unit_guard(patch: pytest.MonkeyPatch) -> None:
    """A unit is taken whoever has it."""
    patch.setattr(units, "TAKE", update_many(tables.units, ("claim_id",), ("variant_id", "unit_no")))


def no_bound(patch: pytest.MonkeyPatch) -> None:
    """A lowered stock is noted, but its units stay on sale."""
    patch.setattr(launch, "_lower_stock", lambda *_anything: None)


def no_dedupe(patch: pytest.MonkeyPatch) -> None:
    """Both layers: every delivery counts as new, and every piece of work is another one."""
    numbers = itertools.count(1)
    insert_rows = outbox.insert_rows

    def all_other(tx: Connection, rows: Sequence[NewRow], now: datetime) -> None:
        key = tables.outbox.c.dedupe_key
        known = set(tx.execute(select(key).where(key.in_([row.dedupe_key for row in rows]))).scalars())
        other = [replace(row, dedupe_key=f"{row.dedupe_key}:{next(numbers)}") for row in rows]
        pairs = zip(rows, other, strict=True)
        insert_rows(tx, [again if row.dedupe_key in known else row for row, again in pairs], now)

    patch.setattr(inbox, "find_known_keys", lambda _tx, _keys: set())
    patch.setattr(inbox, "insert_events", insert_anyway)
    patch.setattr(outbox, "insert_rows", all_other)


def ack_before_commit(patch: pytest.MonkeyPatch) -> None:
    """The platform hears 200 at once; the message is stored afterwards, if nothing comes between."""

    def post(stage: Stage, letter: Letter, is_heard: bool = True) -> None:
        letter.is_acked = True
        if is_heard and letter in stage.waiting:
            stage.waiting.remove(letter)
        try:
            take_in(stage.parts, letter.body, Signed())
        except Outside:
            return

    patch.setattr(letters, "_post", post)


def no_fence(patch: pytest.MonkeyPatch) -> None:
    """A unit goes on as soon as its hold ends, without asking Stripe."""
    patch.setattr(release, "checkouts", SimpleNamespace(find_latest=lambda _tx, _claim_id: None))


def no_lease_check(patch: pytest.MonkeyPatch) -> None:
    """A worker calls even when it has lost its lease meanwhile."""
    mark_calling = outbox.mark_calling

    def naive(tx: Connection, row: OutboxRow, now: datetime, payload: dict[str, Any] | None = None) -> bool:
        mark_calling(tx, row, now, payload)
        return True

    patch.setattr(outbox, "mark_calling", naive)


def no_owner(patch: pytest.MonkeyPatch) -> None:
    """A worker writes its result down whoever has the lease by now."""
    anybody = and_(tables.outbox.c.id == bindparam("of_row"), bindparam("with_token").is_not(None))
    for name, made in (("CALLING", outbox._calling), ("DONE", outbox._finished)):
        patch.setattr(outbox, name, made(anybody))
    patch.setattr(outbox, "CALLING_WITH", outbox.CALLING.values(payload=bindparam("new_payload")))
    patch.setattr(outbox, "MINE", anybody)


CONTROLS: Mapping[str, Guard] = MappingProxyType(
    {
        "no_unit_guard": no_unit_guard,
        "no_bound": no_bound,
        "no_dedupe": no_dedupe,
        "ack_before_commit": ack_before_commit,
        "no_fence": no_fence,
        "no_lease_check": no_lease_check,
        "no_owner": no_owner,
    }
)
