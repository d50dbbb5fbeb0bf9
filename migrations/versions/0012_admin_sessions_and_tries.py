"""Who is signed in to the admin pages, and who tried to."""

import sqlalchemy as sa
from alembic import op

from claimbot.db.columns import UtcDateTime

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "admin_sessions",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_admin_sessions_token_hash")),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operators.id"], name=op.f("fk_admin_sessions_operator_id")
        ),
    )
    op.create_index("ix_admin_sessions_operator_id", "admin_sessions", ["operator_id"])
    op.create_table(
        "sign_in_tries",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("account_key", sa.Text, nullable=False, server_default=""),
        sa.Column("address_key", sa.Text, nullable=False, server_default=""),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_tries")),
    )
    op.create_index("ix_sign_in_tries_account_key_at", "sign_in_tries", ["account_key", "at"])
    op.create_index("ix_sign_in_tries_address_key_at", "sign_in_tries", ["address_key", "at"])
    op.create_index("ix_sign_in_tries_at", "sign_in_tries", ["at"])
