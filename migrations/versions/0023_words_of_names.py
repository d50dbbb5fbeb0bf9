"""The words of everybody's names, for a search among a million; SQLite reads them instead."""

import string

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

DIVIDERS = string.punctuation + "\u00a0\t\r\n"
QUOTED = DIVIDERS.replace("'", "''")
NAMES = "lower(left(username || ' ' || name || ' ' || email, 500))"
WORDS = f"string_to_array(translate({NAMES}, '{QUOTED}', '{' ' * len(DIVIDERS)}'), ' ')"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(
            "ix_leads_words",
            "leads",
            [sa.literal_column(f"array_to_tsvector(array_remove({WORDS}, ''))")],
            postgresql_using="gin",
            postgresql_with={"gin_pending_list_limit": 512},
            postgresql_where=sa.literal_column("username <> '' OR name <> '' OR email <> ''"),
        )
