"""What does one statement say of a range of leads? A line for each lead and drop, with what is kept of each.

Everything is read in the order of the leads' ids, so PostgreSQL merges three indexes and hardly sorts.
"""

import functools
import operator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Select,
    Subquery,
    Text,
    and_,
    case,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.sql.selectable import FromClause

from claimbot.core.claims import LIVE, State
from claimbot.core.lead_filters import Rules, Wanted
from claimbot.db.lead_filters import Columns, conditions_of_people, missing_of, standing_of
from claimbot.db.tables import accounts, claims, drops, inbox, leads, variants

# Which of several claims in one drop speaks for the lead: the paid one, else one that lives, else the latest.
BEST_FIRST = {State.SOLD: 0, **dict.fromkeys((*LIVE, State.GRANTED, State.DISPUTED), 1)}
OTHER_RANK = 2
# The empty word stands for "about no drop": unlike NULL it can be joined on.
DROP_OF_INBOX = func.coalesce(inbox.c.drop_id, "")
LATEST_SAID = (inbox.c.received_at, inbox.c.event_key)


# A range of some thousand lines takes a fraction of a second, unless the machine has other things to do.
PATIENCE_MS = 30_000
# A range is sorted in memory, and is not worth compiling its statement. Times are cut as ISO writes them.
FOR_A_FILE = {
    "statement_timeout": str(PATIENCE_MS),
    "work_mem": "32MB",
    "jit": "off",
    "DateStyle": "ISO",
}

# Sorting carries every column along: what the list does not tell stays out.
OF_CLAIM = tuple(
    "variant_id state place quantity currency keyword source told_at paid_at paid_minor"
    " promoted_at hold_expires_at".split()
)
WHO = ("lead_id", "drop_id")
Keys = tuple[ColumnElement[Any], ...]


@dataclass(frozen=True, slots=True)
class Range:
    """Leads in the order of their ids, which is that of their first words: behind `after`, up to `last`."""

    after: str = ""
    last: str | None = None

    def holds(self, lead_id: ColumnElement[str]) -> ColumnElement[bool]:
        behind = lead_id > self.after
        return behind if self.last is None else and_(behind, lead_id <= self.last)


def find_last(tx: Connection, brand_id: str, after: str, most: int) -> str | None:
    """The lead with which a range of `most` ends; None when so many do not follow any more."""
    query = select(leads.c.id).where(leads.c.brand_id == brand_id, leads.c.id > after)
    found: str | None = tx.execute(query.order_by(leads.c.id).offset(most - 1).limit(1)).scalar()
    return found


def be_patient(tx: Connection) -> None:
    """A file may take longer than a follower would wait; the page of a browser may not."""
    if tx.dialect.name == "postgresql":
        tx.execute(select(*(func.set_config(name, value, True) for name, value in FOR_A_FILE.items())))


def rank_of(state: ColumnElement[str]) -> ColumnElement[Any]:
    """The smaller, the better a claim speaks for its lead."""
    ranks: list[Any] = [(state == one.value, literal_column(str(rank))) for one, rank in BEST_FIRST.items()]
    return case(*ranks, else_=literal_column(str(OTHER_RANK)))


def lines_of(wanted: Wanted, part: Range, rules: Rules, is_sqlite: bool) -> Select[Any]:
    """The lines of a range, as far as they are wanted; `missing` and `standing` say who is qualified."""
    people = _people(wanted, part)
    said, stands = _said(wanted, part, is_sqlite), _stands(wanted, part, is_sqlite)
    pairs = _pairs(said, stands, is_sqlite)
    is_of_one_drop = wanted.drop_id is not None
    source: FromClause = people.join(pairs, pairs.c.lead_id == people.c.id, isouter=not is_of_one_drop)
    source = source.outerjoin(drops, drops.c.id == pairs.c.drop_id)
    source = source.outerjoin(variants, variants.c.id == pairs.c.variant_id)
    columns = Columns(people, drops.c.id, pairs)
    query = select(*_columns(people, pairs), missing_of(columns, rules).label("missing"))
    query = query.add_columns(standing_of(columns).label("standing")).select_from(source)
    lines = query.where(_is_line(pairs, part)).subquery("lines")
    return _only(select(lines), lines, wanted)


def _is_line(pairs: CTE, part: Range) -> ColumnElement[bool]:
    """Who has a line in a drop has none for what they said besides."""
    said = select(inbox.c.lead_id).where(inbox.c.lead_id == pairs.c.lead_id, inbox.c.drop_id.is_not(None))
    claimed = select(claims.c.lead_id).where(claims.c.lead_id == pairs.c.lead_id)
    # Without the range a planner may read the whole table for it.
    said, claimed = said.where(part.holds(inbox.c.lead_id)), claimed.where(part.holds(claims.c.lead_id))
    return or_(func.coalesce(pairs.c.drop_id, "-") != "", and_(~said.exists(), ~claimed.exists()))


def _only(query: Select[Any], lines: Subquery, wanted: Wanted) -> Select[Any]:
    if wanted.outcome is not None:
        query = query.where(lines.c.outcome == wanted.outcome)
    if wanted.state is not None:
        query = query.where(lines.c.claim_state == wanted.state)
    if wanted.is_qualified is not None:
        query = query.where((lines.c.missing == "") if wanted.is_qualified else (lines.c.missing != ""))
    return query


