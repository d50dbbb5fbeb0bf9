"""Who claimed what, and how it ended."""

import sqlalchemy as sa
from alembic import op

from claimbot.db.columns import UtcDateTime

revision = "0006"
down_revision = "0005"


def only(where: str) -> dict[str, sa.TextClause]:
    """An index over these rows only, on both databases."""
    return {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}


def upgrade() -> None:
    _create_table()
    _create_indexes()


def _create_table() -> None:
    op.create_table(
        "claims",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("brand_id", sa.Text, nullable=False),
        sa.Column("drop_id", sa.Text, nullable=False),
        sa.Column("variant_id", sa.Text, nullable=False),
        sa.Column("lead_id", sa.Text, nullable=False),
        sa.Column("event_key", sa.Text, nullable=False, server_default=""),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("quantity", sa.BigInteger, nullable=False, server_default="1"),
        sa.Column("line", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("place", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("price_minor", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("livemode", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("stripe_account", sa.Text, nullable=False, server_default=""),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("keyword", sa.Text, nullable=False, server_default=""),
        sa.Column("source", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("told_at", UtcDateTime, nullable=True),
        sa.Column("hold_expires_at", UtcDateTime, nullable=True),
        sa.Column("promoted_at", UtcDateTime, nullable=True),
        sa.Column("ended_at", UtcDateTime, nullable=True),
        sa.Column("paid_at", UtcDateTime, nullable=True),
        sa.Column("session_epoch", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("stripe_session_id", sa.Text, nullable=False, server_default=""),
        sa.Column("session_shown", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("ended_reason", sa.Text, nullable=False, server_default=""),
        sa.Column("payment_intent", sa.Text, nullable=False, server_default=""),
        sa.Column("paid_minor", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("refunded_minor", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("shipping", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_claims_brand_id")),
        sa.ForeignKeyConstraint(["drop_id"], ["drops.id"], name=op.f("fk_claims_drop_id")),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_claims_lead_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variants.id"], name=op.f("fk_claims_variant_id")),
        sa.UniqueConstraint("token", name=op.f("uq_claims_token")),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_claims_quantity")),
    )


def _create_indexes() -> None:
    op.create_index("ix_claims_drop_id_state", "claims", ["drop_id", "state"])
    op.create_index("ix_claims_hold_expires_at", "claims", ["hold_expires_at"], **only("state = 'held'"))
    op.create_index("ix_claims_lead_id", "claims", ["lead_id"])
    op.create_index("ix_claims_payment_intent", "claims", ["payment_intent"])
    op.create_index("ix_claims_stripe_session_id", "claims", ["stripe_session_id"])
    op.create_index("ix_claims_waiting", "claims", ["variant_id", "line"], **only("state = 'waitlisted'"))
    op.create_index(
        "uq_claims_one_live",
        "claims",
        ["drop_id", "lead_id"],
        unique=True,
        **only("state IN ('waitlisted', 'held', 'expiring', 'pending')"),
    )
