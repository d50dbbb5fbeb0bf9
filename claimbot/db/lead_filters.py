"""Which leads does a brand ask for, and which of them count as qualified? As conditions of a statement."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    FromClause,
    String,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
)

from claimbot.core.claims import State
from claimbot.core.lead_filters import Rules, Wanted
from claimbot.core.leads import CLAIMED, MISSING, QualifyRule
from claimbot.db.names import IsCalled
from claimbot.db.tables import accounts, leads

# The same words as in the partial index of tables.py.
IS_TAGGED: ColumnElement[bool] = cast(leads.c.tags, Text) != literal_column("'[]'", Text)


def conditions_of_people(wanted: Wanted) -> list[ColumnElement[bool]]:
    """What the row of a lead itself must fulfil, besides being of the brand.

    Where leads are joined to rows that name the brand, asking twice makes SQLite begin with all leads.
    """
    asked: list[ColumnElement[bool]] = []
    if wanted.channel is not None:
        mine = select(accounts.c.id).where(accounts.c.brand_id == wanted.brand_id)
        asked.append(leads.c.account_id.in_(mine.where(accounts.c.channel == wanted.channel)))
    if wanted.search is not None:
        asked.append(IsCalled(wanted.search))
    if wanted.has_consented is not None:
        asked.append(leads.c.consent_marketing == (true() if wanted.has_consented else false()))
    if wanted.tag is not None:
        asked += [IS_TAGGED, cast(leads.c.tags, String).contains(json.dumps(wanted.tag), autoescape=True)]
    if wanted.seen_from is not None:
        asked.append(leads.c.first_seen_at >= wanted.seen_from)
    if wanted.seen_before is not None:
        asked.append(leads.c.first_seen_at < wanted.seen_before)
    return asked


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a statement keeps what the rule asks for: of a lead, a drop and a claim."""

    lead: FromClause
    """Any table with the columns of leads."""
    drop_id: ColumnElement[str]
    """NULL or empty: the line is of no drop."""
    claim: FromClause
    """The claim that speaks for the lead; its columns are NULL when there is none."""


def missing_of(columns: Columns, rules: Rules) -> ColumnElement[str]:
    """The first wish of the drop's rule that is not met, in words; empty for who is qualified."""
    usual = _missing_by(QualifyRule(), columns, rules.now)
    others = rules.drops_by_rule()
    if not others:
        return usual
    whens = [
        (columns.drop_id.in_(ids), _missing_by(rule, columns, rules.now)) for rule, ids in others.items()
    ]
    return case(*whens, else_=usual)


def _missing_by(rule: QualifyRule, columns: Columns, now: datetime) -> ColumnElement[str]:
    who = columns.lead.c
    is_unmet = {
        "wrote_keyword": func.coalesce(columns.drop_id, "") == "",
        "reachable": ~or_(
            func.coalesce(who.window_expires_at > now, false()), who.email != "", who.phone != ""
        ),
        "not_opted_out": who.opted_out_at.is_not(None),
        "claimed_or_waits_or_paid": standing_of(columns) == "",
        "email_known": who.email == "",
        "consent_given": ~func.coalesce(who.consent_marketing, false()),
        "follows_account": ~func.coalesce(who.follows_account, false()),
    }
    asked = [
        (is_unmet[wish], literal_column(f"'{words}'", Text))
        for wish, words in MISSING.items()
        if getattr(rule, wish)
    ]
    return case(*asked, else_=literal_column("''", Text)) if asked else literal_column("''", Text)


def standing_of(columns: Columns) -> ColumnElement[str]:
    """paid, claimed or waits; empty for nothing of these."""
    claim = columns.claim.c
    state = claim.state
    has_had_one = or_(claim.promoted_at.is_not(None), claim.hold_expires_at.is_not(None))
    return case(
        (and_(state == State.SOLD.value, claim.paid_minor != 0), literal_column("'paid'", Text)),
        (or_(state.in_(sorted(CLAIMED)), has_had_one), literal_column("'claimed'", Text)),
        (state == State.WAITLISTED.value, literal_column("'waits'", Text)),
        else_=literal_column("''", Text),
    )
