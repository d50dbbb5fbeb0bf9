"""What does the ledger of a running engine say? One question for each function."""

from typing import Any

from claimbot.db import claims
from claimbot.sandbox.followers import igsid_of
from tests.engine import Engine


def claim_of(engine: Engine, who: str) -> Any:
    """Their newest claim."""
    rows = engine.rows(
        "SELECT claims.id FROM claims JOIN leads ON leads.id = claims.lead_id"
        " WHERE leads.external_id = :who ORDER BY claims.created_at DESC, claims.line DESC",
        who=igsid_of(who),
    )
    with engine.parts.ledger.reading() as tx:
        return claims.find_claim(tx, rows[0][0])


def state_of(engine: Engine, who: str) -> str:
    return str(claim_of(engine, who).state)


def outcome_of(engine: Engine, who: str) -> str:
    """How their last message ended, with the reason if there is one."""
    rows = engine.rows(
        "SELECT outcome, inbox.reason FROM inbox JOIN leads ON leads.id = inbox.lead_id"
        " WHERE leads.external_id = :who AND inbox.kind != 'echo' ORDER BY received_at DESC, sent_at DESC",
        who=igsid_of(who),
    )
    return ":".join(word for word in rows[0] if word)


def outcomes(engine: Engine) -> dict[str, int]:
    """How the messages of followers ended; the echoes of ours come whenever they like."""
    query = "SELECT outcome, count(*) FROM inbox WHERE kind != 'echo' GROUP BY outcome"
    return {outcome: count for outcome, count in engine.rows(query)}


def rows_of(engine: Engine, kind: str) -> list[tuple[Any, ...]]:
    """(state, reason, sends) of this kind of work."""
    return engine.rows(
        "SELECT state, reason, sends FROM outbox WHERE kind = :kind ORDER BY created_at, id", kind=kind
    )


def open_alerts(engine: Engine) -> list[str]:
    return [row[0] for row in engine.rows("SELECT kind FROM alerts WHERE cleared_at IS NULL ORDER BY kind")]


def taken_units(engine: Engine) -> list[int]:
    return [row[0] for row in engine.rows("SELECT unit_no FROM units WHERE claim_id IS NOT NULL ORDER BY 1")]


def lead_of(engine: Engine, who: str, column: str) -> Any:
    """One column of a lead."""
    return engine.rows(f"SELECT {column} FROM leads WHERE external_id = :who", who=igsid_of(who))[0][0]


def refunds(engine: Engine) -> int:
    return int(engine.world.get("/state")["sessions"]["refunds"])


def paid_sessions(engine: Engine) -> int:
    return int(engine.world.get("/state")["sessions"]["paid"])
