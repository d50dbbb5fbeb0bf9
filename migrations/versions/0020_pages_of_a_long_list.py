"""Pages of a list of a million leads, in order, whatever was asked for."""

from alembic import op
from sqlalchemy import text

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.drop_index("ix_inbox_drop_id_received_at", "inbox")
    op.create_index("ix_inbox_drop_id_received_at", "inbox", ["drop_id", "received_at", "event_key"])
    create_where(
        "ix_inbox_outcome",
        "inbox",
        ["brand_id", "outcome", "received_at", "event_key"],
        "outcome NOT IN ('', 'ignored')",
    )
    op.create_index(
        "ix_claims_brand_id_state_created_at", "claims", ["brand_id", "state", "created_at", "id"]
    )
    create_where(
        "ix_leads_tagged", "leads", ["brand_id", "first_seen_at", "id"], "CAST(tags AS TEXT) <> '[]'"
    )
    create_where(
        "ix_leads_consent",
        "leads",
        ["brand_id", "consent_marketing", "first_seen_at", "id"],
        "consent_marketing IS NOT NULL",
    )


def create_where(name: str, table: str, columns: list[str], condition: str) -> None:
    where = text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
