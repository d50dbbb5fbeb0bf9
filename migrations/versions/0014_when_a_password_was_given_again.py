"""When a session last gave its password, and which browser it is."""

import sqlalchemy as sa
from alembic import op

from claimbot.db.columns import UtcDateTime

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    # A session from before gave it too long ago: it is asked again.
    op.add_column("admin_sessions", sa.Column("proved_at", UtcDateTime, nullable=True))
    op.add_column("admin_sessions", sa.Column("agent", sa.Text, nullable=False, server_default=""))
