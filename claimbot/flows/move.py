"""How does a claim get another variant? Its unit is given back and another taken, in one transaction.

Only where the offer stays the same to the cent (invariant I6), and never past people who wait for that
variant (I11). While a payment page names the old variant the claim is not moved: the buyer would read one
thing and get another.
"""

from datetime import datetime

from claimbot.core.claims import Claim, State
from claimbot.core.drops import Drop
from claimbot.core.errors import Refused
from claimbot.db import audit, checkouts, claims, drops, units
from claimbot.db.engine import Tx
from claimbot.flows.hints import Hints
from claimbot.flows.promote import ComeBack, promote_free
from claimbot.flows.tell import tell
from claimbot.parts import Parts

MOVABLE = (State.WAITLISTED, State.HELD, State.PENDING, State.SOLD)
TOO_FEW = "Not enough units of that variant are free: raise its stock first."
LINES_PER_MS = 1000


def move_claim(parts: Parts, actor: str, claim_id: str, variant_id: str) -> None:
    """Raises Refused with the reason."""
    now = parts.clock()

    def story(tx: Tx) -> Hints:
        hints = Hints()
        claim = claims.lock_claim(tx, claim_id)
        drop = drops.find_drop(tx, claim.drop_id) if claim else None
        if claim is None or drop is None:
            raise Refused("There is no such claim.")
        if reason := why_not(tx, drop, claim, variant_id):
            raise Refused(reason)
        if claim.state is State.WAITLISTED:
            _join_other_line(tx, now, claim, variant_id)
            promote_free(tx, now, ComeBack(drop, variant_id, None), hints)
        else:
            freed = _swap_units(tx, claim, variant_id)
            promote_free(tx, now, ComeBack(drop, claim.variant_id, freed), hints)
        # The gate knows this follower by the old variant: it is loaded anew.
        hints.stale_drops.add(drop.id)
        facts = {"from_variant": claim.variant_id, "to_variant": variant_id}
        audit.insert_line(tx, actor, "claim_moved", claim.id, now=now, brand_id=claim.brand_id, **facts)
        return hints

    tell(parts, parts.ledger.run(story))


def why_not(tx: Tx, drop: Drop, claim: Claim, variant_id: str) -> str:
    """What keeps the claim from that variant, in words; empty when nothing does."""
    if variant_id not in {variant.id for variant in drop.variants}:
        return "This drop has no such variant."
    if variant_id == claim.variant_id:
        return "It is that variant already."
    if claim.state not in MOVABLE:
        return "This claim has ended, or is ending: there is nothing to move."
    if drop.unit_price(drop.variant(variant_id)) != claim.unit_price:
        return "The two have different prices: take this claim back and let them write again."
    if claim.state is State.WAITLISTED:
        return ""
    if claim.state is State.HELD and checkouts.find_latest(tx, claim.id) is not None:
        return "Their payment page names the old variant: move it once they paid, or take it back."
    if claims.count_waiting(tx, variant_id):
        return "People wait for that variant: what is free there is theirs."
    has_enough = len(units.list_free(tx, variant_id, claim.quantity)) == claim.quantity
    return "" if has_enough else TOO_FEW


def _join_other_line(tx: Tx, now: datetime, claim: Claim, variant_id: str) -> None:
    """At the end of it, as everybody who comes later."""
    by_time = int(now.timestamp() * 1000) * LINES_PER_MS
    line = max(by_time, claims.last_waiting_line(tx, variant_id) + 1)
    place = claims.count_waiting(tx, variant_id) + 1
    claims.mark_values(tx, claim.id, variant_id=variant_id, line=line, place=place)


def _swap_units(tx: Tx, claim: Claim, variant_id: str) -> list[int]:
    """Returns the numbers that are free now."""
    freed = units.free_units(tx, [claim.id])
    taken = units.take_any(tx, claim.id, variant_id, claim.quantity)
    if len(taken) < claim.quantity:
        raise Refused(TOO_FEW)
    # It was promoted in another line than the one that it counts in from now on.
    claims.mark_values(tx, claim.id, variant_id=variant_id, place=taken[0], promoted_at=None)
    return freed
