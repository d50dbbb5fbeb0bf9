"""The latest messages about one drop, for its live board."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_index("ix_inbox_drop_id_received_at", "inbox", ["drop_id", "received_at"])
