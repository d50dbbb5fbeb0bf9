"""Who is a qualified lead, and what does a line of the exported list say?"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from claimbot.core.claims import State


@dataclass(frozen=True, slots=True)
class QualifyRule:
    """One visible rule per drop: what a lead must fulfil to count as qualified."""

    wrote_keyword: bool = True
    reachable: bool = True
    not_opted_out: bool = True
    claimed_or_waits_or_paid: bool = True
    email_known: bool = False
    consent_given: bool = False
    follows_account: bool = False


# Who is in one of these has, or had, a unit or a place on an early-access list.
CLAIMED = frozenset(State) - {State.WAITLISTED, State.PASSED, State.CANCELLED, State.CLOSED, State.ERASED}

# What the list says of who does not meet a wish of the rule; the first one counts.
MISSING: Mapping[str, str] = MappingProxyType(
    {
        "wrote_keyword": "did not write the word",
        "reachable": "cannot be reached",
        "not_opted_out": "opted out",
        "claimed_or_waits_or_paid": "neither claimed nor waits nor paid",
        "email_known": "no e-mail known",
        "consent_given": "no consent given",
        "follows_account": "does not follow the account",
    }
)

# The same wishes as the rule is told in.
WISHES: Mapping[str, str] = MappingProxyType(
    {
        "wrote_keyword": "wrote the word",
        "reachable": "can be reached",
        "not_opted_out": "have not opted out",
        "claimed_or_waits_or_paid": "claimed or wait or paid",
        "email_known": "left an e-mail address",
        "consent_given": "agreed to marketing",
        "follows_account": "follow the account",
    }
)


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """What is known of one lead in one drop; what is not known is False."""

    wrote_keyword: bool = False
    is_reachable: bool = False
    has_opted_out: bool = False
    has_paid: bool = False
    has_claimed: bool = False
    """Has or had a unit, or is on an early-access list."""
    is_waiting: bool = False
    has_email: bool = False
    has_consented: bool = False
    follows_account: bool = False


def describe(rule: QualifyRule) -> str:
    """The rule as one sentence, shown beside the list."""
    asked = [words for wish, words in WISHES.items() if getattr(rule, wish)]
    if not asked:
        return "Every lead is qualified."
    *first, last = asked
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"A lead is qualified when they {listed}."


def qualified(facts: LeadFacts, rule: QualifyRule) -> tuple[bool, str]:
    """Is this lead qualified, and because of what: the best that is true, or the first thing missing."""
    standing = _standing(facts)
    is_met = {
        "wrote_keyword": facts.wrote_keyword,
        "reachable": facts.is_reachable,
        "not_opted_out": not facts.has_opted_out,
        "claimed_or_waits_or_paid": bool(standing),
        "email_known": facts.has_email,
        "consent_given": facts.has_consented,
        "follows_account": facts.follows_account,
    }
    missing = next((words for wish, words in MISSING.items() if getattr(rule, wish) and not is_met[wish]), "")
    if missing:
        return False, missing
    return True, standing or ("wrote the word" if facts.wrote_keyword else "meets the rule")


def _standing(facts: LeadFacts) -> str:
    if facts.has_paid:
        return "paid"
    if facts.has_claimed:
        return "claimed"
    return "waits" if facts.is_waiting else ""


# The contract with whoever reads the file: names and places never change.
COLUMNS = (
    "lead_id",
    "brand",
    "drop",
    "channel",
    "username",
    "name",
    "email",
    "phone",
    "qualified",
    "qualified_because",
    "outcome",
    "claim_state",
    "place",
    "quantity",
    "variant",
    "paid_minor",
    "currency",
    "keyword",
    "source",
    "consent_marketing",
    "consent_at",
    "opted_out",
    "tags",
    "note",
    "first_seen_at",
    "last_seen_at",
    "told_at",
    "paid_at",
)

# Before the first line, for spreadsheets that would take UTF-8 for something else.
BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class LeadRow:
    """One lead in one drop; the fields are the columns, in their order."""

    lead_id: str
    brand: str
    drop: str | None = None
    channel: str = ""
    username: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    qualified: bool = False
    qualified_because: str = ""
    outcome: str | None = None
    claim_state: str | None = None
    place: int | None = None
    quantity: int | None = None
    variant: str | None = None
    paid_minor: int | None = None
    currency: str | None = None
    keyword: str | None = None
    source: str | None = None
    consent_marketing: bool | None = None
    consent_at: datetime | None = None
    opted_out: bool = False
    tags: str | None = None
    note: str | None = None
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    told_at: datetime | None = None
    paid_at: datetime | None = None


# A spreadsheet runs a cell that begins so (OWASP ASVS 1.2.10), the full-width twins after normalisation.
TRIGGERS = frozenset("=+-@\t\r\n\0＝＋－＠")
# Some programs drop what cannot be seen before they look for a trigger.
UNSEEN = " \u00a0\u200b\u2060\ufeff\v\f\u3000"
# A spreadsheet makes another number of these: 17841400000000017 becomes 1.78E+16, 0171 becomes 171.
CHANGED = re.compile(r"0[0-9]+|[0-9]{12,}|[0-9]+(\.[0-9]*)?[eE][0-9]+")
_DIGITS = "0123456789"
# One look at the first character decides for nearly every cell: this file may have a million lines.
WATCHED = frozenset(TRIGGERS | set(UNSEEN) | set(_DIGITS))


def safe_cell(text: str | None) -> str:
    """The text as a spreadsheet may read it: with ' before what it would run or make a number of."""
    if not text or text[0] not in WATCHED:
        return text or ""
    return f"'{text}" if _is_risky(text) else text


def _is_risky(text: str) -> bool:
    if text[0] in _DIGITS:
        return CHANGED.fullmatch(text) is not None
    seen = text.lstrip(UNSEEN)
    return bool(seen) and seen[0] in TRIGGERS


def csv_line(line: Sequence[str]) -> str:
    """One line by RFC 4180, with its CRLF. The csv module is asked only where something must be quoted."""
    joined = ",".join(line)
    is_plain = '"' not in joined and "\n" not in joined and "\r" not in joined
    if joined and is_plain and joined.count(",") == len(line) - 1:
        return f"{joined}\r\n"
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerow(line)
    return written.getvalue()
