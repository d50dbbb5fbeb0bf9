"""Who owns what, and who may log in."""

import sqlalchemy as sa
from alembic import op

from claimbot.db.columns import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "brands",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False, server_default=""),
        sa.Column("timezone", sa.Text, nullable=False, server_default="UTC"),
        sa.Column("locale", sa.Text, nullable=False, server_default="en"),
        sa.Column("stripe_secret_key_sealed", sa.Text, nullable=False, server_default=""),
        sa.Column("stripe_webhook_secrets_sealed", sa.Text, nullable=False, server_default=""),
        sa.Column("stripe_account", sa.Text, nullable=False, server_default=""),
        sa.Column("livemode", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("retention_days", sa.BigInteger, nullable=False, server_default="365"),
        sa.Column("command_words", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("texts", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brands")),
        sa.UniqueConstraint("slug", name=op.f("uq_brands_slug")),
    )
    op.create_table(
        "operators",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False, server_default=""),
        sa.Column("totp_sealed", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("disabled_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operators")),
        sa.UniqueConstraint("email", name=op.f("uq_operators_email")),
    )
    op.create_table(
        "memberships",
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("brand_id", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "brand_id", name=op.f("pk_memberships")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_memberships_brand_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"], name=op.f("fk_memberships_operator_id")),
        sa.CheckConstraint("role IN ('owner', 'editor', 'viewer')", name=op.f("ck_memberships_role")),
    )
