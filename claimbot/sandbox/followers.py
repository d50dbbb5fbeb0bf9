"""Who is out there with a phone, what is on each phone, and who may be written to?"""

import hashlib
import threading
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from claimbot.sandbox.clock import iso
from claimbot.sandbox.shelf import Json, Shelf

# Instagram handles have at most 30 characters; tests like to put a number behind a long word.
MAX_HANDLE_CHARS = 64
# The oldest message of a phone goes when it is full.
MAX_PHONE_MESSAGES = 1_000


@dataclass(frozen=True, slots=True)
class Follower:
    handle: str
    igsid: str
    name: str
    follows: bool = True
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message on a phone: `in` was written by the follower, `out` came from the brand."""

    mid: str
    account: str
    handle: str
    direction: str
    text: str
    at_seconds: float
    buttons: tuple[dict[str, str], ...] = ()
    choices: tuple[dict[str, str], ...] = ()
    image: str = ""
    note: str = ""
    """Why it is there when it is not a plain message: comment, human."""
    is_unsent: bool = False
    reaction: str = ""

    def public(self) -> dict[str, Any]:
        return {
            "direction": self.direction,
            "text": "" if self.is_unsent else self.text,
            "buttons": list(self.buttons),
            "choices": list(self.choices),
            "at": iso(self.at_seconds),
            "mid": self.mid,
            "image": self.image,
            "note": self.note,
            "account": self.account,
            "unsent": self.is_unsent,
            "reaction": self.reaction,
        }


@dataclass(frozen=True, slots=True)
class Comment:
    comment_id: str
    account: str
    handle: str
    media: str
    text: str
    live: bool
    at_seconds: float
    is_answered: bool = False
    """Its one private reply was used."""
    replies: tuple[str, ...] = field(default=())


def igsid_of(handle: str) -> str:
    """A stable number string, as long as the real ones."""
    return str(10**16 + int.from_bytes(hashlib.sha256(handle.encode()).digest()[:8]) % (9 * 10**16))


class Followers:
    """Everybody's phones. `lock` may be held by a caller who must look and write in one step."""

    def __init__(self, shelf: Shelf) -> None:
        self.lock = threading.RLock()
        self._shelf = shelf
        self._by_handle: dict[str, Follower] = {}
        self._handle_of: dict[str, str] = {}
        self._phones: dict[str, dict[str, Bubble]] = {}
        self._last_wrote: dict[str, float] = {}
        self.comments: dict[str, Comment] = {}
        self._load()

    def _load(self) -> None:
        for _, record in self._shelf.records("follower"):
            self._remember(Follower(**record))
        for _, record in self._shelf.records("bubble"):
            bubble = _bubble(record)
            self._phones.setdefault(bubble.handle, {})[bubble.mid] = bubble
        for key, record in self._shelf.records("window"):
            self._last_wrote[key] = record["at_seconds"]
        for key, record in self._shelf.records("comment"):
            self.comments[key] = Comment(**{**record, "replies": tuple(record["replies"])})

    def clear(self) -> None:
        with self.lock:
            self._by_handle.clear()
            self._handle_of.clear()
            self._phones.clear()
            self._last_wrote.clear()
            self.comments.clear()

    def meet(self, handle: str) -> Follower:
        """The follower of that handle, made on first use. Raises ValueError for an empty or endless one."""
        with self.lock:
            known = self._by_handle.get(handle)
            if known is not None:
                return known
            if not handle.strip() or len(handle) > MAX_HANDLE_CHARS:
                raise ValueError("bad_follower")
            return self.change(Follower(handle, igsid_of(handle), handle))

    def change(self, follower: Follower) -> Follower:
        with self.lock:
            self._remember(follower)
            self._shelf.put("follower", follower.handle, asdict(follower))
        return follower

    def find_by_igsid(self, igsid: str) -> Follower | None:
        handle = self._handle_of.get(igsid)
        return self._by_handle.get(handle) if handle is not None else None

    def everybody(self) -> list[Follower]:
        with self.lock:
            return list(self._by_handle.values())

    def show(self, bubble: Bubble) -> bool:
        """Puts a bubble on its phone; False when that message is already there."""
        with self.lock:
            phone = self._phones.setdefault(bubble.handle, {})
            if bubble.mid in phone:
                return False
            phone[bubble.mid] = bubble
            self._shelf.put("bubble", f"{bubble.handle}:{bubble.mid}", asdict(bubble))
            if len(phone) > MAX_PHONE_MESSAGES:
                oldest = next(iter(phone))
                del phone[oldest]
                self._shelf.put("bubble", f"{bubble.handle}:{oldest}", None)
            return True

    def phone(self, handle: str) -> list[Bubble]:
        with self.lock:
            return sorted(self._phones.get(handle, {}).values(), key=lambda bubble: bubble.at_seconds)

    def threads(self, account: str) -> list[list[Bubble]]:
        """What stands in each conversation of this account, the latest first."""
        with self.lock:
            found = [
                [one for one in phone.values() if _stands(one, account)] for phone in self._phones.values()
            ]
        threads = [sorted(one, key=lambda bubble: bubble.at_seconds, reverse=True) for one in found if one]
        return sorted(threads, key=lambda one: (one[0].at_seconds, one[0].handle), reverse=True)

    def amend(self, handle: str, mid: str, **changes: Any) -> Bubble | None:
        """None when there is no such message on that phone."""
        with self.lock:
            bubble = self._phones.get(handle, {}).get(mid)
            if bubble is None:
                return None
            bubble = replace(bubble, **changes)
            self._phones[handle][mid] = bubble
            self._shelf.put("bubble", f"{handle}:{mid}", asdict(bubble))
            return bubble

    def wrote(self, account: str, igsid: str, at_seconds: float) -> None:
        """A message or tap of the follower: opens the 24 h window and gives consent."""
        key = f"{account}:{igsid}"
        with self.lock:
            self._last_wrote[key] = max(at_seconds, self._last_wrote.get(key, 0.0))
            self._shelf.put("window", key, {"at_seconds": self._last_wrote[key]})

    def last_wrote(self, account: str, igsid: str) -> float | None:
        """None: never wrote to this account, so no consent either."""
        return self._last_wrote.get(f"{account}:{igsid}")

    def keep_comment(self, comment: Comment) -> None:
        with self.lock:
            self.comments[comment.comment_id] = comment
            self._shelf.put("comment", comment.comment_id, asdict(comment))

    def _remember(self, follower: Follower) -> None:
        self._by_handle[follower.handle] = follower
        self._handle_of[follower.igsid] = follower.handle


def _stands(bubble: Bubble, account: str) -> bool:
    """What was taken back is gone from the conversation."""
    return bubble.account == account and not bubble.is_unsent


def _bubble(record: Json) -> Bubble:
    return Bubble(**{**record, "buttons": tuple(record["buttons"]), "choices": tuple(record["choices"])})
