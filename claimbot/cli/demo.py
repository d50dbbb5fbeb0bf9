"""What is there to play with after the first `claimbot up`? One brand, one account, two open drops."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from claimbot.channels import by_name
from claimbot.core.brands import Brand
from claimbot.core.drops import Drop, DropKind, DropState, Variant
from claimbot.core.money import Money
from claimbot.core.payments import PaymentKeys
from claimbot.db import audit, brands, drops, marks
from claimbot.flows.launch import NewDrop, create_brand, create_drop, open_drop
from claimbot.flows.reply import sender_of
from claimbot.flows.tokens import connect_account
from claimbot.parts import Parts
from claimbot.settings import Settings
from claimbot.web.admin.passwords import hashed

ACTOR = "claimbot up"
SLUG = "aurora"
ACCOUNT_ID = "17841400000000001"
USERNAME = "aurora.studio"
EMAIL = "owner@aurora.test"


@dataclass(frozen=True, slots=True)
class DemoDrop:
    name: str
    word: str
    price: Money
    stock: Mapping[str, int]


DROPS: Sequence[DemoDrop] = (
    DemoDrop("Aurora Sneaker", "LAUNCH", Money(12_900, "EUR"), {"ONE": 50}),
    DemoDrop("Aurora Tee", "TEE", Money(3_500, "EUR"), {"S": 20, "M": 20}),
)


def world_config(engine_url: str, settings: Settings, secrets: Mapping[str, str]) -> dict[str, Any]:
    """The sandbox's world.json."""
    return {
        "engine_url": engine_url,
        "meta_app_secret": settings.app_secrets[0],
        "meta_verify_token": settings.meta_verify_token.get_secret_value(),
        "accounts": [
            {
                "external_id": ACCOUNT_ID,
                "username": USERNAME,
                "token": secrets["SANDBOX_ACCOUNT_TOKEN"],
            }
        ],
        "stripe": [
            {
                "secret_key": secrets["SANDBOX_STRIPE_KEY"],
                "webhook_secret": secrets["SANDBOX_STRIPE_WEBHOOK_SECRET"],
                "webhook_path": f"/webhooks/stripe/{SLUG}",
            }
        ],
    }


def seed(parts: Parts, secrets: Mapping[str, str]) -> None:
    """Make what is missing; what a person changed since stays as it is."""
    with parts.ledger.reading() as tx:
        brand = brands.find_brand(tx, SLUG)
    if brand is None:
        new = Brand("", SLUG, "Aurora", timezone="UTC", locale="en", livemode=False)
        brand = create_brand(parts, ACTOR, new)
    _set_keys(parts, brand, secrets)
    _connect(parts, brand, secrets["SANDBOX_ACCOUNT_TOKEN"])
    _let_in(parts, brand, secrets["FIRST_LOGIN_PASSWORD"])
    with parts.ledger.reading() as tx:
        known = {drop.name for drop in drops.list_drops(tx, brand.id)}
    for one in DROPS:
        if one.name not in known:
            open_drop(parts, ACTOR, create_drop(parts, ACTOR, _new_drop(brand, one)).id)


def _set_keys(parts: Parts, brand: Brand, secrets: Mapping[str, str]) -> None:
    hooks = (secrets["SANDBOX_STRIPE_WEBHOOK_SECRET"],)
    keys = PaymentKeys(brand.id, secrets["SANDBOX_STRIPE_KEY"], hooks, livemode=False)
    now = parts.clock()
    with parts.ledger.begin() as tx:
        if brands.find_payment_keys(tx, parts.sealer, brand.id) is None:
            brands.mark_payment_keys(tx, parts.sealer, keys)
            audit.insert_line(tx, ACTOR, "stripe_keys_set", brand.id, now=now, brand_id=brand.id)
            marks.set_mark(tx, marks.CATALOG, now)


def _connect(parts: Parts, brand: Brand, token: str) -> None:
    with parts.ledger.reading() as tx:
        known = {one.external_id for one in brands.list_accounts(tx, parts.sealer, brand.id)}
    if ACCOUNT_ID not in known:
        new = brands.NewAccount(brand.id, "instagram", "instagram_login", ACCOUNT_ID, USERNAME, token=token)
        connect_account(parts, ACTOR, new)


def _let_in(parts: Parts, brand: Brand, password: str) -> None:
    with parts.ledger.reading() as tx:
        if brands.find_operator(tx, EMAIL) is not None:
            return
    password_hash = hashed(password)
    with parts.ledger.begin() as tx:
        operator_id = brands.insert_operator(tx, EMAIL, password_hash, parts.clock())
        brands.insert_membership(tx, operator_id, brand.id, "owner")


def _new_drop(brand: Brand, one: DemoDrop) -> NewDrop:
    variants = tuple(Variant("", code, code if len(one.stock) > 1 else one.name) for code in one.stock)
    drop = Drop("", brand.id, one.name, DropKind.PAID, DropState.DRAFT, one.price, variants)
    return NewDrop(drop, one.stock, (one.word,))


def subscribe(parts: Parts) -> None:
    """The sandbox forgets its subscriptions when it stops."""
    account = parts.catalog(is_fresh=True).account("instagram", ACCOUNT_ID)
    channel = by_name("instagram")
    if account is not None and channel is not None:
        channel.subscribe(parts.http, sender_of(account))
