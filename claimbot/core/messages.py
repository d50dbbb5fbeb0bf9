"""What comes in from a platform and what goes out to it, in our words."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What an inbound event is. Only the first group may lead to a claim."""

    TEXT = "text"  # a direct message
    STORY_REPLY = "story_reply"  # a direct message that answers a story
    QUICK_REPLY = "quick_reply"  # a tap; `payload` carries the choice
    POSTBACK = "postback"  # a button, menu or ice breaker; `payload` carries the choice
    REFERRAL = "referral"  # a link such as ig.me/m/brand?ref=launch; `ref` carries the word
    COMMENT = "comment"  # a public comment; may be answered once, in private
    LIVE_COMMENT = "live_comment"  # the same during a broadcast

    STORY_MENTION = "story_mention"  # a lead, never a claim
    ATTACHMENT = "attachment"  # picture, voice, like: answered with help
    UNSEND = "unsend"  # delete the text of message `about_id`
    ECHO = "echo"  # a message of the account itself, ours or a person's
    EDIT = "edit"  # never a new claim
    REACTION = "reaction"
    READ = "read"
    STANDBY = "standby"  # another app owns the thread
    HANDOVER = "handover"
    OTHER = "other"  # a kind we do not know; kept, never an error


class Outcome(StrEnum):
    """How an inbound event ended. Each ends in exactly one, stored and visible."""

    HELD = "held"
    ALREADY_HELD = "already_held"
    ALREADY_SOLD = "already_sold"
    WAITLISTED = "waitlisted"
    ALREADY_WAITLISTED = "already_waitlisted"
    SOLD_OUT = "sold_out"
    LIMIT_REACHED = "limit_reached"
    NOT_OPEN_YET = "not_open_yet"
    PAUSED = "paused"
    CLOSED = "closed"
    WHICH_VARIANT = "which_variant"
    UNKNOWN_VARIANT = "unknown_variant"
    GRANTED = "granted"
    PASSED = "passed"
    OPTED_OUT = "opted_out"
    OPTED_IN = "opted_in"
    HUMAN = "human"
    HELP = "help"
    UNMATCHED = "unmatched"
    LATE = "late"
    IGNORED = "ignored"  # with a reason: echo, self, standby, edit, reaction, read, group, test
    UNSENT = "unsent"
    QUARANTINED = "quarantined"  # with a reason


@dataclass(frozen=True, slots=True)
class Inbound:
    """One event of one webhook delivery."""

    channel: str
    account_external_id: str
    """The platform's id of the brand's account: what routes the event."""
    kind: Kind
    event_id: str
    """The platform's id of the message or comment; made from the event where it has none."""
    follower_external_id: str | None
    """The other person; None where the platform does not say."""
    sent_at: datetime | None
    """The platform's own time; None when missing or implausible."""
    text: str = ""
    payload: str = ""
    ref: str = ""
    source: str = "dm"
    """Where it came from: dm, story:<id>, comment:<media id>, live:<media id>, ad:<id>, ref:<ref>."""
    username: str | None = None
    comment_id: str | None = None
    about_id: str | None = None
    """The message that an unsend, an edit or a reaction speaks of."""
    ignored: str = ""
    """Not empty: never acted on, and why (echo, self, standby, edit, reaction, read, test …)."""
    raw: str = ""
    """The event's own JSON, kept for seven days."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A part of a verified delivery that could not be read."""

    reason: str
    raw: str
    account_external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Everything one verified webhook body said."""

    channel: str
    events: tuple[Inbound, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A button that opens a page."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A quick reply: the follower taps `title`, we get `payload` back."""

    title: str
    payload: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One message to one follower. With `comment_id` it is the comment's one private reply."""

    text: str
    link: Link | None = None
    choices: tuple[Choice, ...] = ()
    image_url: str = ""
    comment_id: str | None = None


@dataclass(frozen=True, slots=True)
class ReplyLimits:
    """What a channel accepts in one message."""

    text_bytes: int
    button_text_chars: int
    button_title_chars: int
    choice_title_chars: int
    choices_max: int


class Verdict(StrEnum):
    """How a call to the outside ended (design §8)."""

    DONE = "done"  # accepted; the id is known
    RETRY = "retry"  # surely not accepted: try again later
    UNKNOWN = "unknown"  # it may have been accepted
    PARKED = "parked"  # the account cannot send until a person mends it
    DEAD = "dead"  # this message can never be sent


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of one send. `reason` is a constant word, never the platform's text."""

    verdict: Verdict
    result_id: str = ""
    reason: str = ""
    retry_after_seconds: float | None = None
    recipient_external_id: str = ""
    """Who got it, as the platform says (joins a commenter to their DM identity)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a platform tells about a follower who wrote to us."""

    name: str = ""
    username: str = ""
    follows_account: bool | None = None


@dataclass(frozen=True, slots=True)
class SendingAccount:
    """A connected account with what is needed to act in its name."""

    account_id: str
    channel: str
    variant: str
    """instagram_login or page."""
    external_id: str
    page_id: str
    token: str
    username: str = ""
    """As the platform shows it, without @."""

    def __repr__(self) -> str:
        return f"SendingAccount({self.account_id})"
