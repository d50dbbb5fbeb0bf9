"""Everybody who wrote."""

import sqlalchemy as sa
from alembic import op

from claimbot.db.columns import UtcDateTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "leads",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("brand_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("username", sa.Text, nullable=False, server_default=""),
        sa.Column("name", sa.Text, nullable=False, server_default=""),
        sa.Column("email", sa.Text, nullable=False, server_default=""),
        sa.Column("phone", sa.Text, nullable=False, server_default=""),
        sa.Column("consent_marketing", sa.Boolean, nullable=True),
        sa.Column("consent_wording", sa.Text, nullable=False, server_default=""),
        sa.Column("consent_at", UtcDateTime, nullable=True),
        sa.Column("follows_account", sa.Boolean, nullable=True),
        sa.Column("source", sa.Text, nullable=False, server_default=""),
        sa.Column("first_seen_at", UtcDateTime, nullable=False),
        sa.Column("last_seen_at", UtcDateTime, nullable=False),
        sa.Column("opted_out_at", UtcDateTime, nullable=True),
        sa.Column("human_until", UtcDateTime, nullable=True),
        sa.Column("helped_at", UtcDateTime, nullable=True),
        sa.Column("window_expires_at", UtcDateTime, nullable=True),
        sa.Column("profile_at", UtcDateTime, nullable=True),
        sa.Column("erased_at", UtcDateTime, nullable=True),
        sa.Column("tags", sa.JSON, nullable=False, server_default="[]"),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_leads_account_id")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_leads_brand_id")),
        sa.UniqueConstraint("account_id", "external_id", name=op.f("uq_leads_account_id_external_id")),
    )
    op.create_index("ix_leads_brand_id_first_seen_at", "leads", ["brand_id", "first_seen_at", "id"])
