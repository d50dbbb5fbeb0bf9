"""Where do brands listen, and what is on its way to them? See flows/announce.py and flows/notify.py."""

from sqlalchemy import CheckConstraint, Column, Index, Table, Text

from claimbot.db.admin_tables import metadata
from claimbot.db.tables import (
    belongs_to,
    document,
    index_where,
    key,
    moment,
    moment_set,
    number,
    words,
)

__all__ = ["endpoints", "metadata", "notices"]

# One worker at a time has an endpoint (its lease), so that notices arrive one after the other.
endpoints = Table(
    "endpoints",
    metadata,
    key(),
    belongs_to("brand_id", "brands"),
    words("url"),
    words("state", "live"),
    words("secret_sealed"),
    words("old_secret_sealed"),
    moment("old_secret_until"),
    number("failures"),
    moment("rest_until"),
    moment("lease_until"),
    words("lease_token"),
    moment_set("made_at"),
    CheckConstraint("state IN ('live', 'paused', 'removed')", name="state"),
    Index("ix_endpoints_brand_id", "brand_id"),
)

# Nothing in the payload is about a person.
notices = Table(
    "notices",
    metadata,
    key(),
    belongs_to("brand_id", "brands"),
    belongs_to("endpoint_id", "endpoints"),
    Column("dedupe_key", Text, nullable=False, unique=True),
    words("happening"),
    document("payload"),
    words("state", "waiting"),
    number("attempts"),
    number("status"),
    words("reason"),
    moment_set("created_at"),
    moment_set("next_at"),
    moment("tried_at"),
    CheckConstraint("state IN ('waiting', 'delivered', 'given_up')", name="state"),
    Index("ix_notices_brand_id_created_at", "brand_id", "created_at", "id"),
    index_where("ix_notices_waiting", "state = 'waiting'", "endpoint_id", "next_at", "id"),
    Index("ix_notices_created_at", "created_at"),
)
