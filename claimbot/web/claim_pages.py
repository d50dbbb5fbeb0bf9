"""What does a claim's page say in each of its states?"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote

from claimbot.core.claims import State
from claimbot.core.drops import DropKind
from claimbot.core.money import Money, plain
from claimbot.flows.checkout import item_name, local_time
from claimbot.flows.look import Standing

# What Instagram's link to a chat can carry.
REF = re.compile(r"[A-Za-z0-9_=-]{1,100}")
# From here a follower may begin anew.
OVER = (State.EXPIRING, State.EXPIRED, State.PASSED, State.UNREACHABLE, State.CANCELLED, State.CLOSED)


@dataclass(frozen=True, slots=True)
class Words:
    """A heading and what follows it, one paragraph each."""

    title: str
    lines: tuple[str, ...]


def words_of(standing: Standing) -> Words:
    return PAGES[standing.claim.state](standing)


def facts_of(standing: Standing) -> tuple[tuple[str, str], ...]:
    """What it is about, as name and value."""
    claim = standing.claim
    facts = [("Drop", item_name(standing.drop, claim)), ("Quantity", str(claim.quantity))]
    if standing.drop.kind is not DropKind.LIST:
        total = claim.unit_price.times(claim.quantity)
        facts.append(("Total", plain(total) if total.minor else "Free"))
    currency = claim.unit_price.currency
    if claim.paid_minor:
        facts.append(("Paid", plain(Money(claim.paid_minor, currency))))
    if claim.refunded_minor:
        facts.append(("Sent back", plain(Money(claim.refunded_minor, currency))))
    return tuple(facts)


def deadline_of(standing: Standing) -> str:
    """Until when it is held, in the brand's zone; empty while the clock has not started."""
    ends_at = standing.claim.hold_expires_at
    return local_time(ends_at, standing.brand) if ends_at else ""


def rejoin_of(standing: Standing) -> str:
    """Where a tap joins the line again: a chat that is opened with the word. Empty where only writing does.

    A message of theirs is what allows the brand to answer; a form on this page would not.
    """
    can_carry = REF.fullmatch(standing.word) is not None and standing.channel == "instagram"
    is_over = standing.claim.state in OVER or standing.is_over
    if not can_carry or not standing.username or not is_over:
        return ""
    return f"{standing.chat_url}/{quote(standing.username)}?ref={standing.word}"


def _how_again(standing: Standing) -> str:
    """How to join again; the brand's account and word are told where they are known."""
    if not standing.word:
        return f"This drop takes nobody new at the moment. {standing.brand.name} will tell what comes next."
    to = f" to @{standing.username}" if standing.username else ""
    return f"Still want it? Write {standing.word}{to} to join again."


def _waiting(standing: Standing) -> Words:
    place = standing.ahead + 1
    return Words(
        "You are in line",
        (
            f"You are number {place} in line.",
            "When a unit comes free and it is your turn, you get a message with your link.",
        ),
    )


def _held(standing: Standing) -> Words:
    if standing.is_over:
        return Words("The time ran out", ("Your hold is being ended.", _how_again(standing)))
    return Words("It is held for you", ("Pay before the time is up and it is yours.",))


def _expiring(standing: Standing) -> Words:
    return Words("This hold is ending", ("The unit is being handed on.", _how_again(standing)))


def _pending(_standing: Standing) -> Words:
    return Words(
        "Your payment is on its way",
        ("Your bank has not confirmed it yet. The unit stays yours until then, and you get a message.",),
    )


def _sold(standing: Standing) -> Words:
    is_paid = standing.claim.paid_minor > 0
    thanks = "Your payment arrived." if is_paid else "There is nothing to pay."
    return Words("Thank you, it is yours", (thanks, f"{standing.brand.name} takes it from here."))


def _granted(standing: Standing) -> Words:
    return Words("You are on the list", (f"{standing.brand.name} writes to you before everybody else.",))


def _ended(title: str, sentence: str) -> Callable[[Standing], Words]:
    return lambda standing: Words(title, (sentence, _how_again(standing)))


def _said(title: str, sentence: str) -> Callable[[Standing], Words]:
    return lambda _standing: Words(title, (sentence,))


PAGES: Mapping[State, Callable[[Standing], Words]] = MappingProxyType(
    {
        State.WAITLISTED: _waiting,
        State.HELD: _held,
        State.EXPIRING: _expiring,
        State.PENDING: _pending,
        State.SOLD: _sold,
        State.GRANTED: _granted,
        State.EXPIRED: _ended(
            "The time ran out", "This hold has ended and its unit went on. You were not charged."
        ),
        State.PASSED: _ended("You passed", "You gave this one up, and it went on."),
        State.UNREACHABLE: _ended(
            "We could not reach you", "Our message did not arrive, so the unit went on."
        ),
        State.CANCELLED: _ended("This claim was cancelled", "The brand took it back. You were not charged."),
        State.CLOSED: _ended("This drop is over", "It closed while you were in line. You were not charged."),
        State.ERASED: _said("Nothing here", "What was here has been deleted."),
        State.REFUNDING: _said(
            "Your money is on its way back",
            "Your payment came after the last unit was gone. All of it is being refunded.",
        ),
        State.REFUNDED: _said(
            "Your money was sent back", "Banks take 5 to 10 days to show it on your statement."
        ),
        State.DISPUTED: _said(
            "This payment is disputed", "Your bank asked for the money back and is looking into it."
        ),
    }
)
