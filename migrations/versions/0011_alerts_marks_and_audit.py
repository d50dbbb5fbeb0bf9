"""What a person should see, small facts, and who changed what."""

import sqlalchemy as sa
from alembic import op

from claimbot.db.columns import UtcDateTime

revision = "0011"
down_revision = "0010"


def only(where: str) -> dict[str, sa.TextClause]:
    """An index over these rows only, on both databases."""
    return {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("brand_id", sa.Text, nullable=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False, server_default=""),
        sa.Column("text", sa.Text, nullable=False, server_default=""),
        sa.Column("raised_at", UtcDateTime, nullable=False),
        sa.Column("cleared_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_alerts_brand_id")),
    )
    op.create_index(
        "uq_alerts_open", "alerts", ["kind", "subject"], unique=True, **only("cleared_at IS NULL")
    )
    op.create_table(
        "marks",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("facts", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_marks")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("brand_id", sa.Text, nullable=True),
        sa.Column("actor", sa.Text, nullable=False, server_default=""),
        sa.Column("action", sa.Text, nullable=False, server_default=""),
        sa.Column("subject", sa.Text, nullable=False, server_default=""),
        sa.Column("facts", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("previous_hash", sa.Text, nullable=False, server_default=""),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_audit_brand_id")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_hash")),
    )
