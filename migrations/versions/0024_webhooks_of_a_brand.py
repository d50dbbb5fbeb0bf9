"""Where brands listen, and the notices on their way there."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text

from claimbot.db.columns import UtcDateTime

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "endpoints",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("brand_id", sa.Text, nullable=False),
        _words("url"),
        _words("state", "live"),
        _words("secret_sealed"),
        _words("old_secret_sealed"),
        sa.Column("old_secret_until", UtcDateTime, nullable=True),
        _number("failures"),
        sa.Column("rest_until", UtcDateTime, nullable=True),
        sa.Column("lease_until", UtcDateTime, nullable=True),
        _words("lease_token"),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoints")),
        sa.CheckConstraint("state IN ('live', 'paused', 'removed')", name=op.f("ck_endpoints_state")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_endpoints_brand_id")),
    )
    op.create_index("ix_endpoints_brand_id", "endpoints", ["brand_id"])
    op.create_table(
        "notices",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("brand_id", sa.Text, nullable=False),
        sa.Column("endpoint_id", sa.Text, nullable=False),
        sa.Column("dedupe_key", sa.Text, nullable=False),
        _words("happening"),
        sa.Column("payload", sa.JSON, nullable=False, server_default="{}"),
        _words("state", "waiting"),
        _number("attempts"),
        _number("status"),
        _words("reason"),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("next_at", UtcDateTime, nullable=False),
        sa.Column("tried_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_notices_dedupe_key")),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'given_up')", name=op.f("ck_notices_state")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_notices_brand_id")),
        sa.ForeignKeyConstraint(["endpoint_id"], ["endpoints.id"], name=op.f("fk_notices_endpoint_id")),
    )
    op.create_index("ix_notices_brand_id_created_at", "notices", ["brand_id", "created_at", "id"])
    op.create_index("ix_notices_created_at", "notices", ["created_at"])
    is_waiting = text("state = 'waiting'")
    columns = ["endpoint_id", "next_at", "id"]
    op.create_index(
        "ix_notices_waiting", "notices", columns, sqlite_where=is_waiting, postgresql_where=is_waiting
    )


def _words(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
