"""Every event that came in, once."""

import sqlalchemy as sa
from alembic import op

from claimbot.db.columns import UtcDateTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("event_key", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=True),
        sa.Column("brand_id", sa.Text, nullable=True),
        sa.Column("lead_id", sa.Text, nullable=True),
        sa.Column("drop_id", sa.Text, nullable=True),
        sa.Column("claim_id", sa.Text, nullable=True),
        sa.Column("event_id", sa.Text, nullable=False, server_default=""),
        sa.Column("kind", sa.Text, nullable=False, server_default=""),
        sa.Column("text", sa.Text, nullable=False, server_default=""),
        sa.Column("keyword", sa.Text, nullable=False, server_default=""),
        sa.Column("source", sa.Text, nullable=False, server_default=""),
        sa.Column("sent_at", UtcDateTime, nullable=True),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False, server_default=""),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("raw", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("event_key", name=op.f("pk_inbox")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_inbox_account_id")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_inbox_brand_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_inbox_claim_id")),
        sa.ForeignKeyConstraint(["drop_id"], ["drops.id"], name=op.f("fk_inbox_drop_id")),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_inbox_lead_id")),
    )
    op.create_index("ix_inbox_account_id_event_id", "inbox", ["account_id", "event_id"])
    op.create_index("ix_inbox_lead_id_received_at", "inbox", ["lead_id", "received_at"])
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"])
