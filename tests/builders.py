"""Who and what is there in a test? Good defaults, written through the ledger's own functions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from claimbot.core.brands import Account, Brand
from claimbot.core.claims import WITH_UNIT, Claim, State
from claimbot.core.drops import Drop, DropKind, DropState, Variant
from claimbot.core.followers import WINDOW, Lead
from claimbot.core.keywords import Keyword, Mode
from claimbot.core.money import Money
from claimbot.core.outbox import NewRow, OutboxRow, Priority, Work
from claimbot.db import brands, claims, drops, leads, marks, outbox, units
from claimbot.db.claims import Origin
from claimbot.db.engine import Ledger
from claimbot.db.ids import new_id, new_token
from claimbot.db.leads import Seen
from claimbot.db.sealing import Sealer

NOW = datetime(2026, 3, 14, 18, 0, tzinfo=UTC)
PRICE = Money(12_900, "EUR")
# What insert_claims leaves to later steps of a claim's life.
LATER_VALUES = (
    "told_at",
    "hold_expires_at",
    "session_epoch",
    "stripe_session_id",
    "payment_intent",
    "ended_reason",
    "paid_minor",
    "refunded_minor",
)


def make_sealer() -> Sealer:
    return Sealer([b"a key for tests, thirty-two long"])


def make_brand(ledger: Ledger, slug: str = "aurora", **changes: Any) -> Brand:
    brand = Brand(
        id=new_id("brd"), slug=slug, name=slug.title(), timezone="Europe/Berlin", locale="en", livemode=False
    )
    brand = replace(brand, **changes)
    with ledger.begin() as tx:
        brands.insert_brand(tx, brand, NOW)
        marks.set_mark(tx, marks.CATALOG, NOW)
    return brand


def make_account(
    ledger: Ledger, brand: Brand, external_id: str = "17841400000000001", **changes: Any
) -> Account:
    new = brands.NewAccount(
        brand_id=brand.id,
        channel="instagram",
        variant="instagram_login",
        external_id=external_id,
        username=f"{brand.slug}.studio",
        token=f"token-of-{brand.slug}",
    )
    with ledger.begin() as tx:
        account_id = brands.insert_account(tx, make_sealer(), replace(new, **changes))
        marks.set_mark(tx, marks.CATALOG, NOW)
        found = brands.find_account(tx, make_sealer(), account_id)
    assert found is not None
    return found


def _variant(one: str | Variant) -> Variant:
    return one if isinstance(one, Variant) else Variant(new_id("var"), one, one.title())


def make_drop(
    ledger: Ledger,
    brand: Brand,
    words: Sequence[str] = ("LAUNCH",),
    stock_units: int = 3,
    variants: Sequence[str | Variant] = ("ONE",),
    **changes: Any,
) -> Drop:
    """An open drop; each variant has `stock_units` units. `changes` are fields of Drop."""
    drop = Drop(
        id=new_id("drp"),
        brand_id=brand.id,
        name="Night Jacket",
        kind=DropKind.PAID,
        state=DropState.OPEN,
        price=PRICE,
        variants=tuple(_variant(one) for one in variants),
    )
    drop = replace(drop, **changes)
    keywords = [Keyword(drop.id, word, Mode.WORD) for word in words]
    with ledger.begin() as tx:
        drops.insert_drop(tx, drop, NOW)
        drops.insert_keywords(tx, brand.id, keywords)
        for variant in drop.variants:
            drops.mark_stock(tx, variant.id, stock_units)
            units.insert_units(tx, variant.id, range(1, stock_units + 1))
        marks.set_mark(tx, marks.CATALOG, NOW)
        found = drops.find_drop(tx, drop.id)
    assert found is not None
    return found


def make_lead(ledger: Ledger, account: Account, external_id: str = "7001", **changes: Any) -> Lead:
    """Somebody who wrote at NOW and may be answered for a day. `changes` are columns of leads."""
    seen = Seen(
        brand_id=account.brand_id,
        account_id=account.id,
        external_id=external_id,
        seen_at=NOW,
        username=f"follower.{external_id}",
        window_expires_at=NOW + WINDOW,
    )
    with ledger.begin() as tx:
        made = leads.upsert_seen(tx, [seen])[account.id, external_id]
        if changes:
            leads.mark_lead(tx, made.id, changes)
        found = leads.find_lead(tx, made.id)
    assert found is not None
    return found


def make_claim(
    ledger: Ledger, drop: Drop, lead: Lead, state: State = State.HELD, quantity: int = 1, **changes: Any
) -> Claim:
    """A claim with the units that its state owns. `changes` are fields of Claim."""
    claim = Claim(
        id=new_id("clm"),
        brand_id=drop.brand_id,
        drop_id=drop.id,
        variant_id=drop.variants[0].id,
        lead_id=lead.id,
        state=state,
        quantity=quantity,
        line=0,
        place=0,
        unit_price=drop.price,
        livemode=False,
        token=new_token(),
        created_at=NOW,
    )
    with ledger.begin() as tx:
        claim = replace(claim, **{"line": claims.highest_line(tx, drop.id) + 1, **changes})
        claims.insert_claims(tx, [(claim, Origin("", "LAUNCH", "dm"))])
        claims.mark_values(tx, claim.id, **{name: getattr(claim, name) for name in LATER_VALUES})
        if state in WITH_UNIT:
            taken = units.take_any(tx, claim.id, claim.variant_id, quantity)
            assert len(taken) == quantity, "the drop of this test has too few units"
    return claim


def told(minutes_left: float) -> dict[str, datetime]:
    """For make_claim: the follower was told, and so many minutes of the hold are left at NOW."""
    ends = NOW + timedelta(minutes=minutes_left)
    return {"told_at": ends - timedelta(minutes=15), "hold_expires_at": ends}


def make_work(ledger: Ledger, lead: Lead, **changes: Any) -> NewRow:
    """A reply that waits to be sent to this person. `changes` are fields of NewRow."""
    row = NewRow(
        kind=Work.REPLY,
        priority=Priority.WINNER,
        dedupe_key=new_token(),
        brand_id=lead.brand_id,
        payload={"text": "hello"},
        account_id=lead.account_id,
        lead_id=lead.id,
    )
    row = replace(row, **changes)
    with ledger.begin() as tx:
        outbox.insert_rows(tx, [row], NOW)
    return row


def take_work(ledger: Ledger, now: datetime = NOW, most: int = 100) -> list[OutboxRow]:
    with ledger.begin() as tx:
        return outbox.take_due(tx, now, most)


@dataclass(frozen=True)
class World:
    """A brand with an account and two followers, and a stranger: another brand with its own."""

    ledger: Ledger
    brand: Brand
    account: Account
    first: Lead
    second: Lead
    other_brand: Brand
    other_account: Account
    stranger: Lead

    def drop(self, **changes: Any) -> Drop:
        """A drop of the brand; `changes` as for make_drop."""
        return make_drop(self.ledger, self.brand, **changes)


def make_world(ledger: Ledger) -> World:
    brand, other = make_brand(ledger, "aurora"), make_brand(ledger, "borealis")
    account = make_account(ledger, brand, "17841400000000001")
    other_account = make_account(ledger, other, "17841400000000002")
    return World(
        ledger=ledger,
        brand=brand,
        account=account,
        first=make_lead(ledger, account, "7001"),
        second=make_lead(ledger, account, "7002"),
        other_brand=other,
        other_account=other_account,
        stranger=make_lead(ledger, other_account, "7001"),
    )
