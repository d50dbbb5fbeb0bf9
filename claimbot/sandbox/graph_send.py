"""May this account send this message to this person now? If so it arrives, and its echo goes out."""

import threading
from dataclasses import dataclass, replace

from claimbot.sandbox.config import AccountConfig
from claimbot.sandbox.counters import Counters, RateWindow
from claimbot.sandbox.faults import Fault
from claimbot.sandbox.followers import Bubble, Comment, Follower
from claimbot.sandbox.graph_errors import (
    GraphRefusal,
    bad_content,
    blocked,
    comment_not_eligible,
    expired_token,
    no_matching_person,
    server_error,
    too_fast,
    window_closed,
    window_closed_messenger,
)
from claimbot.sandbox.graph_rules import COMMENT_SECONDS, Shown, read_message, window_seconds
from claimbot.sandbox.platform import Platform
from claimbot.sandbox.shelf import Json

# Per account (Instagram Platform overview: the lower of two published numbers). Private replies: posts and
# reels only, live comments are not counted.
SENDS_PER_SECOND = 100
PRIVATE_REPLIES_PER_HOUR = 750
HOUR_SECONDS = 3600.0

ECHO_FAULTS = ("echo_none", "echo_before_answer", "echo_duplicate", "echo_late")
REFUSING_FAULTS = ("error_500", "rate_613", "token_190", "blocked_551", "window_2018278")


@dataclass(frozen=True, slots=True)
class Sent:
    """An accepted send; `echo` still has to be told to the engine."""

    follower: Follower
    bubble: Bubble
    shown: Shown
    echo_fault: Fault | None

    @property
    def answer(self) -> Json:
        return {"recipient_id": self.follower.igsid, "message_id": self.bubble.mid}


class Sender:
    def __init__(self, platform: Platform, counters: Counters) -> None:
        self._platform = platform
        self._followers = platform.followers
        self._counters = counters
        self._lock = threading.Lock()
        self._sends: dict[str, RateWindow] = {}
        self._private: dict[str, RateWindow] = {}

    def reset(self) -> None:
        with self._lock:
            self._sends.clear()
            self._private.clear()

    def send(self, account: AccountConfig, body: Json) -> Sent:
        """Raises GraphRefusal; then nothing was sent."""
        try:
            self._refuse_on_request(account)
            sent = self._send(account, body)
        except GraphRefusal as refusal:
            self._counters.count(f"verdicts.{refusal.verdict}")
            raise
        self._counters.count("verdicts.accepted")
        return sent

    def echo(self, account: AccountConfig, sent: Sent) -> None:
        self._platform.echo(account, sent.follower, sent.bubble, sent.shown, sent.echo_fault)

    def _refuse_on_request(self, account: AccountConfig) -> None:
        fault = self._platform.faults.take("graph", *REFUSING_FAULTS)
        if fault is None:
            return
        raise {
            "error_500": server_error(),
            "rate_613": too_fast(account.external_id, regain_minutes=1),
            "token_190": expired_token(),
            "blocked_551": blocked(),
            "window_2018278": window_closed_messenger(),
        }[fault.fault]

    def _send(self, account: AccountConfig, body: Json) -> Sent:
        recipient = body.get("recipient")
        if not isinstance(recipient, dict):
            raise bad_content("The parameter recipient is required.")
        shown = read_message(body.get("message"))
        if self._platform.config.graph_rate_limit:
            self._pace(account.external_id, self._sends, SENDS_PER_SECOND, 1.0)
        if "comment_id" in recipient:
            return self._private_reply(account, str(recipient["comment_id"]), shown)
        follower = self._followers.find_by_igsid(str(recipient.get("id", "")))
        if follower is None:
            raise no_matching_person()
        if follower.blocked:
            raise blocked()
        last = self._followers.last_wrote(account.external_id, follower.igsid)
        if last is None or self._platform.clock.seconds() - last > window_seconds(body):
            raise window_closed()
        return self._accept(account, follower, shown)

    def _private_reply(self, account: AccountConfig, comment_id: str, shown: Shown) -> Sent:
        with self._followers.lock:
            comment = self._eligible(account, comment_id)
            follower = self._followers.meet(comment.handle)
            if follower.blocked:
                raise blocked()
            if not comment.live:
                self._pace(account.external_id, self._private, PRIVATE_REPLIES_PER_HOUR, HOUR_SECONDS)
            self._followers.keep_comment(replace(comment, is_answered=True))
        return self._accept(account, follower, shown, "comment")

    def _eligible(self, account: AccountConfig, comment_id: str) -> Comment:
        comment = self._followers.comments.get(comment_id)
        if comment is None or comment.account != account.external_id or comment.is_answered:
            raise comment_not_eligible()
        if self._platform.clock.seconds() - comment.at_seconds > COMMENT_SECONDS:
            raise comment_not_eligible()
        return comment

    def _accept(self, account: AccountConfig, follower: Follower, shown: Shown, note: str = "") -> Sent:
        bubble = self._platform.show(account, follower, shown, note)
        return Sent(follower, bubble, shown, self._platform.faults.take("graph", *ECHO_FAULTS))

    def _pace(self, account: str, windows: dict[str, RateWindow], limit: int, seconds: float) -> None:
        with self._lock:
            window = windows.setdefault(account, RateWindow(limit, seconds))
            if not window.take(self._platform.clock.seconds()):
                raise too_fast(account, regain_minutes=max(1, round(seconds / 60)))
