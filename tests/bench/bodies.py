"""What does the platform write? Deliveries of followers who DM a word, signed, one line each."""

import json
import time
from collections.abc import Iterator, Sequence

from claimbot.channels.signing import sign_meta
from claimbot.sandbox.meta_webhooks import make_mid
from tests.sandbox.worlds import ACCOUNT, APP_SECRET

# Longer than any run: two runs on one ledger never share a follower.
FIRST_IGSID = 17_000_000_000_000_000


class Crowd:
    """Followers with numbers of their own; each call brings new ones."""

    def __init__(self, first: int = 0) -> None:
        self._next = FIRST_IGSID + first

    def lines(self, count: int, text: str, per_post: int = 1) -> list[bytes]:
        """`count` posts, ready to be sent: the signature, a blank, the body."""
        return [signed(self._body(text, per_post)) for _ in range(count)]

    def _body(self, text: str, per_post: int) -> bytes:
        now_ms = round(time.time() * 1000)
        events = list(self._events(text, per_post, now_ms))
        entry = {"id": ACCOUNT, "time": now_ms, "messaging": events}
        return json.dumps({"object": "instagram", "entry": [entry]}, separators=(",", ":")).encode()

    def _events(self, text: str, count: int, now_ms: int) -> Iterator[dict[str, object]]:
        for _ in range(count):
            self._next += 1
            who = str(self._next)
            yield {
                "sender": {"id": who},
                "recipient": {"id": ACCOUNT},
                "timestamp": now_ms,
                "message": {"mid": make_mid(ACCOUNT, who), "text": text},
            }


def signed(body: bytes) -> bytes:
    return sign_meta(body, APP_SECRET).encode() + b" " + body


def sizes(lines: Sequence[bytes]) -> float:
    """Bytes of a body, on average."""
    return sum(map(len, lines)) / len(lines)
