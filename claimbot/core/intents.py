"""What does this message want? Facts in, one intent out; nothing is looked up and nothing is changed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from claimbot.core.brands import BrandBook
from claimbot.core.commands import Command
from claimbot.core.drops import Drop, Phase, phase
from claimbot.core.messages import Inbound, Kind, Outcome
from claimbot.core.wishes import WHICH_VARIANT, Choice, read_choice, read_command, read_wish

# An old message claims nothing: the line has moved on, and the platform's window is closed.
LATE_AFTER = timedelta(hours=24)

COMMENTS = (Kind.COMMENT, Kind.LIVE_COMMENT)
# Kinds that a follower makes without writing to us: no answer is expected.
QUIET = (Kind.STORY_MENTION, Kind.REFERRAL)


class IntentKind(StrEnum):
    NOTE = "note"  # nothing to do; `outcome` and `reason` say why
    ECHO = "echo"  # the account itself wrote
    UNSEND = "unsend"  # delete what the message said
    COMMAND = "command"  # STOP and the like
    CLAIM = "claim"  # wants `quantity` of `variant_id`
    ANSWER = "answer"  # a keyword, but no claim now; `outcome` says why
    UNMATCHED = "unmatched"  # no keyword: one short help, then silence


@dataclass(frozen=True, slots=True)
class Intent:
    kind: IntentKind
    outcome: Outcome | None = None
    reason: str = ""
    command: Command | None = None
    drop: Drop | None = None
    variant_id: str = ""
    quantity: int = 1
    keyword: str = ""


def read_intent(event: Inbound, book: BrandBook, now: datetime) -> Intent:
    if event.kind is Kind.ECHO and event.ignored == "echo":
        return Intent(IntentKind.ECHO, Outcome.IGNORED, "echo")
    if event.kind is Kind.UNSEND:
        return Intent(IntentKind.UNSEND, Outcome.UNSENT)
    if event.ignored:
        return Intent(IntentKind.NOTE, Outcome.IGNORED, event.ignored)
    if event.follower_external_id is None:
        return Intent(IntentKind.NOTE, Outcome.IGNORED, "no_sender")
    if event.sent_at is not None and now - event.sent_at > LATE_AFTER:
        return Intent(IntentKind.NOTE, Outcome.LATE, "older_than_24_hours")
    return _read_tap(event, book, now) or _read_text(event, book, now)


def _read_tap(event: Inbound, book: BrandBook, now: datetime) -> Intent | None:
    """A quick reply or button of ours carries the choice."""
    command = read_command(event.payload)
    if command is not None:
        return Intent(IntentKind.COMMAND, command=command)
    choice = read_choice(event.payload)
    drop = book.drops.get(choice.drop_id) if choice else None
    if choice is None or drop is None:
        return None
    closed = _answer_by_phase(drop, now)
    return closed or _chosen(drop, choice)


def _chosen(drop: Drop, choice: Choice) -> Intent:
    for variant in drop.variants:
        if variant.code == choice.variant_code:
            return Intent(IntentKind.CLAIM, drop=drop, variant_id=variant.id, quantity=choice.quantity)
    return Intent(IntentKind.ANSWER, Outcome.UNKNOWN_VARIANT, drop=drop)


def _read_text(event: Inbound, book: BrandBook, now: datetime) -> Intent:
    is_comment = event.kind in COMMENTS
    words = event.text or event.payload or event.ref
    command = None if is_comment else book.commands.read(words)
    if command is not None:
        return Intent(IntentKind.COMMAND, command=command)
    match = book.vocabulary.match(words) if words and event.kind is not Kind.STORY_MENTION else None
    drop = book.drops.get(match.drop_id) if match else None
    if match is None or drop is None:
        is_quiet = is_comment or event.kind in QUIET
        reason = event.kind.value if is_quiet else ""
        return Intent(IntentKind.NOTE if is_quiet else IntentKind.UNMATCHED, Outcome.UNMATCHED, reason)
    return _read_match(drop, match.keyword, match.rest, now)


def _read_match(drop: Drop, keyword: str, rest: tuple[str, ...], now: datetime) -> Intent:
    not_now = _answer_by_phase(drop, now, keyword)
    if not_now is not None:
        return not_now
    wish = read_wish(rest, drop)
    if wish.variant_id is None:
        is_open_question = wish.problem == WHICH_VARIANT
        outcome = Outcome.WHICH_VARIANT if is_open_question else Outcome.UNKNOWN_VARIANT
        return Intent(IntentKind.ANSWER, outcome, drop=drop, quantity=wish.quantity, keyword=keyword)
    return Intent(
        IntentKind.CLAIM, drop=drop, variant_id=wish.variant_id, quantity=wish.quantity, keyword=keyword
    )


def _answer_by_phase(drop: Drop, now: datetime, keyword: str = "") -> Intent | None:
    outcomes = {
        Phase.NOT_OPEN_YET: Outcome.NOT_OPEN_YET,
        Phase.PAUSED: Outcome.PAUSED,
        Phase.CLOSED: Outcome.CLOSED,
    }
    outcome = outcomes.get(phase(drop, now))
    return Intent(IntentKind.ANSWER, outcome, drop=drop, keyword=keyword) if outcome else None
