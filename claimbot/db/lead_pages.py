"""Which lines come next on a page of the list? Found by walking one index, from where the last page ended.

Each kind of question walks another index: of leads, of what they said, or of their claims. So a page of a
list of a million costs what a page of a short list costs.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    Tuple,
    and_,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
)
from sqlalchemy.sql.selectable import FromClause

from claimbot.core.lead_filters import NEWEST_FIRST, By, Order, Rules, Wanted
from claimbot.core.leads import QualifyRule
from claimbot.db.columns import UtcDateTime
from claimbot.db.lead_filters import Columns, conditions_of_people, missing_of
from claimbot.db.lead_lines import DROP_OF_INBOX, rank_of
from claimbot.db.tables import claims, inbox, leads

# Where a page ends and the next one begins: what it is ordered by, and the id of the row.
Place = tuple[datetime | str, str]
# The same words as in the partial index: SQLite takes it only when it sees them.
IS_LINE: ColumnElement[bool] = inbox.c.outcome.not_in([literal_column("''"), literal_column("'ignored'")])
Keys = tuple[ColumnElement[Any], ColumnElement[str]]
# Among so many the first page is looked for, before everybody of that name is found and ordered.
LOOKED_AT = 1_500


@dataclass(frozen=True, slots=True)
class Turn:
    """Which page: from where on, how many lines, and in which direction."""

    after: Place | None
    most: int
    order: Order = NEWEST_FIRST


@dataclass(frozen=True, slots=True)
class Spot:
    """A line of the list. `drop_id` is None where all lines of the lead are meant."""

    place: Place
    lead_id: str
    drop_id: str | None


def list_spots(tx: Connection, wanted: Wanted, rules: Rules, turn: Turn) -> list[Spot]:
    """The next lines. Who is qualified is checked here only where a claim or a drop leads there."""
    near = _list_called(tx, wanted, turn) if wanted.search is not None and wanted.is_of_people else []
    return near or _read(tx, *_walk(wanted, rules, turn.order.by), turn)


def _read(tx: Connection, query: Select[Any], keys: Keys, turn: Turn) -> list[Spot]:
    is_rising = turn.order.is_rising
    if turn.after is not None:
        query = query.where(_is_behind(keys, turn.after, is_rising))
    order = keys if is_rising else tuple(key.desc() for key in keys)
    rows = tx.execute(query.order_by(*order).limit(turn.most))
    return [Spot((row.at, row.key), row.lead_id, row.drop_id) for row in rows]


def _is_behind(keys: Keys, place: Place, is_rising: bool) -> ColumnElement[bool]:
    here, there = tuple_(*keys), _place(place)
    return here > there if is_rising else here < there


def _list_called(tx: Connection, wanted: Wanted, turn: Turn) -> list[Spot]:
    """Whoever is called so among the next people in line; nobody when they do not fill the page.

    A name that many have fills it from a few thousand. To find and order all of them would take longer.
    """
    everybody, keys = _known(Wanted(wanted.brand_id), By.FIRST_SEEN)
    horizon = _read(tx, everybody.offset(LOOKED_AT), keys, replace(turn, most=1))
    if not horizon:
        return []
    is_near = not_(_is_behind(keys, horizon[0].place, turn.order.is_rising))
    found = _read(tx, everybody.where(is_near, *conditions_of_people(wanted)), keys, turn)
    return found if len(found) == turn.most else []


def count_spots(tx: Connection, wanted: Wanted, rules: Rules, most: int) -> int:
    """How many lines there are, but never more than `most`."""
    query, keys = _walk(wanted, rules, By.FIRST_SEEN)
    # In the order of the index: without one a planner reads everything before it counts the first.
    walked = query.order_by(*(key.desc() for key in keys)).limit(most).subquery()
    return int(tx.execute(select(func.count()).select_from(walked)).scalar_one())


def _place(place: Place) -> Tuple:
    kind = UtcDateTime if isinstance(place[0], datetime) else Text
    return tuple_(literal(place[0], kind), literal(place[1]))


def _walk(wanted: Wanted, rules: Rules, by: By) -> tuple[Select[Any], Keys]:
    if _is_of_claims(wanted, rules):
        return _claimed(wanted, rules)
    if wanted.drop_id is not None or wanted.outcome is not None:
        return _wrote(wanted, rules)
    return _known(wanted, by)


def _is_of_claims(wanted: Wanted, rules: Rules) -> bool:
    """Is a claim needed to be wanted? Who is qualified has one, unless some rule does not ask for it."""
    asks_for_one = all(rule.claimed_or_waits_or_paid for rule in (QualifyRule(), *rules.own.values()))
    return wanted.state is not None or (wanted.is_qualified is True and asks_for_one)


def _known(wanted: Wanted, by: By) -> tuple[Select[Any], Keys]:
    at: ColumnElement[Any] = leads.c[by]
    if wanted.search is not None:
        # By the index of words, or by reading once: walking through everybody in order takes longest.
        at = func.coalesce(at, at, type_=UtcDateTime)
    keys = (at, leads.c.id)
    query = select(
        keys[0].label("at"), keys[1].label("key"), leads.c.id.label("lead_id"), literal(None).label("drop_id")
    )
    return query.where(leads.c.brand_id == wanted.brand_id, *conditions_of_people(wanted)), keys


def _wrote(wanted: Wanted, rules: Rules) -> tuple[Select[Any], Keys]:
    keys = (inbox.c.received_at, inbox.c.event_key)
    stand = claims.alias("stand")
    query = select(keys[0].label("at"), keys[1].label("key"), inbox.c.lead_id, DROP_OF_INBOX.label("drop_id"))
    source: FromClause = inbox.join(leads, leads.c.id == inbox.c.lead_id)
    asked = [inbox.c.brand_id == wanted.brand_id, _is_last_word(), *conditions_of_people(wanted)]
    if wanted.drop_id is not None:
        asked.append(inbox.c.drop_id == wanted.drop_id)
    else:
        asked.append(or_(inbox.c.drop_id.is_not(None), _has_no_drop(inbox.c.lead_id)))
    if wanted.outcome is not None:
        asked += [inbox.c.outcome == wanted.outcome, IS_LINE]
    if wanted.is_qualified is not None:
        is_theirs = and_(
            stand.c.lead_id == inbox.c.lead_id, stand.c.drop_id == inbox.c.drop_id, _speaks(stand)
        )
        source = source.outerjoin(stand, is_theirs)
        asked.append(_is_qualified(wanted, Columns(leads, inbox.c.drop_id, stand), rules))
    return query.select_from(source).where(*asked), keys


def _claimed(wanted: Wanted, rules: Rules) -> tuple[Select[Any], Keys]:
    keys = (claims.c.created_at, claims.c.id)
    query = select(keys[0].label("at"), keys[1].label("key"), claims.c.lead_id, claims.c.drop_id)
    asked = [claims.c.brand_id == wanted.brand_id, _speaks(claims), *conditions_of_people(wanted)]
    if wanted.drop_id is not None:
        asked.append(claims.c.drop_id == wanted.drop_id)
    if wanted.state is not None:
        asked.append(claims.c.state == wanted.state)
    if wanted.outcome is not None:
        asked.append(_last_word_of_claim(wanted.outcome))
    if wanted.is_qualified is not None:
        asked.append(_is_qualified(wanted, Columns(leads, claims.c.drop_id, claims), rules))
    return query.select_from(claims.join(leads, leads.c.id == claims.c.lead_id)).where(*asked), keys


def _is_qualified(wanted: Wanted, columns: Columns, rules: Rules) -> ColumnElement[bool]:
    missing = missing_of(columns, rules)
    return missing == "" if wanted.is_qualified else missing != ""


def _is_last_word(of: Any = inbox) -> ColumnElement[bool]:
    """They said nothing about the drop (or about none) after this."""
    later = inbox.alias("later")
    is_same_drop = func.coalesce(later.c.drop_id, "") == func.coalesce(of.c.drop_id, "")
    is_later = tuple_(later.c.received_at, later.c.event_key) > tuple_(of.c.received_at, of.c.event_key)
    return ~select(later.c.event_key).where(later.c.lead_id == of.c.lead_id, is_same_drop, is_later).exists()


def _last_word_of_claim(outcome: str) -> ColumnElement[bool]:
    said = inbox.alias("said")
    is_theirs = and_(said.c.lead_id == claims.c.lead_id, said.c.drop_id == claims.c.drop_id)
    return select(said.c.event_key).where(is_theirs, said.c.outcome == outcome, _is_last_word(said)).exists()


def _has_no_drop(lead_id: ColumnElement[str | None]) -> ColumnElement[bool]:
    """Whoever has a line in a drop has none for what they said besides."""
    other, claim = inbox.alias("other"), claims.alias("claim")
    said = select(other.c.event_key).where(other.c.lead_id == lead_id, other.c.drop_id.is_not(None))
    claimed = select(claim.c.id).where(claim.c.lead_id == lead_id)
    return and_(~said.exists(), ~claimed.exists())


def _speaks(one: Any) -> ColumnElement[bool]:
    """No other claim of this lead in this drop speaks better for them."""
    better = claims.alias("better")
    ranks = rank_of(better.c.state), rank_of(one.c.state)
    is_later = tuple_(better.c.created_at, better.c.id) > tuple_(one.c.created_at, one.c.id)
    is_better = or_(ranks[0] < ranks[1], and_(ranks[0] == ranks[1], is_later))
    return (
        ~select(better.c.id)
        .where(
            better.c.lead_id == one.c.lead_id,
            better.c.drop_id == one.c.drop_id,
            better.c.id != one.c.id,
            is_better,
        )
        .exists()
    )
