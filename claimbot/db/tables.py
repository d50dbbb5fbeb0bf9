"""What is stored, and about whom? Every table, with the constraints that carry the promises."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.sql.schema import SchemaItem

from claimbot.core.claims import LIVE
from claimbot.db.columns import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def words(name: str, default: str = "") -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def flag(name: str, default: bool) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text("true" if default else "false"))


def number(name: str, default: int = 0) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=str(default))


def document(name: str, default: str = "{}") -> Column[object]:
    return Column(name, JSON, nullable=False, server_default=default)


def moment(name: str) -> Column[object]:
    return Column(name, UtcDateTime, nullable=True)


def moment_set(name: str) -> Column[object]:
    return Column(name, UtcDateTime, nullable=False)


def belongs_to(name: str, other: str, is_needed: bool = True) -> Column[str]:
    return Column(name, Text, ForeignKey(f"{other}.id"), nullable=not is_needed)


def key() -> SchemaItem:
    return Column("id", Text, primary_key=True)


def index_where(name: str, condition: str, *columns: str | Column[object], unique: bool = False) -> Index:
    """An index of the rows that meet the condition, the same on both databases."""
    where = text(condition)
    return Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


brands = Table(
    "brands",
    metadata,
    key(),
    Column("slug", Text, nullable=False, unique=True),
    words("name"),
    words("timezone", "UTC"),
    words("locale", "en"),
    words("stripe_secret_key_sealed"),
    words("stripe_webhook_secrets_sealed"),
    words("stripe_account"),
    flag("livemode", False),
    number("retention_days", 365),
    document("command_words"),
    document("texts"),
    moment_set("created_at"),
)

accounts = Table(
    "accounts",
    metadata,
    key(),
    belongs_to("brand_id", "brands"),
    Column("channel", Text, nullable=False),
    words("variant"),
    Column("external_id", Text, nullable=False),
    words("page_id"),
    words("username"),
    words("app_secret_sealed"),
    words("token_sealed"),
    moment("token_expires_at"),
    words("state", "live"),
    words("reason"),
    moment("parked_at"),
    moment("last_event_at"),
    UniqueConstraint("channel", "external_id"),
    CheckConstraint("state IN ('live', 'parked')", name="state"),
)

drops = Table(
    "drops",
    metadata,
    key(),
    belongs_to("brand_id", "brands"),
    Column("name", Text, nullable=False),
    words("kind", "paid"),
    words("state", "draft"),
    moment("opens_at"),
    moment("closes_at"),
    number("price_minor"),
    Column("currency", Text, nullable=False),
    number("hold_minutes", 15),
    number("per_follower_limit", 1),
    flag("is_waitlist_on", True),
    flag("is_partial_allowed", True),
    flag("is_restocked_on_refund", True),
    words("link_mode", "auto"),
    words("image_url"),
    document("texts"),
    document("options"),
    document("qualify"),
    number("gate_epoch", 1),
    number("version", 1),
    moment_set("created_at"),
    Index("ix_drops_brand_id", "brand_id"),
)

variants = Table(
    "variants",
    metadata,
    key(),
    belongs_to("drop_id", "drops"),
    Column("code", Text, nullable=False),
    words("name"),
    document("aliases", "[]"),
    Column("price_minor", BigInteger, nullable=True),
    number("stock_units"),
    number("position"),
    UniqueConstraint("drop_id", "code"),
)

# One row for each unit that can be sold: what makes overselling impossible (design §3).
units = Table(
    "units",
    metadata,
    belongs_to("variant_id", "variants"),
    Column("unit_no", Integer, nullable=False),
    belongs_to("claim_id", "claims", is_needed=False),
    words("state", "open"),
    PrimaryKeyConstraint("variant_id", "unit_no"),
    CheckConstraint("state IN ('open', 'retired')", name="state"),
    CheckConstraint("state = 'open' OR claim_id IS NULL", name="retired_is_free"),
    Index("ix_units_claim_id", "claim_id"),
    index_where("ix_units_free", "claim_id IS NULL AND state = 'open'", "variant_id", "unit_no"),
)

keywords = Table(
    "keywords",
    metadata,
    key(),
    belongs_to("brand_id", "brands"),
    belongs_to("drop_id", "drops"),
    Column("word", Text, nullable=False),
    Column("normalised", Text, nullable=False),
    words("mode", "word"),
    UniqueConstraint("drop_id", "normalised"),
    Index("ix_keywords_brand_id_normalised", "brand_id", "normalised"),
)

leads = Table(
    "leads",
    metadata,
    key(),
    belongs_to("brand_id", "brands"),
    belongs_to("account_id", "accounts"),
    Column("external_id", Text, nullable=False),
    words("username"),
    words("name"),
    words("email"),
    words("phone"),
    Column("consent_marketing", Boolean, nullable=True),
    words("consent_wording"),
    moment("consent_at"),
    Column("follows_account", Boolean, nullable=True),
    words("source"),
    moment_set("first_seen_at"),
    moment_set("last_seen_at"),
    moment("opted_out_at"),
    moment("human_until"),
    moment("helped_at"),
    moment("window_expires_at"),
    moment("profile_at"),
    moment("erased_at"),
    document("tags", "[]"),
    words("note"),
    UniqueConstraint("account_id", "external_id"),
    Index("ix_leads_brand_id_first_seen_at", "brand_id", "first_seen_at", "id"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("event_key", Text, primary_key=True),
    belongs_to("account_id", "accounts", is_needed=False),
    belongs_to("brand_id", "brands", is_needed=False),
    belongs_to("lead_id", "leads", is_needed=False),
    belongs_to("drop_id", "drops", is_needed=False),
    belongs_to("claim_id", "claims", is_needed=False),
    words("event_id"),
    words("kind"),
    words("text"),
    words("keyword"),
    words("source"),
    moment("sent_at"),
    moment_set("received_at"),
    words("outcome"),
    words("reason"),
    words("raw"),
    Index("ix_inbox_lead_id_received_at", "lead_id", "received_at"),
    Index("ix_inbox_received_at", "received_at"),
    Index("ix_inbox_account_id_event_id", "account_id", "event_id"),
)

LIVE_CLAIM = "state IN ({})".format(", ".join(f"'{state}'" for state in LIVE))

claims = Table(
    "claims",
    metadata,
    key(),
    belongs_to("brand_id", "brands"),
    belongs_to("drop_id", "drops"),
    belongs_to("variant_id", "variants"),
    belongs_to("lead_id", "leads"),
    words("event_key"),
    Column("state", Text, nullable=False),
    number("quantity", 1),
    number("line"),
    number("place"),
    number("price_minor"),
    Column("currency", Text, nullable=False),
    flag("livemode", False),
    words("stripe_account"),
    Column("token", Text, nullable=False, unique=True),
    words("keyword"),
    words("source"),
    moment_set("created_at"),
    moment("told_at"),
    moment("hold_expires_at"),
    moment("promoted_at"),
    moment("ended_at"),
    moment("paid_at"),
    number("session_epoch"),
    words("stripe_session_id"),
    flag("session_shown", False),
    words("ended_reason"),
    words("payment_intent"),
    number("paid_minor"),
    number("refunded_minor"),
    words("shipping"),
    CheckConstraint("quantity >= 1", name="quantity"),
    index_where("uq_claims_one_live", LIVE_CLAIM, "drop_id", "lead_id", unique=True),
    index_where("ix_claims_waiting", "state = 'waitlisted'", "variant_id", "line"),
    index_where("ix_claims_hold_expires_at", "state = 'held'", "hold_expires_at"),
    Index("ix_claims_lead_id", "lead_id"),
    Index("ix_claims_drop_id_state", "drop_id", "state"),
    Index("ix_claims_stripe_session_id", "stripe_session_id"),
    Index("ix_claims_payment_intent", "payment_intent"),
)

checkouts = Table(
    "checkouts",
    metadata,
    belongs_to("claim_id", "claims"),
    Column("epoch", Integer, nullable=False),
    belongs_to("brand_id", "brands"),
    document("request"),
    Column("session_id", Text, nullable=True, unique=True),
    words("url"),
    moment_set("expires_at"),
    moment_set("created_at"),
    words("state", "asked"),
    PrimaryKeyConstraint("claim_id", "epoch"),
    Index("ix_checkouts_state_expires_at", "state", "expires_at"),
)

outbox = Table(
    "outbox",
    metadata,
    key(),
    belongs_to("brand_id", "brands"),
    belongs_to("account_id", "accounts", is_needed=False),
    belongs_to("lead_id", "leads", is_needed=False),
    belongs_to("claim_id", "claims", is_needed=False),
    Column("kind", Text, nullable=False),
    number("priority"),
    Column("dedupe_key", Text, nullable=False, unique=True),
    document("payload"),
    words("state", "ready"),
    number("attempts"),
    number("sends"),
    moment_set("next_at"),
    moment("lease_until"),
    words("lease_token"),
    moment("called_at"),
    words("result_id"),
    words("reason"),
    moment_set("created_at"),
    moment("done_at"),
    CheckConstraint("state IN ('ready', 'running', 'done', 'parked', 'dead')", name="state"),
    index_where("ix_outbox_open", "state IN ('ready', 'running')", "priority", "next_at"),
    Index("ix_outbox_lead_id_state", "lead_id", "state"),
    Index("ix_outbox_claim_id", "claim_id"),
    Index("ix_outbox_result_id", "result_id"),
    Index("ix_outbox_account_id_state", "account_id", "state"),
)

payment_events = Table(
    "payment_events",
    metadata,
    Column("event_id", Text, primary_key=True),
    belongs_to("brand_id", "brands"),
    words("type"),
    words("object_id"),
    words("payload"),
    moment_set("received_at"),
    words("outcome"),
    words("reason"),
    belongs_to("claim_id", "claims", is_needed=False),
    UniqueConstraint("brand_id", "type", "object_id"),
)

alerts = Table(
    "alerts",
    metadata,
    key(),
    belongs_to("brand_id", "brands", is_needed=False),
    Column("kind", Text, nullable=False),
    words("subject"),
    words("text"),
    moment_set("raised_at"),
    moment("cleared_at"),
    index_where("uq_alerts_open", "cleared_at IS NULL", "kind", "subject", unique=True),
)

# Small facts that belong to the whole deployment: the catalog's version, when each sweep last ran.
marks = Table(
    "marks",
    metadata,
    Column("name", Text, primary_key=True),
    number("value"),
    document("facts"),
    moment_set("at"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    moment_set("at"),
    belongs_to("brand_id", "brands", is_needed=False),
    words("actor"),
    words("action"),
    words("subject"),
    document("facts"),
    words("previous_hash"),
    Column("hash", Text, nullable=False, unique=True),
)
