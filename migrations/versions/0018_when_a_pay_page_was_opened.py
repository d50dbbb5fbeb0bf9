"""When did the follower first go on to the payment page?"""

import sqlalchemy as sa
from alembic import op

from claimbot.db.columns import UtcDateTime

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("claims", sa.Column("opened_at", UtcDateTime, nullable=True))
