"""What was written in an account's conversations? Told as its webhooks would have told it.

https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/conversations-api
https://developers.facebook.com/docs/messenger-platform/conversations
https://developers.facebook.com/docs/graph-api/reference/conversation

These pages print the list (id, updated_time), a conversation's messages, a message's id, created_time, from,
to and message, and say that only the 20 latest messages of a conversation can be read. Three things stand in
no page and are taken from what others do: that the messages may be asked for together with the list (the
Graph's field expansion), that the latest conversation comes first, and that a message's id is the `mid` of
its webhook (both are the same long form of ig_dm_item). Times have whole seconds.

Words only: the payload of a tap, a picture and a story do not stand there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from claimbot.channels.base import Page
from claimbot.channels.body import clean_text
from claimbot.channels.http import Call, MetaHttp
from claimbot.channels.meta_account import node_of
from claimbot.channels.meta_parse import Broken, id_of, part, text_of, time_of
from claimbot.core.messages import SendingAccount, SendResult, Verdict

# More than this Meta does not tell of a conversation.
MESSAGES_MAX = 20
FIELDS = f"id,updated_time,messages.limit({MESSAGES_MAX}){{id,created_time,from,to,message}}"

# The conversations came without their messages.
NO_MESSAGES = "no_messages"


@dataclass(frozen=True, slots=True)
class Found:
    """One page of conversations."""

    account_id: str
    events: Sequence[Mapping[str, object]]
    """What others wrote, each as an event of a webhook."""
    oldest_at: datetime | None
    after: str

    def told(self, word: str) -> dict[str, object]:
        """One webhook body that says it all; `word` is its "object"."""
        return {"object": word, "entry": [{"id": self.account_id, "messaging": list(self.events)}]}


def read_threads(http: MetaHttp, account: SendingAccount, page: Page, now: datetime) -> Found | SendResult:
    """In one call. `now` is the time after which a time is not believed."""
    query = {"platform": "instagram", "fields": FIELDS, "limit": str(page.most)}
    if page.after:
        query["after"] = page.after
    answer = http.ask(account, Call("GET", f"/{node_of(account)}/conversations", query))
    if isinstance(answer, SendResult):
        return answer
    threads = _rows(answer)
    if threads and not any("messages" in thread for thread in threads):
        return SendResult(Verdict.DEAD, reason=NO_MESSAGES)
    # The latest message comes first, and two may bear the same second.
    written = (message for thread in threads for message in reversed(_rows(part(thread, "messages"))))
    events = [event for message in written for event in _told(account, message, now)]
    times = [at for thread in threads if (at := time_of(thread.get("updated_time"), now)) is not None]
    return Found(account.external_id, events, min(times, default=None), _next(answer))


def _told(
    account: SendingAccount, message: Mapping[str, object], now: datetime
) -> Iterator[dict[str, object]]:
    """Nothing for our own messages, for what has no words, and for what cannot be dated."""
    sent_at = time_of(message.get("created_time"), now)
    mid, author_id = _id(message), _id(part(message, "from"))
    # Nobody cleaned this answer as a webhook's body is cleaned.
    text = clean_text(text_of(message, "message"))
    if sent_at is None or not (mid and author_id and text) or not _is_to_us(account, message):
        return
    yield {
        "sender": {"id": author_id},
        "recipient": {"id": account.external_id},
        "timestamp": round(sent_at.timestamp() * 1000),
        "message": {"mid": mid, "text": text},
    }


def _is_to_us(account: SendingAccount, message: Mapping[str, object]) -> bool:
    """From one other person to this account, and not the other way round, whichever id stands for us."""
    to = _rows(part(message, "to"))
    return not _is_us(account, part(message, "from")) and len(to) == 1 and _is_us(account, to[0])


def _is_us(account: SendingAccount, who: Mapping[str, object]) -> bool:
    known_as = {account.external_id, account.page_id} - {""}
    name = text_of(who, "username").casefold()
    return _id(who) in known_as or (name != "" and name == account.username.casefold())


def _rows(answer: Mapping[str, object]) -> list[dict[str, object]]:
    rows = answer.get("data")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _id(value: Mapping[str, object]) -> str | None:
    try:
        found = id_of(value, "id")
    except Broken:
        return None
    return clean_text(found) if found else None


def _next(answer: Mapping[str, object]) -> str:
    """The cursor stands on the last page, too; only `next` says that there is more."""
    paging = part(answer, "paging")
    return clean_text(text_of(part(paging, "cursors"), "after")) if paging.get("next") else ""
