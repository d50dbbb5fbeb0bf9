"""What is announced, when and at what price."""

import sqlalchemy as sa
from alembic import op

from claimbot.db.columns import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "drops",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("brand_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False, server_default="paid"),
        sa.Column("state", sa.Text, nullable=False, server_default="draft"),
        sa.Column("opens_at", UtcDateTime, nullable=True),
        sa.Column("closes_at", UtcDateTime, nullable=True),
        sa.Column("price_minor", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("hold_minutes", sa.BigInteger, nullable=False, server_default="15"),
        sa.Column("per_follower_limit", sa.BigInteger, nullable=False, server_default="1"),
        sa.Column("is_waitlist_on", sa.Boolean, nullable=False, server_default=sa.text("true")),
        sa.Column("is_partial_allowed", sa.Boolean, nullable=False, server_default=sa.text("true")),
        sa.Column("is_restocked_on_refund", sa.Boolean, nullable=False, server_default=sa.text("true")),
        sa.Column("link_mode", sa.Text, nullable=False, server_default="auto"),
        sa.Column("image_url", sa.Text, nullable=False, server_default=""),
        sa.Column("texts", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("options", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("qualify", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("gate_epoch", sa.BigInteger, nullable=False, server_default="1"),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drops")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_drops_brand_id")),
    )
    op.create_index("ix_drops_brand_id", "drops", ["brand_id"])
