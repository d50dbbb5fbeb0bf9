"""What happens to an account that the platform refuses? Everything of it waits until a person mends it."""

from datetime import datetime

from claimbot.core.brands import Account
from claimbot.db import alerts, brands
from claimbot.db.engine import Tx
from claimbot.parts import Parts


def is_renewed(tx: Tx, parts: Parts, account: Account) -> bool:
    """It was mended while our catalog was a moment old: the refusal was of its former token."""
    current = brands.find_account(tx, parts.sealer, account.id)
    return current is not None and current.token != account.token


def park(tx: Tx, account: Account, reason: str, now: datetime) -> None:
    """Said once."""
    if brands.mark_parked(tx, account.id, reason, now):
        text = f"@{account.username} cannot send ({reason}); reconnect it with: claimbot account connect"
        alerts.raise_alert(tx, alerts.Alert("account", account.id, text, account.brand_id), now)
