"""May a password be tried now? Every try counts before it is looked at, so that many at once gain nothing."""

import hashlib
import hmac
import logging
from datetime import datetime

from claimbot.core.operators import wait_seconds
from claimbot.db import operators
from claimbot.db.engine import Tx
from claimbot.db.operators import Keys
from claimbot.parts import Parts

log = logging.getLogger("claimbot.tries")


def keys_of(parts: Parts, email: str, address: str) -> Keys:
    """What a try is counted under. Keyed: people type passwords into the wrong field."""
    secret = parts.settings.sealing_keys[0]
    account = email.strip().lower()
    return Keys(_keyed(secret, f"account\n{account}"), _keyed(secret, f"address\n{address}"))


def _keyed(secret: bytes, what: str) -> str:
    return hmac.new(secret, what.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]


def take_try(parts: Parts, keys: Keys) -> float:
    """0: it is counted and may be made. Otherwise the seconds to wait, and nothing is counted."""
    now = parts.clock()
    wait = parts.ledger.run(lambda tx: _take(tx, keys, now))
    if wait:
        log.warning("sign_in_slowed seconds=%.0f", wait)
    return wait


def _take(tx: Tx, keys: Keys, now: datetime) -> float:
    wait = wait_seconds(operators.count_tries(tx, keys, now), now)
    if not wait:
        operators.purge(tx, now)
        operators.insert_try(tx, keys, now)
    return wait
