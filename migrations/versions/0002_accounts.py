"""Through which platform accounts a brand speaks."""

import sqlalchemy as sa
from alembic import op

from claimbot.db.columns import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("brand_id", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("variant", sa.Text, nullable=False, server_default=""),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("page_id", sa.Text, nullable=False, server_default=""),
        sa.Column("username", sa.Text, nullable=False, server_default=""),
        sa.Column("app_secret_sealed", sa.Text, nullable=False, server_default=""),
        sa.Column("token_sealed", sa.Text, nullable=False, server_default=""),
        sa.Column("token_expires_at", UtcDateTime, nullable=True),
        sa.Column("state", sa.Text, nullable=False, server_default="live"),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("parked_at", UtcDateTime, nullable=True),
        sa.Column("last_event_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_accounts_brand_id")),
        sa.UniqueConstraint("channel", "external_id", name=op.f("uq_accounts_channel_external_id")),
        sa.CheckConstraint("state IN ('live', 'parked')", name=op.f("ck_accounts_state")),
    )
