"""What does a healthy, busy drop look like, and how is a row of it bent?"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from claimbot.core.claims import Claim, State
from claimbot.core.drops import Drop
from claimbot.core.outbox import Work
from claimbot.db import inbox
from claimbot.flows.verify import Finding
from tests.builders import NOW, World, make_claim, make_lead, make_work, told

LONG_AGO = NOW - timedelta(days=2)
PAID: dict[str, Any] = {"paid_at": NOW, "paid_minor": 12_900}


@dataclass(frozen=True)
class Busy:
    """A drop of five units: one is held, two are sold, one is pending, one is free."""

    world: World
    drop: Drop
    held: Claim
    sold: Claim
    pending: Claim
    refunding: Claim
    refunded: Claim
    expired: Claim
    waiting: Claim
    """In line, but their window has closed."""

    def change(self, statement: str, **values: Any) -> None:
        ledger = self.world.ledger
        with ledger.begin() as tx:
            tx.execute(
                text(statement), {name: _plain(value, ledger.is_sqlite) for name, value in values.items()}
            )


def _plain(value: Any, is_sqlite: bool) -> Any:
    """SQLite keeps a time as text without its zone."""
    is_time = hasattr(value, "tzinfo") and is_sqlite
    return value.replace(tzinfo=None).isoformat(" ", "microseconds") if is_time else value


def make_busy(world: World) -> Busy:
    ledger = world.ledger
    drop = world.drop(stock_units=5, per_follower_limit=2)
    people = [make_lead(ledger, world.account, f"71{number:02d}") for number in range(6)]
    asleep = make_lead(ledger, world.account, "7200", window_expires_at=NOW)
    busy = Busy(
        world=world,
        drop=drop,
        held=make_claim(ledger, drop, people[0], place=1, **told(10)),
        sold=make_claim(ledger, drop, people[1], State.SOLD, 2, place=2, stripe_session_id="cs_1", **PAID),
        pending=make_claim(ledger, drop, people[2], State.PENDING, place=4),
        refunding=make_claim(ledger, drop, people[3], State.REFUNDING, stripe_session_id="cs_2", **PAID),
        refunded=make_claim(ledger, drop, people[4], State.REFUNDED, refunded_minor=12_900, **PAID),
        expired=make_claim(ledger, drop, people[5], State.EXPIRED),
        waiting=make_claim(ledger, drop, asleep, State.WAITLISTED),
    )
    busy.change("UPDATE claims SET ended_at = :at WHERE state = 'expired'", at=LONG_AGO)
    refund = {"kind": Work.REFUND, "dedupe_key": "refund:cs_2", "claim_id": busy.refunding.id}
    make_work(ledger, people[3], **refund)
    add_session(busy, busy.sold, "cs_1")
    return busy


def add_session(busy: Busy, claim: Claim, session_id: str) -> None:
    """A session of this claim that Stripe has completed."""
    statement = (
        "INSERT INTO checkouts (claim_id, epoch, brand_id, session_id, expires_at, created_at, state)"
        " VALUES (:claim, 1, :brand, :session, :now, :now, 'complete')"
    )
    busy.change(statement, claim=claim.id, brand=claim.brand_id, session=session_id, now=NOW)


def add_payment_event(busy: Busy, claim: Claim, outcome: str = "applied", reason: str = "") -> None:
    statement = (
        "INSERT INTO payment_events (event_id, brand_id, received_at, claim_id, outcome, reason)"
        " VALUES ('evt_1', :brand, :now, :claim, :outcome, :reason)"
    )
    facts = {"brand": claim.brand_id, "claim": claim.id, "outcome": outcome, "reason": reason}
    busy.change(statement, now=NOW, **facts)


def add_message(busy: Busy, key: str, outcome: str) -> None:
    """A message of the first follower that ended so; no answer is written down."""
    lead = busy.world.first
    arrival = inbox.Arrival(key, f"mid-{key}", NOW, "text", lead.account_id, lead.brand_id)
    with busy.world.ledger.begin() as tx:
        inbox.insert_events(tx, [(arrival, inbox.Ending(key, outcome, lead_id=lead.id))])


def make_their_drop(busy: Busy) -> Drop:
    """A drop of the other brand."""
    return replace(busy.world, brand=busy.world.other_brand).drop(words=("THEIRS",))


def broken(findings: tuple[Finding, ...]) -> dict[str, str]:
    """invariant → its breaches, of those that do not stand."""
    return {one.invariant: "\n".join(one.breaches) for one in findings if not one.ok}
