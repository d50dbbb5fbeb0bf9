"""Which sessions were asked for, and which news of money came."""

import sqlalchemy as sa
from alembic import op

from claimbot.db.columns import UtcDateTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "checkouts",
        sa.Column("claim_id", sa.Text, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("brand_id", sa.Text, nullable=False),
        sa.Column("request", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("session_id", sa.Text, nullable=True),
        sa.Column("url", sa.Text, nullable=False, server_default=""),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="asked"),
        sa.PrimaryKeyConstraint("claim_id", "epoch", name=op.f("pk_checkouts")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_checkouts_brand_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_checkouts_claim_id")),
        sa.UniqueConstraint("session_id", name=op.f("uq_checkouts_session_id")),
    )
    op.create_index("ix_checkouts_state_expires_at", "checkouts", ["state", "expires_at"])
    op.create_table(
        "payment_events",
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("brand_id", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False, server_default=""),
        sa.Column("object_id", sa.Text, nullable=False, server_default=""),
        sa.Column("payload", sa.Text, nullable=False, server_default=""),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False, server_default=""),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("claim_id", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_payment_events")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_payment_events_brand_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_payment_events_claim_id")),
        sa.UniqueConstraint(
            "brand_id", "type", "object_id", name=op.f("uq_payment_events_brand_id_type_object_id")
        ),
    )
