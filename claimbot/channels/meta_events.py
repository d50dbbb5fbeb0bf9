"""What does one event of a Meta thread mean in our words?

https://developers.facebook.com/docs/messenger-platform/instagram/features/webhook
https://developers.facebook.com/docs/instagram-platform/webhooks
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from claimbot.channels.body import dump_json
from claimbot.channels.meta_parse import TEST_ACCOUNT, Broken, Piece, id_of, part, pieces, text_of
from claimbot.core.messages import Delivery, Inbound, Kind, Quarantined

Reader = Callable[[Piece, Inbound], Inbound]

# What a copy of another app's thread may still tell us: texts to delete, and who else answered.
TOLD_BY_STANDBY = frozenset({Kind.UNSEND, Kind.ECHO, Kind.EDIT, Kind.REACTION, Kind.READ})


@dataclass(frozen=True, slots=True)
class Dialect:
    """The channel that reads, the webhook objects it owns, and its own readers for fields of changes."""

    channel: str
    objects: tuple[str, ...]
    change_readers: Mapping[str, Reader]


def read_delivery(document: object, dialect: Dialect, received_at: datetime) -> Delivery:
    """Everything the document says, in the platform's own order of time."""
    found = [
        piece if isinstance(piece, Quarantined) else _read_piece(piece, dialect)
        for piece in pieces(document, dialect.objects, received_at)
    ]
    events = [event for event in found if isinstance(event, Inbound)]
    events.sort(key=lambda event: event.sent_at or received_at)
    quarantined = tuple(aside for aside in found if isinstance(aside, Quarantined))
    return Delivery(dialect.channel, tuple(events), quarantined)


def _read_piece(piece: Piece, dialect: Dialect) -> Inbound | Quarantined:
    raw = dump_json(piece.value)
    try:
        sent_at = piece.time(piece.value.get("timestamp"), piece.entry_time)
        sender_id = id_of(part(piece.value, "sender"), "id")
        blank = Inbound(dialect.channel, piece.account_id, Kind.OTHER, "", sender_id, sent_at, raw=raw)
        event = dialect.change_readers.get(piece.place, _read_thread)(piece, blank)
    except Broken as broken:
        return Quarantined(broken.reason, raw, piece.account_id)
    return replace(event, ignored="test") if piece.account_id == TEST_ACCOUNT else event


def made_id(word: str, piece: Piece, about_id: str | None = None) -> str:
    """A stable id for an event that has none: a second delivery gets the same one."""
    sender, timestamp = id_of(part(piece.value, "sender"), "id"), piece.value.get("timestamp")
    if sender and isinstance(timestamp, int | str):
        return f"{word}:{about_id or ''}:{sender}:{str(timestamp)[:40]}"
    return f"{word}:{sha256(dump_json(piece.value).encode('utf-8', 'replace')).hexdigest()[:32]}"


def _read_thread(piece: Piece, blank: Inbound) -> Inbound:
    """An event of messaging or standby, or a change that holds one."""
    value = piece.value
    word = next((word for word in READERS if isinstance(value.get(word), dict)), None)
    event = READERS[word](piece, blank) if word else _about(Kind.OTHER, "unknown", {}, piece, blank)
    if event.kind is not Kind.UNSEND and not event.ignored:
        ignored = "self" if _is_own(piece) else "group" if _is_group(value) else ""
        event = replace(event, ignored=ignored) if ignored else event
    if event.follower_external_id is None and event.kind is not Kind.UNSEND and not event.ignored:
        raise Broken("no_sender")
    if piece.place == "standby" and event.kind not in TOLD_BY_STANDBY:
        # Its own id: the same message may still arrive as ours, and must not be taken for a repeat.
        return replace(event, kind=Kind.STANDBY, ignored="standby", event_id=f"standby:{event.event_id}")
    return event


def _read_message(piece: Piece, event: Inbound) -> Inbound:
    message = part(piece.value, "message")
    mid, text = id_of(message, "mid"), text_of(message, "text")
    event = _with_referral(event, part(message, "referral"))
    # Copied once and with everything: this is the path of every message.
    read: dict[str, Any] = {"event_id": mid or made_id("message", piece), "text": text}
    if message.get("is_deleted") is True:
        return _unsent(piece, replace(event, **read), mid)
    if message.get("is_echo") is True or message.get("is_self") is True or _is_own(piece):
        return _echoed(piece, replace(event, **read))
    choice, story = text_of(part(message, "quick_reply"), "payload"), part(message, "reply_to").get("story")
    if choice:
        return replace(event, **read, kind=Kind.QUICK_REPLY, payload=choice)
    if "story_mention" in _attachment_types(message):
        return replace(event, **read, kind=Kind.STORY_MENTION)
    if isinstance(story, dict):
        story_id = id_of(story, "id")
        source = f"story:{story_id}" if story_id else "story"
        return replace(event, **read, kind=Kind.STORY_REPLY, source=source)
    if text:
        return replace(event, **read, kind=Kind.TEXT)
    if message.get("attachments") or message.get("is_unsupported") is True:
        return replace(event, **read, kind=Kind.ATTACHMENT)
    return replace(event, **read, ignored="unknown")


