"""The claims of a brand, the newest first, a page at a time."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_index("ix_claims_brand_id_created_at", "claims", ["brand_id", "created_at", "id"])
