"""How do the brand's tokens stay alive? Renewed weekly, with an alert before they end."""

import logging
from datetime import datetime, timedelta

from claimbot.channels import by_name
from claimbot.channels.base import NewToken
from claimbot.core.brands import Account
from claimbot.core.errors import Refused
from claimbot.db import alerts, audit, brands, marks, outbox
from claimbot.db.engine import Tx
from claimbot.flows.reply import sender_of
from claimbot.parts import Parts

log = logging.getLogger("claimbot.tokens")

# A token lives 60 days; renewed when less than this is left, it never comes near its end.
RENEW_BEFORE = timedelta(days=53)
WARN_BEFORE = timedelta(days=14)


def renew_tokens(parts: Parts) -> int:
    """Renew what is more than a week old, warn of what could not; returns how many were renewed."""
    now = parts.clock()
    accounts = [one for one in parts.catalog().accounts.values() if one.token_expires_at is not None]
    due = [one for one in accounts if one.token_expires_at and one.token_expires_at - now < RENEW_BEFORE]
    renewed = sum(_renew(parts, account, now) for account in due)
    for account in accounts:
        _warn(parts, account.id, now)
    return renewed


def _renew(parts: Parts, account: Account, now: datetime) -> bool:
    channel = by_name(account.channel)
    found = channel.refresh_token(parts.http, sender_of(account)) if channel else None
    if not isinstance(found, NewToken):
        return False
    expires_at = now + timedelta(seconds=found.expires_in_seconds)

    def story(tx: Tx) -> None:
        brands.mark_token(tx, parts.sealer, account.id, found.token, expires_at)
        marks.set_mark(tx, marks.CATALOG, now)

    parts.ledger.run(story)
    log.info("token_renewed account=%s", account.id)
    return True


def _warn(parts: Parts, account_id: str, now: datetime) -> None:
    def story(tx: Tx) -> None:
        account = brands.find_account(tx, parts.sealer, account_id)
        if account is None or account.token_expires_at is None:
            return
        left = account.token_expires_at - now
        if left > WARN_BEFORE:
            alerts.clear_alert(tx, "token", account_id, now)
            return
        text = f"The token of @{account.username} ends in {max(left.days, 0)} days; connect it again"
        alerts.raise_alert(tx, alerts.Alert("token", account_id, text, account.brand_id), now)

    parts.ledger.run(story)


def connect_account(parts: Parts, actor: str, new: brands.NewAccount) -> str:
    """Connect an account, or give a known one a new token; what waited for it is sent now."""
    now = parts.clock()

    def story(tx: Tx) -> str:
        known = next((one for one in brands.list_accounts(tx, parts.sealer) if _is_same(one, new)), None)
        if known is not None and known.brand_id != new.brand_id:
            raise Refused("This account belongs to another brand")
        if known is None:
            account_id = brands.insert_account(tx, parts.sealer, new)
        else:
            account_id = known.id
            brands.mark_token(tx, parts.sealer, account_id, new.token, new.token_expires_at)
            brands.mark_live(tx, account_id)
            outbox.unpark(tx, account_id, now)
            alerts.clear_alert(tx, "account", account_id, now)
        audit.insert_line(tx, actor, "account_connected", account_id, now=now, brand_id=new.brand_id)
        marks.set_mark(tx, marks.CATALOG, now)
        return account_id

    account_id = parts.ledger.run(story)
    parts.bell.ring()
    return account_id


def _is_same(one: Account, new: brands.NewAccount) -> bool:
    return (one.channel, one.external_id) == (new.channel, new.external_id)
