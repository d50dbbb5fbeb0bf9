"""What do we say to a message that claims nothing? Commands, refusals, one short help, and our own echoes."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from claimbot.core.claims import Claim, Event, State
from claimbot.core.commands import Command
from claimbot.core.drops import Drop, Phase, phase
from claimbot.core.followers import FOREVER_YEAR, Lead
from claimbot.core.intents import IntentKind
from claimbot.core.messages import Kind, Outcome
from claimbot.core.outbox import Priority
from claimbot.core.texts import TextKey
from claimbot.core.wishes import make_choice
from claimbot.db import claims, outbox
from claimbot.flows.confirm import confirm_echo
from claimbot.flows.release import end_claim
from claimbot.flows.round import Arrived, Round

# After one short help we are silent for a day: nobody likes to be answered by a machine twice.
HELP_AGAIN = timedelta(hours=24)

# "Until resumed": a person answers, and the bot waits for an operator or for START.
FOREVER = datetime(FOREVER_YEAR, 1, 1, tzinfo=UTC)

# Quick replies show at most this many choices on every channel.
CHOICES_MAX = 13

PHASE_TEXTS: Mapping[Outcome, TextKey] = MappingProxyType(
    {
        Outcome.NOT_OPEN_YET: TextKey.NOT_OPEN_YET,
        Outcome.PAUSED: TextKey.PAUSED,
        Outcome.CLOSED: TextKey.CLOSED,
        Outcome.WHICH_VARIANT: TextKey.WHICH_VARIANT,
        Outcome.UNKNOWN_VARIANT: TextKey.UNKNOWN_VARIANT,
    }
)


def answer(this: Round, one: Arrived) -> None:
    """End an event that is no claim. Every branch ends it exactly once."""
    intent, lead = one.intent, this.lead_of(one)
    if intent.kind is IntentKind.ECHO:
        _echo(this, one, lead)
    elif intent.kind is IntentKind.UNSEND:
        this.unsent.append((one.account.id, one.event.about_id or ""))
        this.end(one, Outcome.UNSENT)
    elif lead is None or intent.kind is IntentKind.NOTE:
        this.end(one, intent.outcome or Outcome.IGNORED, intent.reason)
    elif intent.kind is IntentKind.COMMAND and intent.command is not None:
        COMMANDS[intent.command](this, one, lead)
    elif lead.opted_out_at is not None:
        this.end(one, Outcome.OPTED_OUT, "wrote_stop_before")
    elif intent.kind is IntentKind.ANSWER:
        _refuse(this, one)
    else:
        _help_once(this, one, lead)


def _echo(this: Round, one: Arrived, lead: Lead | None) -> None:
    """Our own message came back, or a person of the brand wrote from the app."""
    if lead is None or confirm_echo(this.tx, this.now, one.event, lead):
        this.end(one, Outcome.IGNORED, "echo")
        return
    this.change_lead(lead, human_until=FOREVER)
    this.end(one, Outcome.IGNORED, "echo_of_a_person")


def _refuse(this: Round, one: Arrived) -> None:
    outcome = one.intent.outcome
    assert outcome is not None  # an answer always has one
    this.end(one, outcome)
    asks = outcome in (Outcome.WHICH_VARIANT, Outcome.UNKNOWN_VARIANT)
    extra = _choices(one.drop, one.intent.quantity) if asks else {}
    this.say(one, PHASE_TEXTS[outcome], Priority.WINNER if asks else Priority.REFUSAL, **extra)


def _choices(drop: Drop, quantity: int) -> dict[str, Any]:
    taps = [
        (variant.name or variant.code, make_choice(drop.id, variant.code, quantity))
        for variant in drop.variants[:CHOICES_MAX]
    ]
    names = ", ".join(variant.name or variant.code for variant in drop.variants)
    return {"choices": taps, "values": {"choices": names}}


def _help_once(this: Round, one: Arrived, lead: Lead) -> None:
    if lead.is_paused(this.now):
        this.end(one, Outcome.HUMAN, "a_person_answers")
    elif lead.helped_at is not None and this.now - lead.helped_at < HELP_AGAIN:
        this.end(one, Outcome.UNMATCHED, "helped_within_24_hours")
    else:
        this.change_lead(lead, helped_at=this.now)
        kind = "" if one.event.kind in (Kind.TEXT, Kind.STORY_REPLY) else one.event.kind.value
        this.end(one, Outcome.UNMATCHED, kind)
        this.say(one, TextKey.HELP, Priority.HELP, **_open_words(this, one))


def _open_words(this: Round, one: Arrived) -> dict[str, Any]:
    open_drops = [drop for drop in one.book.drops.values() if phase(drop, this.now) is Phase.OPEN]
    words = [word for drop in open_drops for word in one.book.words.get(drop.id, ())[:1]]
    return {"values": {"words": " or ".join(words[:5])}} if words else {}


def _stop(this: Round, one: Arrived, lead: Lead) -> None:
    """No more messages, and no place or hold that nobody could tell them about; a hold they know stays."""
    this.end(one, Outcome.OPTED_OUT)
    if lead.opted_out_at is not None:
        return
    outbox.drop_waiting(this.tx, lead.id, "opted_out", this.now)
    for live in claims.list_live_of_lead(this.tx, lead.id):
        if live.state is State.WAITLISTED or _is_untold(live):
            end_claim(this.tx, this.now, live, Event.PASS, this.hints)
    this.change_lead(lead, opted_out_at=this.now)
    this.say(one, TextKey.OPTED_OUT, Priority.PAYMENT, despite_stop=True)


def _is_untold(live: Claim) -> bool:
    """`told_at` alone may speak of their place in line; the clock starts with the offer."""
    return live.state is State.HELD and live.hold_expires_at is None


def _start(this: Round, one: Arrived, lead: Lead) -> None:
    this.change_lead(lead, opted_out_at=None, human_until=None)
    this.end(one, Outcome.OPTED_IN)
    this.say(one, TextKey.OPTED_IN, Priority.PAYMENT, **_open_words(this, one))


def _pass(this: Round, one: Arrived, lead: Lead) -> None:
    given_up = [live for live in claims.list_live_of_lead(this.tx, lead.id) if _may_pass(live)]
    for live in given_up:
        end_claim(this.tx, this.now, live, Event.PASS, this.hints)
    last = given_up[-1] if given_up else None
    this.end(one, Outcome.PASSED, "" if last else "nothing_to_pass", last.id if last else None)
    text = TextKey.PASSED if last else TextKey.NOTHING_TO_PASS
    about = {"drop_id": last.drop_id, "claim_id": last.id} if last else {}
    this.say(one, text, Priority.WAITLIST, **about)


def _may_pass(live: Claim) -> bool:
    return live.state in (State.WAITLISTED, State.HELD, State.GRANTED)


def _human(this: Round, one: Arrived, lead: Lead) -> None:
    was_paused = lead.is_paused(this.now)
    this.change_lead(lead, human_until=FOREVER)
    this.end(one, Outcome.HUMAN)
    if not was_paused:
        this.say(one, TextKey.HUMAN, Priority.REFUSAL)


def _help(this: Round, one: Arrived, lead: Lead) -> None:
    this.change_lead(lead, helped_at=this.now)
    this.end(one, Outcome.HELP)
    this.say(one, TextKey.HELP, Priority.HELP, **_open_words(this, one))


COMMANDS: Mapping[Command, Callable[[Round, Arrived, Lead], None]] = MappingProxyType(
    {
        Command.STOP: _stop,
        Command.START: _start,
        Command.PASS: _pass,
        Command.HUMAN: _human,
        Command.HELP: _help,
    }
)
