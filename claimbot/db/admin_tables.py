"""What do the admin pages need in SQL? People and what lets them in, and a way to the latest messages."""

from sqlalchemy import CheckConstraint, Column, Index, PrimaryKeyConstraint, Table, Text, literal_column

from claimbot.db.names import is_named_sql, words_sql
from claimbot.db.tables import (
    belongs_to,
    claims,
    document,
    inbox,
    index_where,
    key,
    leads,
    metadata,
    moment,
    moment_set,
    number,
    words,
)

__all__ = [
    "admin_sessions",
    "claims",
    "inbox",
    "invites",
    "memberships",
    "metadata",
    "operators",
    "recovery_codes",
    "rehearsals",
    "sign_in_tries",
]

operators = Table(
    "operators",
    metadata,
    key(),
    Column("email", Text, nullable=False, unique=True),
    words("password_hash"),
    words("totp_sealed"),
    moment_set("created_at"),
    moment("disabled_at"),
    number("totp_step"),
)

memberships = Table(
    "memberships",
    metadata,
    belongs_to("operator_id", "operators"),
    belongs_to("brand_id", "brands"),
    Column("role", Text, nullable=False),
    PrimaryKeyConstraint("operator_id", "brand_id"),
    CheckConstraint("role IN ('owner', 'editor', 'viewer')", name="role"),
)

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

# What opens the door when the phone is lost. Only their hashes are here.
recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("code_hash", Text, nullable=False),
    belongs_to("operator_id", "operators"),
    moment("used_at"),
    PrimaryKeyConstraint("operator_id", "code_hash"),
)

# A link for one person, once. Without a brand it is for the first person of a deployment, or a new password.
invites = Table(
    "invites",
    metadata,
    key(),
    Column("token_hash", Text, nullable=False, unique=True),
    belongs_to("brand_id", "brands", is_needed=False),
    words("email"),
    words("role", "owner"),
    words("made_by"),
    moment_set("created_at"),
    moment_set("expires_at"),
    moment("used_at"),
    CheckConstraint("role IN ('owner', 'editor', 'viewer')", name="role"),
    Index("ix_invites_brand_id", "brand_id"),
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

# The live board asks every two seconds for the latest messages of one drop; the list of leads walks it, too.
Index("ix_inbox_drop_id_received_at", inbox.c.drop_id, inbox.c.received_at, inbox.c.event_key)

# The list of leads, in order, for what is asked of it (lead_pages.py). What is ignored is no line of it.
index_where(
    "ix_inbox_outcome",
    "outcome NOT IN ('', 'ignored')",
    *(inbox.c.brand_id, inbox.c.outcome, inbox.c.received_at, inbox.c.event_key),
)
Index(
    "ix_claims_brand_id_state_created_at", claims.c.brand_id, claims.c.state, claims.c.created_at, claims.c.id
)
index_where(
    "ix_leads_tagged",
    "CAST(tags AS TEXT) <> '[]'",
    *(leads.c.brand_id, leads.c.first_seen_at, leads.c.id),
)
index_where(
    "ix_leads_consent",
    "consent_marketing IS NOT NULL",
    *(leads.c.brand_id, leads.c.consent_marketing, leads.c.first_seen_at, leads.c.id),
)

Index("ix_leads_last_seen_at", leads.c.brand_id, leads.c.last_seen_at, leads.c.id)
Index("ix_leads_username", leads.c.brand_id, leads.c.username, leads.c.id)

# Who is called so, among a million (names.py); SQLite reads everybody instead.
Index(
    "ix_leads_words",
    literal_column(words_sql()),
    postgresql_using="gin",
    postgresql_where=literal_column(is_named_sql()),
    # Kilobytes that wait to be sorted in: whoever fills them up does not wait long.
    postgresql_with={"gin_pending_list_limit": 512},
    _table=leads,
).ddl_if(dialect="postgresql")

# The list of a brand's claims begins with the newest and goes on from there.
Index("ix_claims_brand_id_created_at", claims.c.brand_id, claims.c.created_at, claims.c.id)

# The funnel of a drop asks who went on to the payment page; nothing on the way of a claim does.
claims.append_column(moment("opened_at"))

# Why the brand took it back, in the words of whoever did; not in the audit, which forgets nobody.
claims.append_column(words("cancel_note"))

# A rehearsal plays a copy of a drop; the world that it needs is no part of the engine.
rehearsals = Table(
    "rehearsals",
    metadata,
    key(),
    belongs_to("brand_id", "brands"),
    belongs_to("drop_id", "drops"),
    belongs_to("copy_id", "drops"),
    words("state", "asked"),
    document("plan"),
    document("report"),
    words("reason"),
    moment_set("asked_at"),
    moment("begun_at"),
    moment("ended_at"),
    CheckConstraint("state IN ('asked', 'running', 'done', 'failed')", name="state"),
    Index("ix_rehearsals_drop_id_asked_at", "drop_id", "asked_at"),
)
