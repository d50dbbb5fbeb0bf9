"""What happened with a person, line by line, in words that a brand understands?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from claimbot.core.claims import State
from claimbot.core.messages import Kind, Outcome
from claimbot.core.money import Money, plain
from claimbot.core.outbox import RowState, Work
from claimbot.db.people import Claimed, Payment, Reply, Word
from claimbot.flows.person import Moment, Step
from claimbot.web.admin.occasions import OCCASIONS, OF_THE_BRAND
from claimbot.web.admin.reasons import reason_words
from claimbot.web.admin.wording import OUTCOMES, STATES, Badge, badge_of


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened. `why` is half a sentence; `text` is what somebody wrote."""

    at: datetime
    kind: str
    title: str
    text: str = ""
    badge: Badge | None = None
    why: str = ""


def line_of(moment: Moment) -> Line:
    title, text, badge, why = TELLERS[type(moment.fact)](moment.fact)
    return Line(moment.at, moment.kind, title, text, badge, why)


Told = tuple[str, str, Badge | None, str]

KINDS: Mapping[str, str] = MappingProxyType(
    {
        Kind.TEXT: "Wrote",
        Kind.STORY_REPLY: "Answered your story",
        Kind.QUICK_REPLY: "Tapped a choice",
        Kind.POSTBACK: "Tapped a button",
        Kind.REFERRAL: "Came by a link",
        Kind.COMMENT: "Commented",
        Kind.LIVE_COMMENT: "Commented on your broadcast",
        Kind.STORY_MENTION: "Mentioned you in a story",
        Kind.ATTACHMENT: "Sent a picture, a voice message or the like",
        Kind.UNSEND: "Took a message back",
        Kind.ECHO: "Your team wrote in the app",
        Kind.EDIT: "Changed a message",
        Kind.REACTION: "Reacted to a message",
        Kind.READ: "Saw our message",
        Kind.STANDBY: "Wrote to another app",
        Kind.HANDOVER: "The conversation changed hands",
        Kind.OTHER: "Sent something that we do not know",
    }
)
# Their titles say it all.
WITHOUT_BADGE = (Outcome.IGNORED, Outcome.UNSENT)
# The title says what happened, and nothing was decided.
WITHOUT_WHY = (Kind.READ, Kind.UNSEND)


def _said(one: Word) -> Told:
    about = f" · {one.drop}" if one.drop else ""
    badge = None if one.outcome in WITHOUT_BADGE or not one.outcome else badge_of(OUTCOMES, one.outcome)
    why = reason_words(one.reason) if one.reason and one.kind not in WITHOUT_WHY else ""
    return f"{KINDS.get(one.kind, KINDS[Kind.OTHER])}{about}", one.text, badge, why


SENDING: Mapping[str, str] = MappingProxyType(
    {
        RowState.DONE: "We answered",
        RowState.DEAD: "Not sent",
        RowState.PARKED: "Waits until the account can send again",
        RowState.RUNNING: "On its way",
        RowState.READY: "Waits to be sent",
    }
)
WRITTEN: Mapping[str, str] = MappingProxyType(
    {key.value: words for key, words in (*OF_THE_BRAND.items(), *OCCASIONS.items())}
)
# Not what an answer is about, but the best that a word we do not know can be called.
SOME_MESSAGE = "A message"


def _told(one: Reply) -> Told:
    occasion = WRITTEN.get(one.occasion, SOME_MESSAGE)
    if one.kind == Work.PERSONAL:
        occasion = "Words of your team"
    is_sent = one.state == RowState.DONE
    why = "" if is_sent or not one.reason else reason_words(one.reason)
    return f"{SENDING[one.state]} · {occasion}", one.text, None, why


