"""Rehearsals that a brand asked for, and what came out."""

import sqlalchemy as sa
from alembic import op

from claimbot.db.columns import UtcDateTime

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "rehearsals",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("brand_id", sa.Text, nullable=False),
        sa.Column("drop_id", sa.Text, nullable=False),
        sa.Column("copy_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="asked"),
        sa.Column("plan", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("report", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("asked_at", UtcDateTime, nullable=False),
        sa.Column("begun_at", UtcDateTime, nullable=True),
        sa.Column("ended_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rehearsals")),
        sa.CheckConstraint(
            "state IN ('asked', 'running', 'done', 'failed')", name=op.f("ck_rehearsals_state")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_rehearsals_brand_id")),
        sa.ForeignKeyConstraint(["drop_id"], ["drops.id"], name=op.f("fk_rehearsals_drop_id")),
        sa.ForeignKeyConstraint(["copy_id"], ["drops.id"], name=op.f("fk_rehearsals_copy_id")),
    )
    op.create_index("ix_rehearsals_drop_id_asked_at", "rehearsals", ["drop_id", "asked_at"])