def _people(wanted: Wanted, part: Range) -> Subquery:
    query = select(leads, accounts.c.channel).join(accounts, accounts.c.id == leads.c.account_id)
    asked = (leads.c.brand_id == wanted.brand_id, *conditions_of_people(wanted))
    return query.where(*asked, part.holds(leads.c.id)).subquery("people")


def _said(wanted: Wanted, part: Range, is_sqlite: bool) -> CTE:
    """Their last message about each drop."""
    found = select(
        inbox.c.lead_id, DROP_OF_INBOX.label("drop_id"), inbox.c.outcome, inbox.c.source, inbox.c.keyword
    )
    found = found.where(inbox.c.brand_id == wanted.brand_id, part.holds(inbox.c.lead_id))
    if wanted.drop_id is not None:
        found = found.where(inbox.c.drop_id == wanted.drop_id)
    latest = _first(found, (inbox.c.lead_id, DROP_OF_INBOX), LATEST_SAID, is_sqlite)
    return latest.cte("said").prefix_with("MATERIALIZED", dialect="sqlite")


def _stands(wanted: Wanted, part: Range, is_sqlite: bool) -> CTE:
    """The claim that speaks for them in each drop."""
    kept = [claims.c[name] for name in (*WHO, *OF_CLAIM)]
    found = select(*kept).where(claims.c.brand_id == wanted.brand_id, part.holds(claims.c.lead_id))
    if wanted.drop_id is not None:
        found = found.where(claims.c.drop_id == wanted.drop_id)
    order = (OTHER_RANK - rank_of(claims.c.state), claims.c.created_at, claims.c.id)
    best = _first(found, (claims.c.lead_id, claims.c.drop_id), order, is_sqlite)
    return best.cte("stands").prefix_with("MATERIALIZED", dialect="sqlite")


def _first(found: Select[Any], pair: Keys, order: Keys, is_sqlite: bool) -> Select[Any]:
    """The row of each pair that is greatest in this order."""
    if not is_sqlite:
        return found.ext(distinct_on(*pair)).order_by(*pair, *(key.desc() for key in order))
    # Beside one max() SQLite takes every other column from the row that has it, in half of a window's time.
    # Ranks and times have one width each, so as text they sort alike.
    first, *rest = (cast(key, Text) for key in order)
    greatest = func.max(functools.reduce(operator.add, rest, first)).label("greatest")
    return found.add_columns(greatest).group_by(*pair)


def _pairs(said: CTE, stands: CTE, is_sqlite: bool) -> CTE:
    """Each lead with each of their drops: what they said, and what they claimed."""
    is_same = and_(stands.c.lead_id == said.c.lead_id, stands.c.drop_id == said.c.drop_id)
    told = (said.c.outcome, said.c.source.label("said_source"), said.c.keyword.label("said_keyword"))
    who = (said.c.lead_id, said.c.drop_id)
    claimed = _claimed(stands)
    if not is_sqlite:
        both = (
            func.coalesce(one, other).label(one.name) for one, other in zip(who, _who(stands), strict=True)
        )
        joined = said.join(stands, is_same, full=True)
        return select(*both, *told, *claimed).select_from(joined).cte("pairs")
    # Not every SQLite knows FULL JOIN, and those that do read all claims for each lead.
    with_claim = select(*_who(stands), *told, *claimed).select_from(stands.outerjoin(said, is_same))
    without = select(*who, *told, *(null() for _ in claimed))
    without = without.where(~select(stands.c.lead_id).where(is_same).exists())
    return union_all(with_claim, without).cte("pairs")


def _who(stands: CTE) -> tuple[ColumnElement[str], ColumnElement[str]]:
    return stands.c.lead_id, stands.c.drop_id


def _claimed(stands: CTE) -> list[ColumnElement[Any]]:
    return [stands.c[name] for name in OF_CLAIM]


def _columns(people: Subquery, pairs: CTE) -> list[ColumnElement[Any]]:
    who, both = people.c, pairs.c
    return [
        who.id.label("lead_id"),
        drops.c.id.label("drop_id"),
        drops.c.name.label("drop"),
        *(who.channel, who.username, who.name, who.email, who.phone),
        both.outcome,
        both.state.label("claim_state"),
        case((both.place != 0, both.place)).label("place"),
        both.quantity,
        variants.c.code.label("variant"),
        case((both.paid_at.is_not(None), both.paid_minor)).label("paid_minor"),
        both.currency,
        case(
            (both.keyword != "", both.keyword),
            (both.said_keyword != "", both.said_keyword),
            else_=_word(pairs),
        ).label("keyword"),
        case((both.source != "", both.source), else_=func.coalesce(both.said_source, who.source)).label(
            "source"
        ),
        *(who.consent_marketing, who.consent_at, who.opted_out_at, who.tags, who.note),
        *(who.first_seen_at, who.last_seen_at, both.told_at, both.paid_at),
    ]


def _word(pairs: CTE) -> ColumnElement[str]:
    """A tap carries no word; the word that led to it does."""
    same = and_(inbox.c.lead_id == pairs.c.lead_id, pairs.c.drop_id == DROP_OF_INBOX)
    return select(func.max(inbox.c.keyword)).where(same).scalar_subquery()
