"""How does an admin page call what the ledger keeps? Our words for a person, and the colour of each."""

from collections.abc import Mapping
from dataclasses import dataclass

from claimbot.core.claims import State
from claimbot.core.drops import Phase
from claimbot.core.messages import Outcome
from claimbot.core.outbox import Work


@dataclass(frozen=True, slots=True)
class Badge:
    """`tone` is good, wait, bad or calm; the words alone say the same."""

    words: str
    tone: str = "calm"


PHASES: Mapping[str, Badge] = {
    Phase.NOT_OPEN_YET: Badge("not open yet"),
    Phase.OPEN: Badge("open", "good"),
    Phase.PAUSED: Badge("paused", "wait"),
    Phase.CLOSED: Badge("closed"),
}

STATES: Mapping[str, Badge] = {
    State.WAITLISTED: Badge("waits in line", "wait"),
    State.HELD: Badge("held", "good"),
    State.EXPIRING: Badge("hold is ending", "wait"),
    State.PENDING: Badge("payment on its way", "wait"),
    State.SOLD: Badge("sold", "good"),
    State.EXPIRED: Badge("time ran out"),
    State.PASSED: Badge("passed on"),
    State.UNREACHABLE: Badge("could not be told", "bad"),
    State.CANCELLED: Badge("taken back"),
    State.CLOSED: Badge("drop closed"),
    State.ERASED: Badge("erased"),
    State.REFUNDING: Badge("money goes back", "wait"),
    State.REFUNDED: Badge("refunded"),
    State.DISPUTED: Badge("disputed", "bad"),
    State.GRANTED: Badge("on the list", "good"),
}

OUTCOMES: Mapping[str, Badge] = {
    Outcome.HELD: Badge("got a unit", "good"),
    Outcome.ALREADY_HELD: Badge("had it already", "good"),
    Outcome.ALREADY_SOLD: Badge("bought it already", "good"),
    Outcome.WAITLISTED: Badge("joined the line", "wait"),
    Outcome.ALREADY_WAITLISTED: Badge("in line already", "wait"),
    Outcome.SOLD_OUT: Badge("sold out", "bad"),
    Outcome.LIMIT_REACHED: Badge("had the limit", "bad"),
    Outcome.NOT_OPEN_YET: Badge("too early"),
    Outcome.PAUSED: Badge("drop was paused"),
    Outcome.CLOSED: Badge("too late"),
    Outcome.WHICH_VARIANT: Badge("asked which variant", "wait"),
    Outcome.UNKNOWN_VARIANT: Badge("no such variant", "wait"),
    Outcome.GRANTED: Badge("on the list", "good"),
    Outcome.PASSED: Badge("passed on"),
    Outcome.OPTED_OUT: Badge("wrote STOP"),
    Outcome.OPTED_IN: Badge("wrote START"),
    Outcome.HUMAN: Badge("waits for a person", "wait"),
    Outcome.HELP: Badge("asked for help"),
    Outcome.UNMATCHED: Badge("no keyword"),
    Outcome.LATE: Badge("older than a day"),
    Outcome.IGNORED: Badge("not for us"),
    Outcome.UNSENT: Badge("taken back"),
    Outcome.QUARANTINED: Badge("could not be read", "bad"),
}


def badge_of(table: Mapping[str, Badge], word: str | None) -> Badge:
    """A word that we do not know yet is shown as it is."""
    return table.get(word or "") or Badge((word or "–").replace("_", " "))


def fact_words(fact: str) -> str:
    """What a line of the audit calls a fact: `amount_minor` → `amount minor`, unless that would puzzle."""
    return FACTS.get(fact) or fact.replace("_", " ")


FACTS: Mapping[str, str] = {
    "missing": "the platform did not send us until then",
    "was": "before that",
    "amount_minor": "amount in the smallest unit",
}


def action_words(action: str) -> str:
    """What the audit keeps in one word: `brand_changed` → `Brand changed`."""
    return ACTIONS.get(action) or action.replace("_", " ").capitalize()


ACTIONS: Mapping[str, str] = {
    "stripe_keys_set": "Stripe keys set",
    "password_given_again": "Password given again",
    "bot_paused": "Machine silenced for a person",
    "lead_paused": "Machine silenced for a person",
    "lead_resumed": "Machine answers a person again",
    "lead_erased": "Person erased",
    "lead_written_to": "Message written to a person",
    "lead_described": "Tags and note of a person changed",
    "rule_changed": "Rule for qualified leads changed",
    "leads_exported": "Leads taken as a file",
    "joined": "Joined by a link",
    "invited": "Invitation made",
}


# Where somebody came from, by the word before the colon; behind it stands an id of the platform.
SOURCES: Mapping[str, str] = {
    "dm": "a message",
    "story": "a story",
    "comment": "a comment",
    "live": "a broadcast",
    "ad": "an ad",
}


def source_words(source: str) -> str:
    """`ref:summer` → the link summer."""
    kind, _, name = source.partition(":")
    return f"the link {name}" if kind == "ref" else SOURCES.get(kind, source)


def work_words(kind: str) -> str:
    return WORK.get(kind) or kind


WORK: Mapping[str, str] = {
    Work.OFFER: "offer of a unit",
    Work.REPLY: "message",
    Work.PERSONAL: "message of a person",
    Work.EXPIRE: "end of a checkout",
    Work.REFUND: "refund",
    Work.PROFILE: "look-up of a name",
}
