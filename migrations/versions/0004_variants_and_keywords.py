"""What a drop comes in, and which words ask for it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "variants",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("drop_id", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False, server_default=""),
        sa.Column("aliases", sa.JSON, nullable=False, server_default="[]"),
        sa.Column("price_minor", sa.BigInteger, nullable=True),
        sa.Column("stock_units", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("position", sa.BigInteger, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variants")),
        sa.ForeignKeyConstraint(["drop_id"], ["drops.id"], name=op.f("fk_variants_drop_id")),
        sa.UniqueConstraint("drop_id", "code", name=op.f("uq_variants_drop_id_code")),
    )
    op.create_table(
        "keywords",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("brand_id", sa.Text, nullable=False),
        sa.Column("drop_id", sa.Text, nullable=False),
        sa.Column("word", sa.Text, nullable=False),
        sa.Column("normalised", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False, server_default="word"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keywords")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_keywords_brand_id")),
        sa.ForeignKeyConstraint(["drop_id"], ["drops.id"], name=op.f("fk_keywords_drop_id")),
        sa.UniqueConstraint("drop_id", "normalised", name=op.f("uq_keywords_drop_id_normalised")),
    )
    op.create_index("ix_keywords_brand_id_normalised", "keywords", ["brand_id", "normalised"])
