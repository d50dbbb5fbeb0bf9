"""What must be true of a ledger at every moment? Plain SQL, one query for each promise of design §3."""

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import text

from claimbot.core.claims import LIVE, WITH_UNIT
from claimbot.db.engine import Ledger
from claimbot.flows.verify import verify
from claimbot.parts import Parts

OWNS = ", ".join(f"'{state}'" for state in WITH_UNIT)
LIVES = ", ".join(f"'{state}'" for state in LIVE)
COUNTED = "'held', 'expiring', 'pending', 'sold'"

# A query returns one row for each breach; its first column names what is wrong.
ALWAYS: Mapping[str, str] = MappingProxyType(
    {
        "I1 a claim that owns has exactly its quantity": f"""
            SELECT c.id FROM claims c WHERE c.state IN ({OWNS})
            AND c.quantity <> (SELECT count(*) FROM units u WHERE u.claim_id = c.id
                               AND u.variant_id = c.variant_id)""",
        "I1 a claim that owns nothing has no unit": f"""
            SELECT c.id FROM claims c JOIN units u ON u.claim_id = c.id WHERE c.state NOT IN ({OWNS})""",
        "I2 no more is taken than there is": f"""
            SELECT v.id FROM variants v WHERE
            (SELECT coalesce(sum(c.quantity), 0) FROM claims c WHERE c.variant_id = v.id
             AND c.state IN ({OWNS})) >
            (SELECT count(*) FROM units u WHERE u.variant_id = v.id AND u.state = 'open')""",
        "I3 one live claim for each follower and drop": f"""
            SELECT lead_id FROM claims WHERE state IN ({LIVES})
            GROUP BY drop_id, lead_id HAVING count(*) > 1""",
        "I3 nobody has more than the limit": f"""
            SELECT c.lead_id FROM claims c JOIN drops d ON d.id = c.drop_id WHERE c.state IN ({COUNTED})
            GROUP BY c.drop_id, c.lead_id, d.per_follower_limit
            HAVING sum(c.quantity) > d.per_follower_limit""",
        "I3 one event makes one claim": """
            SELECT event_key FROM claims WHERE event_key <> '' GROUP BY event_key HAVING count(*) > 1""",
        "I4 what is sold was paid": """
            SELECT c.id FROM claims c WHERE c.state = 'sold' AND c.price_minor > 0
            AND NOT EXISTS (SELECT 1 FROM checkouts k WHERE k.claim_id = c.id AND k.state = 'complete')""",
        "I8 every event has its outcome": """
            SELECT event_key FROM inbox WHERE outcome = ''""",
        "I8 nobody is sent one message more than twice": """
            SELECT id FROM outbox WHERE sends > 2""",
        "I12 what ended has an end": """
            SELECT id FROM claims WHERE state IN ('expired', 'passed', 'unreachable', 'cancelled', 'closed')
            AND ended_at IS NULL""",
    }
)


def breaches(ledger: Ledger) -> list[str]:
    """Every promise that the ledger breaks now, with the row that shows it."""
    with ledger.reading() as tx:
        return [f"{name}: {row[0]}" for name, query in ALWAYS.items() for row in tx.execute(text(query))]


def assert_invariants(parts: Parts, is_at_rest: bool = False) -> None:
    """Every promise is kept, by these queries and by the engine's own `claimbot verify`.

    `is_at_rest` demands that nothing is left to do, too.
    """
    assert breaches(parts.ledger) == []
    assert [(one.invariant, one.breaches) for one in verify(parts, is_at_rest) if not one.ok] == []
