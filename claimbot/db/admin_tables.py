"""What do the admin pages need in SQL? Sessions, tries to begin one, and a way to the latest messages."""

from sqlalchemy import Column, Index, Table, Text

from claimbot.db.tables import belongs_to, inbox, key, metadata, moment, moment_set, words

__all__ = ["admin_sessions", "metadata", "sign_in_tries"]

# The cookie's 256 bits are not here: only their hash is.
admin_sessions = Table(
    "admin_sessions",
    metadata,
    key(),
    Column("token_hash", Text, nullable=False, unique=True),
    belongs_to("operator_id", "operators"),
    moment_set("created_at"),
    moment_set("seen_at"),
    moment("proved_at"),
    words("agent"),
    Index("ix_admin_sessions_operator_id", "operator_id"),
)

# Keyed hashes of what was typed and where it came from: people type passwords into the wrong field.
sign_in_tries = Table(
    "sign_in_tries",
    metadata,
    key(),
    words("account_key"),
    words("address_key"),
    moment_set("at"),
    Index("ix_sign_in_tries_account_key_at", "account_key", "at"),
    Index("ix_sign_in_tries_address_key_at", "address_key", "at"),
    Index("ix_sign_in_tries_at", "at"),
)

# The live board asks every two seconds for the latest messages of one drop.
Index("ix_inbox_drop_id_received_at", inbox.c.drop_id, inbox.c.received_at)
