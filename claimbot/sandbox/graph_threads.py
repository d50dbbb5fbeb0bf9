"""Which conversations does an account have, and what stands in them?

https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/conversations-api
Meta has all ids of a conversation's messages, and the words of the 20 latest only.
"""

import base64
import binascii
import re
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

from claimbot.sandbox.config import AccountConfig
from claimbot.sandbox.counters import RateWindow
from claimbot.sandbox.followers import Bubble, igsid_of
from claimbot.sandbox.graph_errors import bad_content, too_fast
from claimbot.sandbox.platform import Platform
from claimbot.sandbox.shelf import Json

# Per account, as the page on rate limits says.
CALLS_PER_SECOND = 2
WORDS_MOST = 20
PAGE_MOST = 50
PAGE_USUAL = 25
# `messages.limit(20){id,message}` inside `fields`.
MESSAGES = re.compile(r"messages(?:\.limit\((\d+)\))?\{([a-z_,]*)\}")


class Threads:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._lock = threading.Lock()
        self._calls: dict[str, RateWindow] = {}

    def reset(self) -> None:
        with self._lock:
            self._calls.clear()

    def read(self, account: AccountConfig, told: Json) -> Json:
        """One page, the latest conversation first. Raises GraphRefusal."""
        self._pace(account.external_id)
        if account.variant == "page" and told.get("platform") != "instagram":
            return {"data": []}
        most = _number(told.get("limit", PAGE_USUAL), "limit")
        fields = str(told.get("fields", "id,updated_time"))
        after = _place(str(told.get("after", "")))
        threads = self._platform.followers.threads(account.external_id)
        rest = [thread for thread in threads if _key(thread) < after] if after else threads
        shown = rest[: min(most, PAGE_MOST)]
        page: Json = {"data": [_shown(account, thread, fields) for thread in shown]}
        if shown:
            page["paging"] = {"cursors": {"after": _cursor(shown[-1])}}
        if len(rest) > len(shown):
            page["paging"]["next"] = "https://graph.example/next"
        return page

    def _pace(self, account: str) -> None:
        if not self._platform.config.graph_rate_limit:
            return
        with self._lock:
            window = self._calls.setdefault(account, RateWindow(CALLS_PER_SECOND, 1.0))
            if not window.take(self._platform.clock.seconds()):
                raise too_fast(account, regain_minutes=1)


def _shown(account: AccountConfig, thread: Sequence[Bubble], fields: str) -> Json:
    latest = thread[0]
    name = f"ig_thread:{account.external_id}:{igsid_of(latest.handle)}"
    shown: Json = {"id": base64.b64encode(name.encode()).decode().rstrip("=")}
    if "updated_time" in fields:
        shown["updated_time"] = _time(latest.at_seconds)
    asked = MESSAGES.search(fields)
    if asked:
        most = min(int(asked[1] or WORDS_MOST), WORDS_MOST)
        wanted = {"id", *asked[2].split(",")}
        messages = [_message(account, bubble) for bubble in thread[:most]]
        shown["messages"] = {"data": [{k: v for k, v in one.items() if k in wanted} for one in messages]}
    return shown


def _message(account: AccountConfig, bubble: Bubble) -> Json:
    brand = {"username": account.username, "id": account.external_id}
    person = {"username": bubble.handle, "id": igsid_of(bubble.handle)}
    is_theirs = bubble.direction == "in"
    return {
        "id": bubble.mid,
        "created_time": _time(bubble.at_seconds),
        "from": person if is_theirs else brand,
        "to": {"data": [brand if is_theirs else person]},
        "message": bubble.text,
    }


def _time(seconds: float) -> str:
    """As the Graph writes it, to the second: 2022-07-12T19:11:07+0000."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def _key(thread: Sequence[Bubble]) -> tuple[float, str]:
    return thread[0].at_seconds, thread[0].handle


def _cursor(thread: Sequence[Bubble]) -> str:
    at_seconds, handle = _key(thread)
    return base64.urlsafe_b64encode(f"{at_seconds!r} {handle}".encode()).decode()


def _place(cursor: str) -> tuple[float, str] | None:
    if not cursor:
        return None
    try:
        at_seconds, _, handle = base64.urlsafe_b64decode(cursor).decode().partition(" ")
        return float(at_seconds), handle
    except (binascii.Error, ValueError):
        raise bad_content("Invalid cursors values.") from None


def _number(value: object, name: str) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = 0
    if number < 1:
        raise bad_content(f"Param {name} must be an integer greater than zero.")
    return number
