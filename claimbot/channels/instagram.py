"""How does Instagram speak, and how do we answer?

https://developers.facebook.com/docs/instagram-platform/webhooks
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api
https://developers.facebook.com/docs/messenger-platform/instagram/features/private-replies
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from claimbot.channels.base import AccountHealth, NewToken, Page, Subscription, Threads
from claimbot.channels.http import Call, MetaHttp
from claimbot.channels.meta_account import (
    check_account,
    node_of,
    read_profile,
    read_subscription,
    renew_token,
    subscribe_account,
)
from claimbot.channels.meta_errors import BAD_CONTENT
from claimbot.channels.meta_events import Dialect, Reader, made_id, read_delivery
from claimbot.channels.meta_parse import Broken, Piece, id_of, part, text_of
from claimbot.channels.meta_send import message_of, plain_message_of, sent
from claimbot.channels.meta_threads import read_threads
from claimbot.channels.signing import verify_meta
from claimbot.core.messages import (
    Delivery,
    Inbound,
    Kind,
    Profile,
    Reply,
    ReplyLimits,
    SendingAccount,
    SendResult,
    Verdict,
)

# Bytes for a text, characters for the rest, as the pages on sending say.
LIMITS = ReplyLimits(
    text_bytes=1_000, button_text_chars=640, button_title_chars=20, choice_title_chars=20, choices_max=13
)


@dataclass(frozen=True, slots=True)
class Instagram:
    """Both ways to connect: Instagram Login, and a Facebook Page that the account is linked to."""

    name: str = "instagram"
    objects: tuple[str, ...] = ("instagram",)
    limits: ReplyLimits = LIMITS

    def verify(self, body: bytes, header: str | None, secrets: Sequence[str]) -> int:
        return verify_meta(body, header, secrets)

    def parse(self, document: object, received_at: datetime) -> Delivery:
        return read_delivery(document, Dialect(self.name, self.objects, COMMENT_READERS), received_at)

    def send(
        self, http: MetaHttp, account: SendingAccount, reply: Reply, recipient_external_id: str, mark: str
    ) -> SendResult:
        """`mark` is not sent: Instagram is not known to return it. Echoes are matched by message id.

        A refused template is sent once more as text, only when its content was refused: in every
        other case a second try would hide the true reason.
        """
        message = message_of(reply, self.limits)
        recipient = {"comment_id": reply.comment_id} if reply.comment_id else {"id": recipient_external_id}
        result = _send(http, account, recipient, message)
        if result.reason != BAD_CONTENT or message is None or "attachment" not in message:
            return result
        return _send(http, account, recipient, plain_message_of(reply, self.limits))

    def profile(
        self, http: MetaHttp, account: SendingAccount, follower_external_id: str
    ) -> Profile | SendResult:
        return read_profile(http, account, follower_external_id)

    def check(self, http: MetaHttp, account: SendingAccount) -> AccountHealth:
        return check_account(http, account)

    def subscription(self, http: MetaHttp, account: SendingAccount) -> Subscription | SendResult:
        return read_subscription(http, account)

    def subscribe(self, http: MetaHttp, account: SendingAccount) -> SendResult:
        return subscribe_account(http, account)

    def threads(
        self, http: MetaHttp, account: SendingAccount, page: Page, now: datetime
    ) -> Threads | SendResult:
        found = read_threads(http, account, page, now)
        if isinstance(found, SendResult):
            return found
        return Threads(self.parse(found.told(self.objects[0]), now), found.oldest_at, found.after)

    def refresh_token(self, http: MetaHttp, account: SendingAccount) -> NewToken | SendResult:
        return renew_token(http, account)


def _read_comment(piece: Piece, blank: Inbound) -> Inbound:
    """A public comment, in all envelopes: `id` or `comment_id`, often without `from.id` or media."""
    value, author = piece.value, part(piece.value, "from")
    comment_id = id_of(value, "comment_id", "id")
    if comment_id is None:
        raise Broken("no_comment_id")
    author_id, media_id = id_of(author, "id"), id_of(part(value, "media"), "id")
    is_live = piece.place == "live_comments"
    word = "live" if is_live else "comment"
    return replace(
        blank,
        kind=Kind.LIVE_COMMENT if is_live else Kind.COMMENT,
        event_id=comment_id,
        comment_id=comment_id,
        follower_external_id=author_id,
        username=text_of(author, "username") or None,
        text=text_of(value, "text"),
        source=f"{word}:{media_id}" if media_id else word,
        ignored="self" if author.get("self_ig_scoped_id") or author_id == piece.account_id else "",
    )


def _read_mention(piece: Piece, blank: Inbound) -> Inbound:
    """Names a comment without its text or author. Its own id: the comment itself may arrive too."""
    about_id = id_of(piece.value, "comment_id", "media_id")
    event_id = f"mention:{about_id}" if about_id else made_id("mention", piece)
    return replace(blank, event_id=event_id, about_id=about_id, follower_external_id=None, ignored="mention")


def _send(
    http: MetaHttp,
    account: SendingAccount,
    recipient: Mapping[str, str],
    message: Mapping[str, object] | None,
) -> SendResult:
    if message is None:
        return SendResult(Verdict.DEAD, reason="link_too_long")
    body: dict[str, object] = {"recipient": recipient, "message": message}
    if account.variant == "page":
        body["messaging_type"] = "RESPONSE"
    answer = http.ask(account, Call("POST", f"/{node_of(account)}/messages", body=body))
    return answer if isinstance(answer, SendResult) else sent(answer)


COMMENT_READERS: Mapping[str, Reader] = {
    "comments": _read_comment,
    "live_comments": _read_comment,
    "mentions": _read_mention,
}
