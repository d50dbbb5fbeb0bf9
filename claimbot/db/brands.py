"""Which brands and accounts are there, and with which secrets?"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from claimbot.core.brands import Account, Brand
from claimbot.core.payments import PaymentKeys
from claimbot.db.admin_tables import memberships, operators
from claimbot.db.engine import changed
from claimbot.db.ids import new_id
from claimbot.db.sealing import Sealer
from claimbot.db.tables import accounts, brands

OWN_COLUMNS = ("name", "timezone", "locale", "retention_days", "texts", "command_words")


@dataclass(frozen=True, slots=True)
class NewAccount:
    """A platform account to connect to a brand."""

    brand_id: str
    channel: str
    variant: str
    external_id: str
    username: str = ""
    page_id: str = ""
    token: str = field(default="", repr=False)
    app_secret: str = field(default="", repr=False)
    token_expires_at: datetime | None = None


def insert_brand(tx: Connection, brand: Brand, now: datetime) -> None:
    tx.execute(
        insert(brands).values(
            id=brand.id,
            slug=brand.slug,
            name=brand.name,
            timezone=brand.timezone,
            locale=brand.locale,
            livemode=brand.livemode,
            stripe_account=brand.stripe_account,
            retention_days=brand.retention_days,
            texts=dict(brand.texts),
            command_words={command: list(words) for command, words in brand.command_words.items()},
            created_at=now,
        )
    )


def _read_brand(row: Row[Any]) -> Brand:
    return Brand(
        id=row.id,
        slug=row.slug,
        name=row.name,
        timezone=row.timezone,
        locale=row.locale,
        livemode=row.livemode,
        stripe_account=row.stripe_account,
        retention_days=row.retention_days,
        texts=row.texts,
        command_words={command: tuple(words) for command, words in row.command_words.items()},
    )


def list_brands(tx: Connection) -> list[Brand]:
    return [_read_brand(row) for row in tx.execute(select(brands).order_by(brands.c.slug))]


def find_brand(tx: Connection, slug: str) -> Brand | None:
    row = tx.execute(select(brands).where(brands.c.slug == slug)).first()
    return _read_brand(row) if row else None


def get_brand(tx: Connection, brand_id: str) -> Brand:
    return _read_brand(tx.execute(select(brands).where(brands.c.id == brand_id)).one())


def lock_brand(tx: Connection, brand_id: str) -> None:
    """Words of a brand are given out one change at a time."""
    tx.execute(select(brands.c.id).where(brands.c.id == brand_id).with_for_update())


def mark_brand(tx: Connection, brand: Brand) -> None:
    """What a brand may set for itself."""
    words = {command: list(found) for command, found in brand.command_words.items()}
    values = {name: getattr(brand, name) for name in OWN_COLUMNS}
    changes = {**values, "texts": dict(brand.texts), "command_words": words}
    tx.execute(update(brands).where(brands.c.id == brand.id).values(**changes))


def _secret_place(brand_id: str) -> str:
    return f"brands/stripe_secret_key/{brand_id}"


def _webhooks_place(brand_id: str) -> str:
    return f"brands/stripe_webhook_secrets/{brand_id}"


def mark_payment_keys(tx: Connection, sealer: Sealer, keys: PaymentKeys) -> None:
    secrets_text = json.dumps(list(keys.webhook_secrets))
    tx.execute(
        update(brands)
        .where(brands.c.id == keys.brand_id)
        .values(
            stripe_secret_key_sealed=sealer.seal(keys.secret_key, _secret_place(keys.brand_id)),
            stripe_webhook_secrets_sealed=sealer.seal(secrets_text, _webhooks_place(keys.brand_id)),
            stripe_account=keys.account,
            livemode=keys.livemode,
        )
    )


def find_payment_keys(tx: Connection, sealer: Sealer, brand_id: str) -> PaymentKeys | None:
    """None while the brand has no Stripe key."""
    row = tx.execute(select(brands).where(brands.c.id == brand_id)).first()
    if row is None or not row.stripe_secret_key_sealed:
        return None
    webhook_secrets = sealer.unseal(row.stripe_webhook_secrets_sealed, _webhooks_place(brand_id))
    return PaymentKeys(
        brand_id=brand_id,
        secret_key=sealer.unseal(row.stripe_secret_key_sealed, _secret_place(brand_id)),
        webhook_secrets=tuple(json.loads(webhook_secrets or "[]")),
        livemode=row.livemode,
        account=row.stripe_account,
    )


def _token_place(account_id: str) -> str:
    return f"accounts/token/{account_id}"


def _app_secret_place(account_id: str) -> str:
    return f"accounts/app_secret/{account_id}"


def insert_account(tx: Connection, sealer: Sealer, new: NewAccount) -> str:
    account_id = new_id("acc")
    tx.execute(
        insert(accounts).values(
            id=account_id,
            brand_id=new.brand_id,
            channel=new.channel,
            variant=new.variant,
            external_id=new.external_id,
            page_id=new.page_id,
            username=new.username,
            token_sealed=sealer.seal(new.token, _token_place(account_id)),
            app_secret_sealed=sealer.seal(new.app_secret, _app_secret_place(account_id)),
            token_expires_at=new.token_expires_at,
        )
    )
    return account_id


def _read_account(row: Row[Any], sealer: Sealer) -> Account:
    return Account(
        id=row.id,
        brand_id=row.brand_id,
        channel=row.channel,
        variant=row.variant,
        external_id=row.external_id,
        page_id=row.page_id,
        username=row.username,
        token=sealer.unseal(row.token_sealed, _token_place(row.id)),
        app_secret=sealer.unseal(row.app_secret_sealed, _app_secret_place(row.id)),
        is_live=row.state == "live",
        reason=row.reason,
        token_expires_at=row.token_expires_at,
        last_event_at=row.last_event_at,
    )


def list_accounts(tx: Connection, sealer: Sealer, brand_id: str | None = None) -> list[Account]:
    query = select(accounts).order_by(accounts.c.id)
    if brand_id is not None:
        query = query.where(accounts.c.brand_id == brand_id)
    return [_read_account(row, sealer) for row in tx.execute(query)]


def find_account(tx: Connection, sealer: Sealer, account_id: str) -> Account | None:
    row = tx.execute(select(accounts).where(accounts.c.id == account_id)).first()
    return _read_account(row, sealer) if row else None


def mark_token(
    tx: Connection, sealer: Sealer, account_id: str, token: str, expires_at: datetime | None
) -> None:
    sealed = sealer.seal(token, _token_place(account_id))
    query = update(accounts).where(accounts.c.id == account_id)
    tx.execute(query.values(token_sealed=sealed, token_expires_at=expires_at))


def mark_parked(tx: Connection, account_id: str, reason: str, now: datetime) -> bool:
    """The account cannot send; True when it could until now."""
    parked = update(accounts).where(accounts.c.id == account_id, accounts.c.state == "live")
    return changed(tx.execute(parked.values(state="parked", reason=reason, parked_at=now))) == 1


def mark_live(tx: Connection, account_id: str) -> bool:
    live = update(accounts).where(accounts.c.id == account_id, accounts.c.state == "parked")
    return changed(tx.execute(live.values(state="live", reason="", parked_at=None))) == 1


def list_parked(tx: Connection) -> set[str]:
    """Accounts that cannot send. The catalog is not read again for each of them."""
    return set(tx.execute(select(accounts.c.id).where(accounts.c.state == "parked")).scalars())


def mark_heard(tx: Connection, account_ids: Sequence[str], now: datetime) -> None:
    """The platform delivered something for these accounts."""
    tx.execute(update(accounts).where(accounts.c.id.in_(sorted(account_ids))).values(last_event_at=now))


def insert_operator(tx: Connection, email: str, password_hash: str, now: datetime) -> str:
    operator_id = new_id("opr")
    tx.execute(
        insert(operators).values(id=operator_id, email=email, password_hash=password_hash, created_at=now)
    )
    return operator_id


def find_operator(tx: Connection, email: str) -> Mapping[str, Any] | None:
    row = tx.execute(select(operators).where(operators.c.email == email)).first()
    return dict(row._mapping) if row else None


def insert_membership(tx: Connection, operator_id: str, brand_id: str, role: str) -> None:
    tx.execute(insert(memberships).values(operator_id=operator_id, brand_id=brand_id, role=role))
