"""One row for each unit that can be sold."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def only(where: str) -> dict[str, sa.TextClause]:
    """An index over these rows only, on both databases."""
    return {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}


def upgrade() -> None:
    op.create_table(
        "units",
        sa.Column("variant_id", sa.Text, nullable=False),
        sa.Column("unit_no", sa.Integer, nullable=False),
        sa.Column("claim_id", sa.Text, nullable=True),
        sa.Column("state", sa.Text, nullable=False, server_default="open"),
        sa.PrimaryKeyConstraint("variant_id", "unit_no", name=op.f("pk_units")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_units_claim_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variants.id"], name=op.f("fk_units_variant_id")),
        sa.CheckConstraint("state = 'open' OR claim_id IS NULL", name=op.f("ck_units_retired_is_free")),
        sa.CheckConstraint("state IN ('open', 'retired')", name=op.f("ck_units_state")),
    )
    op.create_index("ix_units_claim_id", "units", ["claim_id"])
    op.create_index(
        "ix_units_free", "units", ["variant_id", "unit_no"], **only("claim_id IS NULL AND state = 'open'")
    )
