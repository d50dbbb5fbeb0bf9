"""Why did somebody of the brand take a claim back, in their own words?"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("claims", sa.Column("cancel_note", sa.Text, nullable=False, server_default=""))
