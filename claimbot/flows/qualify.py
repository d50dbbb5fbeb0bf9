"""How does a brand say who counts as qualified? By a rule of its own for each drop."""

from dataclasses import asdict

from claimbot.core.leads import QualifyRule
from claimbot.db import audit, drops
from claimbot.db.engine import Tx
from claimbot.parts import Parts


def change_rule(parts: Parts, actor: str, drop_id: str, rule: QualifyRule) -> None:
    """Counts at once, also for those who wrote before."""
    now = parts.clock()

    def story(tx: Tx) -> None:
        brand_id = drops.mark_qualify_rule(tx, drop_id, rule)
        audit.insert_line(tx, actor, "rule_changed", drop_id, now=now, brand_id=brand_id, **asdict(rule))

    parts.ledger.run(story)
