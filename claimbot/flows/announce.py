"""What does a brand's own system hear? Written down in the transaction of the change; sent by notify.py."""

from collections.abc import Sequence
from datetime import datetime

from claimbot.core.webhooks import HAPPENINGS, payload_of
from claimbot.db import brands, claims, drops, rehearsals, webhooks
from claimbot.db.engine import Tx
from claimbot.db.webhooks import NewNotice


def announce(tx: Tx, now: datetime, brand_id: str, claim_ids: Sequence[str]) -> None:
    """Tell of the states that these claims have now; each state of a claim is told once to an endpoint.

    A brand without endpoints costs one look. What is only rehearsed is told to nobody.
    """
    listeners = webhooks.list_listeners(tx, brand_id) if claim_ids else []
    if not listeners:
        return
    copies = rehearsals.list_copies(tx, brand_id)
    slug = brands.get_brand(tx, brand_id).slug
    found = claims.list_claims(tx, claim_ids)
    told = [one for one in found if one.state in HAPPENINGS and one.drop_id not in copies]
    by_id = {drop_id: drops.find_drop(tx, drop_id) for drop_id in {one.drop_id for one in told}}
    new = []
    for claim in told:
        drop = by_id[claim.drop_id]
        assert drop is not None  # a claim's drop is never deleted
        payload = payload_of(slug, drop, claim, now)
        new += [NewNotice(brand_id, one, f"{one}:{claim.id}:{claim.state}", payload) for one in listeners]
    webhooks.insert_notices(tx, new, now)