# What Stripe tells, by the beginning of its own name for it.
NEWS: Mapping[str, str] = MappingProxyType(
    {
        "checkout.session.completed": "The payment page was finished",
        "checkout.session.async_payment_succeeded": "The delayed payment arrived",
        "checkout.session.async_payment_failed": "The delayed payment failed",
        "checkout.session.expired": "The payment page closed",
        "charge.refunded": "Money went back",
        "charge.refund": "News of a refund",
        "refund": "News of a refund",
        "charge.dispute.closed": "The dispute with their bank ended",
        "charge.dispute": "Their bank asks for the money",
    }
)
APPLIED: Mapping[str, str] = MappingProxyType(
    {
        "sold": "the unit is theirs",
        "sold_late": "it came late, and a unit was still free: it is theirs",
        "refunding": "it came too late and no unit was free: all of it goes back",
        "pending": "the money is on its way, and the unit stays theirs meanwhile",
        "payment_failed": "the unit goes to the next in line",
        "expired": "the hold ended, and the unit goes to the next in line",
        "refunded": "all the money is back with them",
        "second_payment_refunded": "they had paid already: this money goes back",
        "disputed": "the bank took the money back",
        "dispute_won": "the money stays with you",
    }
)
UNCHANGED: Mapping[str, str] = MappingProxyType(
    {
        "open": "nothing was paid yet",
        "older_session": "it was an older page of theirs; nothing changed",
        "came_early": "it came before the payment, and is kept for it",
        "won_already": "the dispute was won before; nothing changed",
        "not_ours": "it is about no claim of ours",
    }
)


def _paid(one: Payment) -> Told:
    title = next((words for start, words in NEWS.items() if one.type.startswith(start)), "News of a payment")
    return f"Stripe · {title}", "", None, _meaning(one)


def _meaning(one: Payment) -> str:
    if one.outcome == "review":
        return f"somebody must look at it in Stripe: {reason_words(one.reason)}"
    if one.outcome == "applied":
        is_refund = "refund" in one.type
        part = "a part of the money; the claim stays as it is"
        return part if is_refund and one.reason != State.REFUNDED else APPLIED.get(one.reason, "")
    if one.reason in STATES:
        return f"nothing changed, for the claim was “{STATES[one.reason].words}” already"
    return UNCHANGED.get(one.reason) or reason_words(one.reason)


def _stepped(step: Step) -> Told:
    return STEPS[step.event](step.claim)


def _what(claim: Claimed) -> str:
    return f"{claim.quantity} × {claim.drop}" + (f" ({claim.variant})" if claim.variant else "")


def _claimed(claim: Claimed) -> Told:
    return f"Claim · {_what(claim)}", "", None, f"number {claim.place}" if claim.place else ""


def _promoted(claim: Claimed) -> Told:
    return f"A unit came back · {_what(claim)}", "", None, "from the line to a hold"


def _clock_began(claim: Claimed) -> Told:
    return f"Their time to pay began · {_what(claim)}", "", None, "they were told just then"


def _bought(claim: Claimed) -> Told:
    paid = plain(Money(claim.paid_minor, claim.currency))
    if not claim.refunded_minor:
        return f"Paid · {_what(claim)}", "", None, paid
    refunded = plain(Money(claim.refunded_minor, claim.currency))
    return f"Paid · {_what(claim)}", "", None, f"{paid}, of which {refunded} went back"


def _ended(claim: Claimed) -> Told:
    badge = badge_of(STATES, claim.state)
    why = reason_words(claim.ended_reason) if claim.ended_reason and claim.state != State.REFUNDED else ""
    said = f"{why}: {claim.cancel_note}" if claim.cancel_note else why
    return f"Claim ended · {_what(claim)}", "", badge, "" if said == badge.words else said


STEPS: Mapping[str, Callable[[Claimed], Told]] = MappingProxyType(
    {
        "claimed": _claimed,
        "promoted": _promoted,
        "told": _clock_began,
        "paid": _bought,
        "ended": _ended,
    }
)
TELLERS: Mapping[type, Callable[[Any], Told]] = MappingProxyType(
    {Word: _said, Reply: _told, Payment: _paid, Step: _stepped}
)
