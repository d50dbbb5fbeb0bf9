"""Links by which somebody becomes an operator, or gets a new password."""

import sqlalchemy as sa
from alembic import op

from claimbot.db.columns import UtcDateTime

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "invites",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("brand_id", sa.Text, nullable=True),
        sa.Column("email", sa.Text, nullable=False, server_default=""),
        sa.Column("role", sa.Text, nullable=False, server_default="owner"),
        sa.Column("made_by", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("used_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invites")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invites_token_hash")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_invites_brand_id")),
        sa.CheckConstraint("role IN ('owner', 'editor', 'viewer')", name=op.f("ck_invites_role")),
    )
    op.create_index("ix_invites_brand_id", "invites", ["brand_id"])
