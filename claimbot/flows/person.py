"""Who is this person to the brand, and what happened with them, in order? Pause the machine for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from claimbot.core.errors import Refused
from claimbot.core.followers import FOREVER_YEAR, WINDOW_MARGIN
from claimbot.db import audit, leads, people
from claimbot.db.engine import Tx
from claimbot.parts import Parts

# The platform tells us of our own messages, too; they are in the story already.
OWN_ECHO = "echo"
FOREVER = datetime(FOREVER_YEAR, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a claim's life: claimed, promoted, told, paid or ended."""

    event: str
    claim: people.Claimed


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened, as the ledger keeps it."""

    at: datetime
    kind: str
    """said, told, claim or money."""
    fact: people.Word | people.Reply | people.Payment | Step


@dataclass(frozen=True, slots=True)
class Story:
    """A person with everything that happened, the latest first."""

    person: people.Person
    claims: tuple[people.Claimed, ...]
    moments: tuple[Moment, ...]
    now: datetime

    @property
    def may_write(self) -> bool:
        """Does the platform's window stand open, and do they want to hear from us?"""
        until = self.person.window_expires_at
        is_open = until is not None and self.now < until - WINDOW_MARGIN
        return is_open and self.person.opted_out_at is None and self.person.erased_at is None

    @property
    def is_paused(self) -> bool:
        until = self.person.human_until
        return until is not None and until > self.now


def find_story(parts: Parts, brand_id: str, lead_id: str) -> Story | None:
    """None when this brand has no such person."""
    now = parts.clock()
    with parts.ledger.reading() as tx:
        person = people.find_person(tx, lead_id)
        if person is None or person.brand_id != brand_id:
            return None
        claims = tuple(people.list_claims(tx, lead_id))
        moments = [*_said(tx, lead_id), *_told(tx, lead_id), *_money(tx, lead_id)]
    for claim in claims:
        moments += _of_claim(claim)
    # What came in stands below what it led to when both have the same time.
    ranks = {"said": 0, "claim": 1, "told": 2, "money": 3}
    ordered = sorted(moments, key=lambda one: (one.at, ranks[one.kind]), reverse=True)
    return Story(person, claims, tuple(ordered), now)


def _said(tx: Tx, lead_id: str) -> Iterator[Moment]:
    for one in people.list_words(tx, lead_id):
        if one.reason != OWN_ECHO:
            yield Moment(one.at, "said", one)


def _told(tx: Tx, lead_id: str) -> Iterator[Moment]:
    for one in people.list_replies(tx, lead_id):
        yield Moment(one.done_at or one.at, "told", one)


def _money(tx: Tx, lead_id: str) -> Iterator[Moment]:
    for one in people.list_payments(tx, lead_id):
        yield Moment(one.at, "money", one)


def _of_claim(claim: people.Claimed) -> Iterator[Moment]:
    steps = {
        "claimed": claim.created_at,
        "promoted": claim.promoted_at,
        "told": claim.told_at,
        "paid": claim.paid_at,
        "ended": claim.ended_at,
    }
    for event, at in steps.items():
        if at is not None:
            yield Moment(at, "claim", Step(event, claim))


def pause_lead(parts: Parts, actor: str, lead_id: str) -> None:
    """A person answers: the machine is silent for this lead until it is resumed. Raises Refused."""
    now = parts.clock()

    def story(tx: Tx) -> None:
        lead = leads.find_lead(tx, lead_id)
        if lead is None or leads.is_erased(tx, lead_id):
            raise Refused("There is no such lead any more")
        leads.mark_lead(tx, lead.id, {"human_until": FOREVER})
        audit.insert_line(tx, actor, "lead_paused", lead.id, now=now, brand_id=lead.brand_id)

    parts.ledger.run(story)
