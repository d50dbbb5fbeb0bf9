"""Work that waits for the outside."""

import sqlalchemy as sa
from alembic import op

from claimbot.db.columns import UtcDateTime

revision = "0010"
down_revision = "0009"


def only(where: str) -> dict[str, sa.TextClause]:
    """An index over these rows only, on both databases."""
    return {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("brand_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=True),
        sa.Column("lead_id", sa.Text, nullable=True),
        sa.Column("claim_id", sa.Text, nullable=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("priority", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("dedupe_key", sa.Text, nullable=False),
        sa.Column("payload", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("state", sa.Text, nullable=False, server_default="ready"),
        sa.Column("attempts", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("sends", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("next_at", UtcDateTime, nullable=False),
        sa.Column("lease_until", UtcDateTime, nullable=True),
        sa.Column("lease_token", sa.Text, nullable=False, server_default=""),
        sa.Column("called_at", UtcDateTime, nullable=True),
        sa.Column("result_id", sa.Text, nullable=False, server_default=""),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("done_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_outbox_account_id")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_outbox_brand_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_outbox_claim_id")),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_outbox_lead_id")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_outbox_dedupe_key")),
        sa.CheckConstraint(
            "state IN ('ready', 'running', 'done', 'parked', 'dead')", name=op.f("ck_outbox_state")
        ),
    )
    op.create_index("ix_outbox_account_id_state", "outbox", ["account_id", "state"])
    op.create_index("ix_outbox_claim_id", "outbox", ["claim_id"])
    op.create_index("ix_outbox_lead_id_state", "outbox", ["lead_id", "state"])
    op.create_index(
        "ix_outbox_open", "outbox", ["priority", "next_at"], **only("state IN ('ready', 'running')")
    )
    op.create_index("ix_outbox_result_id", "outbox", ["result_id"])
