"""What was parked is tried again: the account and the keys may have been mended outside."""

from claimbot.core.brands import Brand
from claimbot.db import alerts, audit, brands, waits
from claimbot.db.engine import Tx
from claimbot.parts import Parts


def try_again(parts: Parts, actor: str, brand: Brand) -> int:
    """Accounts that have a token send again, and what waited is due; what is still wrong parks it again."""
    now = parts.clock()

    def story(tx: Tx) -> int:
        for account in brands.list_accounts(tx, parts.sealer, brand.id):
            if account.token and brands.mark_live(tx, account.id):
                alerts.clear_alert(tx, "account", account.id, now)
        alerts.clear_alert(tx, "stripe", brand.id, now)
        count = waits.release_waits(tx, brand.id, now)
        audit.insert_line(tx, actor, "parked_tried_again", brand.id, now=now, brand_id=brand.id, rows=count)
        return count

    count = parts.ledger.run(story)
    parts.bell.ring()
    return count
