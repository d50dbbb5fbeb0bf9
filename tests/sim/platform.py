"""What is the platform in a simulation? It takes messages, sometimes without saying so, and echoes them."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from tests.sim.grounds import VirtualClock
from tests.sim.points import Points

WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Answer:
    """As much of an httpx response as the channel reads."""

    status_code: int
    document: Mapping[str, Any]
    headers: httpx.Headers = field(default_factory=httpx.Headers)

    def iter_bytes(self) -> Iterator[bytes]:
        yield json.dumps(self.document).encode()


def refusal(code: int, subcode: int = 0) -> Answer:
    return Answer(400, {"error": {"code": code, "error_subcode": subcode, "message": "no"}})


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that reached a follower."""

    who: str
    mid: str
    text: str
    row_id: str


@dataclass
class Platform:
    clock: VirtualClock
    points: Points
    take_fault: Callable[[], str]
    wrote_at: dict[str, datetime] = field(default_factory=dict)
    """When each follower wrote last."""
    commenters: dict[str, str] = field(default_factory=dict)
    """comment → who wrote it."""
    blocked: set[str] = field(default_factory=set)
    is_token_dead: bool = False
    sent: list[Sent] = field(default_factory=list)
    echoes: list[Sent] = field(default_factory=list)
    """Echoes that were not delivered yet."""
    accepted: Counter[str] = field(default_factory=Counter)
    """outbox row → how often its message reached somebody."""
    unclear: Counter[str] = field(default_factory=Counter)
    """outbox row → how often nobody here could know whether it did."""

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)

    @contextmanager
    def stream(self, method: str, _url: str, content: bytes | None = None, **_rest: Any) -> Iterator[Answer]:
        """What httpx.Client offers, without a network."""
        self.points.call_outside("platform.call")
        fault = self.take_fault()
        answer = self._profile(fault) if method == "GET" else self._send(content or b"", fault)
        self.points.reach("platform.call.done")
        yield answer

    def _profile(self, fault: str) -> Answer:
        if fault in ("timeout", "lost"):
            raise httpx.ReadTimeout("too slow")
        return refusal(613) if fault == "refused" else Answer(200, {"name": "Somebody", "id": "1"})

    def _send(self, content: bytes, fault: str) -> Answer:
        body = json.loads(content)
        comment_id = body["recipient"].get("comment_id", "")
        who = self.commenters[comment_id] if comment_id else body["recipient"]["id"]
        refused = self._refused(who, fault, bool(comment_id))
        if refused is not None:
            return refused
        if fault in ("timeout", "lost", "broken"):
            self.unclear[self.points.row_id] += 1
        if fault == "timeout":
            raise httpx.ReadTimeout("nothing came of it")
        mid = self._accept(who, body["message"])
        if fault == "lost":
            raise httpx.ReadTimeout("the answer was lost")
        if fault == "broken":
            return Answer(500, {})
        return Answer(200, {"recipient_id": who, "message_id": mid})

    def _refused(self, who: str, fault: str, is_private_reply: bool) -> Answer | None:
        if fault == "refused":
            return refusal(613)
        if fault == "parked":
            self.is_token_dead = True
        if fault == "dead":
            self.blocked.add(who)
        if self.is_token_dead:
            return refusal(190, 463)
        if who in self.blocked:
            return refusal(551)
        is_closed = who not in self.wrote_at or self.clock() - self.wrote_at[who] > WINDOW
        return refusal(10, 2018278) if is_closed and not is_private_reply else None

    def _accept(self, who: str, message: Mapping[str, Any]) -> str:
        mid = f"mid.sent.{next(self._numbers)}"
        text = message.get("text", "")
        one = Sent(who, mid, text, self.points.row_id)
        self.sent.append(one)
        self.echoes.append(one)
        self.accepted[one.row_id] += 1
        return mid