def _unsent(piece: Piece, event: Inbound, mid: str | None) -> Inbound:
    """Acted on whoever wrote it and wherever it stands: a text that was taken back must go."""
    if mid is None:
        raise Broken("unsend_of_nothing")
    if _is_own(piece):
        event = replace(event, follower_external_id=id_of(part(piece.value, "recipient"), "id"))
    return replace(event, kind=Kind.UNSEND, event_id=f"unsend:{mid}", about_id=mid, text="")


def _echoed(piece: Piece, event: Inbound) -> Inbound:
    """A message of the account itself. `payload` is the id of the app that sent it, where it is said."""
    message, recipient = part(piece.value, "message"), id_of(part(piece.value, "recipient"), "id")
    is_self = message.get("is_self") is True or recipient == piece.account_id
    return replace(
        event,
        kind=Kind.ECHO,
        follower_external_id=None if is_self else recipient,
        about_id=id_of(message, "mid"),
        payload=id_of(message, "app_id") or "",
        ignored="self" if is_self else "echo",
    )


def _read_postback(piece: Piece, event: Inbound) -> Inbound:
    postback = part(piece.value, "postback")
    event = _with_referral(event, part(postback, "referral"))
    return replace(
        event,
        kind=Kind.POSTBACK,
        event_id=id_of(postback, "mid") or made_id("postback", piece),
        text=text_of(postback, "title"),
        payload=text_of(postback, "payload"),
    )


def _read_referral(piece: Piece, event: Inbound) -> Inbound:
    event = _with_referral(event, part(piece.value, "referral"))
    return replace(event, kind=Kind.REFERRAL, event_id=made_id("referral", piece, event.ref[:100]))


def _with_referral(event: Inbound, referral: Mapping[str, object]) -> Inbound:
    """Where the thread was opened from: an ad before a link, since an ad may carry a ref too."""
    if not referral:
        return event
    ref, ad = text_of(referral, "ref"), id_of(referral, "ad_id")
    source = f"ad:{ad}" if ad else f"ref:{ref}" if ref else event.source
    return replace(event, ref=ref, source=source)


def _read_edit(piece: Piece, event: Inbound) -> Inbound:
    edit = part(piece.value, "message_edit")
    return replace(_about(Kind.EDIT, "edit", edit, piece, event), text=text_of(edit, "text"))


def _about(kind: Kind, word: str, said: Mapping[str, object], piece: Piece, event: Inbound) -> Inbound:
    """An event that is never acted on; most speak of a message."""
    about_id = id_of(said, "mid")
    return replace(event, kind=kind, event_id=made_id(word, piece, about_id), about_id=about_id, ignored=word)


def _ignored(kind: Kind, word: str, key: str) -> Reader:
    def read(piece: Piece, event: Inbound) -> Inbound:
        return _about(kind, word, part(piece.value, key), piece, event)

    return read


def _is_own(piece: Piece) -> bool:
    sender = id_of(part(piece.value, "sender"), "id")
    return piece.value.get("is_self") is True or sender == piece.account_id


def _is_group(value: Mapping[str, object]) -> bool:
    """No documented field delivers group threads; these are the marks that Meta uses elsewhere."""
    where = (value, part(value, "message"), part(value, "sender"), part(value, "recipient"))
    return any(
        w.get("is_group") is True or w.get("group_id") or w.get("thread_type") == "GROUP" for w in where
    )


def _attachment_types(message: Mapping[str, object]) -> list[object]:
    found = message.get("attachments")
    return [a.get("type") for a in found if isinstance(a, dict)] if isinstance(found, list) else []


# The first of these keys that an event holds says what it is.
READERS: dict[str, Reader] = {
    "message": _read_message,
    "postback": _read_postback,
    "message_edit": _read_edit,
    "reaction": _ignored(Kind.REACTION, "reaction", "reaction"),
    "read": _ignored(Kind.READ, "read", "read"),
    "referral": _read_referral,
    "pass_thread_control": _ignored(Kind.HANDOVER, "handover", "pass_thread_control"),
    "take_thread_control": _ignored(Kind.HANDOVER, "handover", "take_thread_control"),
    "request_thread_control": _ignored(Kind.HANDOVER, "handover", "request_thread_control"),
    "app_roles": _ignored(Kind.HANDOVER, "handover", "app_roles"),
    "optin": _ignored(Kind.OTHER, "optin", "optin"),
}
