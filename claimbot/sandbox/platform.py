"""What does Instagram tell the engine? Every inbound webhook of the fake platform is made and sent here."""

import functools
import threading
from dataclasses import dataclass, replace
from typing import Any

from claimbot.sandbox.config import AccountConfig, WorldConfig
from claimbot.sandbox.deliveries import NOT_REACHED, Post
from claimbot.sandbox.faults import Fault
from claimbot.sandbox.followers import Bubble, Comment, Follower, Followers
from claimbot.sandbox.graph_rules import Shown
from claimbot.sandbox.ground import Ground
from claimbot.sandbox.meta_webhooks import (
    batch,
    body_of,
    comment_envelope,
    envelope,
    event,
    make_mid,
    make_number_id,
    signature,
)
from claimbot.sandbox.shelf import Json

# The answer to a send usually overtakes its echo.
ECHO_DELAY_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Written:
    """What a follower did: words, a tap on a quick reply or a button, an answer to a story."""

    text: str
    mid: str
    at_seconds: float
    payload: str = ""
    story: str = ""
    is_postback: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """A public comment as it is to be told to the engine."""

    media: str
    text: str
    comment_id: str
    live: bool = False
    is_flat: bool = False


class Platform:
    def __init__(self, config: WorldConfig, ground: Ground, followers: Followers) -> None:
        self.config = config
        self.clock = ground.clock
        self.faults = ground.faults
        self.followers = followers
        self._deliveries = ground.deliveries
        self._counters = ground.counters
        self._lock = threading.Lock()
        self._unsubscribed: set[str] = set()
        self.subscribed: dict[str, tuple[str, ...]] = {}

    def reset(self) -> None:
        with self._lock:
            self.subscribed.clear()
            self._unsubscribed.clear()

    def subscribe(self, account: str, fields: tuple[str, ...]) -> None:
        """No fields: no longer subscribed."""
        with self._lock:
            if fields:
                self.subscribed[account] = fields
                self._unsubscribed.discard(account)
            else:
                self.subscribed.pop(account, None)
                self._unsubscribed.add(account)

    def _tells(self, account: str, field: str = "messages") -> bool:
        """Does the engine hear of this account? Until somebody subscribes or unsubscribes it does.

        Meta takes an account off after an hour of failures, here the fault `unsubscribed` does.
        """
        if self.faults.take("graph", "unsubscribed"):
            self.subscribe(account, ())
        with self._lock:
            is_told = account not in self._unsubscribed and field in self.subscribed.get(account, (field,))
        if not is_told:
            self._counters.count("deliveries.unsubscribed")
        return is_told

    def write(self, account: AccountConfig, follower: Follower, written: Written) -> Json:
        """The follower writes: their phone and the window know it; the event is returned, not yet sent."""
        self.followers.show(
            Bubble(
                mid=written.mid,
                account=account.external_id,
                handle=follower.handle,
                direction="in",
                text=written.text,
                at_seconds=written.at_seconds,
            )
        )
        self.followers.wrote(account.external_id, follower.igsid, written.at_seconds)
        return event(follower.igsid, account.external_id, written.at_seconds, **_inbound(written))

    def deliver(self, told: Json, retry: bool = True) -> int:
        """One delivery now; the engine's status, 0 when it could not be reached."""
        return self._deliveries.now(self._post(told), retry)

    def deliver_events(self, account: str, events: list[Json], retry: bool = True) -> int:
        return self.deliver_batch({account: events}, retry)

    def deliver_batch(self, by_account: dict[str, list[Json]], retry: bool = True) -> int:
        """Several accounts in one delivery; 0 when none of them is subscribed, or it got lost."""
        if self.faults.take("graph", "message_drop"):
            self._counters.count("deliveries.dropped")
            return NOT_REACHED
        told = {account: events for account, events in by_account.items() if self._tells(account)}
        return self.deliver(batch(told, self.clock.seconds()), retry) if told else NOT_REACHED

    def comment(self, account: AccountConfig, follower: Follower, remark: Remark, retry: bool = True) -> int:
        now = self.clock.seconds()
        with self.followers.lock:
            if remark.comment_id not in self.followers.comments:
                self.followers.keep_comment(
                    Comment(
                        remark.comment_id,
                        account.external_id,
                        follower.handle,
                        remark.media,
                        remark.text,
                        remark.live,
                        now,
                    )
                )
        value = {
            "id": remark.comment_id,
            "from": {"id": follower.igsid, "username": follower.handle},
            "text": remark.text,
            "media": {"id": remark.media, "media_product_type": "FEED"},
        }
        field = "live_comments" if remark.live else "comments"
        # On a Page comments are switched on for the whole app.
        if not self._tells(account.external_id, "messages" if account.variant == "page" else field):
            return NOT_REACHED
        told = comment_envelope(account.external_id, field, now, value, remark.is_flat)
        return self.deliver(told, retry)

    def show(self, account: AccountConfig, follower: Follower, shown: Shown, note: str = "") -> Bubble:
        """A message of the brand arrives on the phone."""
        bubble = Bubble(
            mid=make_mid(account.external_id, follower.igsid),
            account=account.external_id,
            handle=follower.handle,
            direction="out",
            text=shown.text,
            at_seconds=self.clock.seconds(),
            buttons=shown.buttons,
            choices=shown.choices,
            image=shown.image,
            note=note,
        )
        self.followers.show(bubble)
        return bubble

    def echo(
        self, account: AccountConfig, follower: Follower, bubble: Bubble, shown: Shown, fault: Fault | None
    ) -> None:
        """Tells the engine what its account has sent; `fault` is one of the echo_ faults."""
        message: Json = {"mid": bubble.mid, "is_echo": True}
        if shown.attachment is not None:
            message["attachments"] = [shown.attachment]
        else:
            message["text"] = bubble.text
        sent = event(account.external_id, follower.igsid, bubble.at_seconds, message=message)
        post = self._post(envelope(account.external_id, bubble.at_seconds, [sent]))
        kind = fault.fault if fault else ""
        if kind == "echo_none" or not self._tells(account.external_id):
            return
        if kind == "echo_before_answer":
            self._deliveries.now(post)
            return
        late = fault is not None and kind == "echo_late"
        self._deliveries.later(post, fault.delay_seconds if fault and late else ECHO_DELAY_SECONDS)
        if kind == "echo_duplicate":
            self._deliveries.later(replace(post))

    def reply_publicly(self, account: AccountConfig, comment_id: str, message: str) -> str | None:
        """The id of the new reply; None when the account has no such comment."""
        with self.followers.lock:
            comment = self.followers.comments.get(comment_id)
            if comment is None or comment.account != account.external_id:
                return None
            self.followers.keep_comment(replace(comment, replies=(*comment.replies, message)))
        return make_number_id()

    def new_mid(self, account: str, igsid: str) -> str:
        return make_mid(account, igsid)

    def new_comment_id(self) -> str:
        return make_number_id()

    def _post(self, told: Json) -> Post:
        sign = functools.partial(_sign, self.config.meta_app_secret)
        return Post("graph", self.config.meta_webhook_url, body_of(told), sign)


def _sign(app_secret: str, body: bytes, now_seconds: float, wrong: bool) -> dict[str, str]:
    return signature(body, app_secret + "-wrong" if wrong else app_secret)


def _inbound(written: Written) -> dict[str, Any]:
    if written.is_postback:
        return {
            "postback": {
                "mid": written.mid,
                "title": written.text,
                "payload": written.payload or written.text,
            }
        }
    message: Json = {"mid": written.mid, "text": written.text}
    if written.payload:
        message["quick_reply"] = {"payload": written.payload}
    if written.story:
        url = f"https://lookaside.example/story/{written.story}"
        message["reply_to"] = {"story": {"id": written.story, "url": url}}
    return {"message": message}
