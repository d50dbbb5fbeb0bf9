"""The second factor: the last step that was used, and codes for the day the phone is lost."""

import sqlalchemy as sa
from alembic import op

from claimbot.db.columns import UtcDateTime

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("operators", sa.Column("totp_step", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "recovery_codes",
        sa.Column("code_hash", sa.Text, nullable=False),
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("used_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("operator_id", "code_hash", name=op.f("pk_recovery_codes")),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operators.id"], name=op.f("fk_recovery_codes_operator_id")
        ),
    )
