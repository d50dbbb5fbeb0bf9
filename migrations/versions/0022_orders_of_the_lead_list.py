"""The lead list by the last word and by handle, a page at a time."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_index("ix_leads_last_seen_at", "leads", ["brand_id", "last_seen_at", "id"])
    op.create_index("ix_leads_username", "leads", ["brand_id", "username", "id"])
