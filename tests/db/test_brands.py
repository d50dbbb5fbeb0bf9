"""Brands, accounts and operators; secrets open only where they were sealed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from claimbot.core.errors import Ours
from claimbot.core.payments import PaymentKeys
from claimbot.db import brands
from claimbot.db.engine import Ledger
from claimbot.db.tables import accounts as accounts_table
from claimbot.db.tables import brands as brands_table
from tests.builders import NOW, World, make_account, make_brand, make_sealer

SEALER = make_sealer()


def keys_of(brand_id: str) -> PaymentKeys:
    return PaymentKeys(brand_id, "sk_test_1234", ("whsec_new", "whsec_old"), False, "acct_1")


def test_a_brand_is_read_as_it_was_written(ledger: Ledger) -> None:
    brand = make_brand(
        ledger, "cirrus", texts={"held": "Yours!"}, command_words={"stop": ("BASTA",)}, retention_days=30
    )
    with ledger.reading() as tx:
        assert brands.find_brand(tx, "cirrus") == brand
        assert brands.list_brands(tx) == [brand]
        assert brands.find_brand(tx, "nobody") is None


def test_payment_keys_come_back_and_are_sealed_in_the_table(ledger: Ledger, world: World) -> None:
    with ledger.begin() as tx:
        assert brands.find_payment_keys(tx, SEALER, world.brand.id) is None
        brands.mark_payment_keys(tx, SEALER, keys_of(world.brand.id))
        assert brands.find_payment_keys(tx, SEALER, world.brand.id) == keys_of(world.brand.id)
        assert "sk_test" not in str(tx.execute(select(brands_table)).all())


def test_payment_keys_copied_to_another_brand_do_not_open(ledger: Ledger, world: World) -> None:
    with ledger.begin() as tx:
        brands.mark_payment_keys(tx, SEALER, keys_of(world.brand.id))
        mine = select(brands_table.c.stripe_secret_key_sealed).where(brands_table.c.id == world.brand.id)
        theirs = brands_table.update().where(brands_table.c.id == world.other_brand.id)
        tx.execute(theirs.values(stripe_secret_key_sealed=tx.execute(mine).scalar_one()))
        with pytest.raises(Ours):
            brands.find_payment_keys(tx, SEALER, world.other_brand.id)


def test_an_account_is_read_as_it_was_written(ledger: Ledger, world: World) -> None:
    made = make_account(ledger, world.brand, "42", app_secret="app secret", token_expires_at=NOW, page_id="9")
    assert (made.external_id, made.token, made.app_secret) == ("42", "token-of-aurora", "app secret")
    assert (made.token_expires_at, made.page_id, made.is_live) == (NOW, "9", True)


def test_secrets_of_an_account_are_sealed_in_the_table(ledger: Ledger, world: World) -> None:
    with ledger.reading() as tx:
        assert "token-of" not in str(tx.execute(select(accounts_table)).all())
    assert "token-of" not in repr(world.account)


def test_a_platform_account_belongs_to_one_brand(ledger: Ledger, world: World) -> None:
    with pytest.raises(IntegrityError):
        make_account(ledger, world.other_brand, world.account.external_id)


def test_accounts_are_listed_for_their_brand(ledger: Ledger, world: World) -> None:
    with ledger.reading() as tx:
        assert brands.list_accounts(tx, SEALER, world.brand.id) == [world.account]
        assert len(brands.list_accounts(tx, SEALER)) == 2
        assert brands.find_account(tx, SEALER, "acc_none") is None


def changed_account(ledger: Ledger, world: World) -> Any:
    with ledger.reading() as tx:
        return brands.find_account(tx, SEALER, world.account.id)


def test_a_new_token_replaces_the_old(ledger: Ledger, world: World) -> None:
    ends = NOW + timedelta(days=60)
    with ledger.begin() as tx:
        brands.mark_token(tx, SEALER, world.account.id, "next token", ends)
    expected = replace(world.account, token="next token", token_expires_at=ends)
    assert changed_account(ledger, world) == expected


def test_an_account_is_parked_and_revived_once(ledger: Ledger, world: World) -> None:
    with ledger.begin() as tx:
        assert brands.mark_parked(tx, world.account.id, "token_expired", NOW)
        assert not brands.mark_parked(tx, world.account.id, "other", NOW)
        assert brands.list_parked(tx) == {world.account.id}
    assert changed_account(ledger, world) == replace(world.account, is_live=False, reason="token_expired")
    with ledger.begin() as tx:
        assert brands.mark_live(tx, world.account.id)
        assert not brands.mark_live(tx, world.account.id)
    assert changed_account(ledger, world) == world.account


def test_accounts_remember_when_they_were_heard(ledger: Ledger, world: World) -> None:
    with ledger.begin() as tx:
        brands.mark_heard(tx, [world.account.id], NOW)
        brands.mark_heard(tx, [], NOW)
    assert changed_account(ledger, world).last_event_at == NOW


def test_an_operator_has_one_role_in_a_brand(ledger: Ledger, world: World) -> None:
    with ledger.begin() as tx:
        brands.lock_brand(tx, world.brand.id)
        owner = brands.insert_operator(tx, "owner@aurora.example", "hash", NOW)
        brands.insert_membership(tx, owner, world.brand.id, "owner")
        found = brands.find_operator(tx, "owner@aurora.example")
        assert brands.find_operator(tx, "stranger@aurora.example") is None
    assert found is not None
    assert found["id"] == owner
    with pytest.raises(IntegrityError), ledger.begin() as tx:
        brands.insert_membership(tx, owner, world.brand.id, "viewer")


def test_a_role_is_one_of_three(ledger: Ledger, world: World) -> None:
    with pytest.raises(IntegrityError), ledger.begin() as tx:
        owner = brands.insert_operator(tx, "owner@aurora.example", "hash", NOW)
        brands.insert_membership(tx, owner, world.brand.id, "king")
