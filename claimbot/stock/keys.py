"""Which Redis keys exist, who owns them and what do they hold?

cb1:{d:<drop>}:free   gate. Sorted set, scores 0, members `<variant>:<unit, 8 digits>`: not proposed.
cb1:{d:<drop>}:given  gate. Hash, follower key to `<variant>|<line>|<at ms>|<unit>,<unit>`: proposed, not
                      given back. A field `~promote:<line>` is units on their way to the waitlist.
cb1:{d:<drop>}:meta   gate. Hash `epoch`, `line` (last number), `token` (last load). Missing: not loaded.
cb1:{d:<drop>}:next:<token>:free and :given
                      one rebuild. What the swap will make the gate; ends by itself after 60 seconds.
cb1:{spool}:stream    spool. Stream `channel`, `received_us`, `body`: verified bodies that wait for SQL.
cb1:{spool}:size      spool. Hash `bytes`: the sum of the bodies in the stream.
cb1:budget:{LIMITS…}  budgets (the limits library). Counters of two windows per scope; end by themselves.

No key that holds stock ever ends by itself. `cb1` is the version of these shapes: old and new code run side
by side. All keys of one drop share a hash tag: a Cluster keeps them together, and one script may touch them.
"""

import re
from dataclasses import dataclass

from claimbot.core.errors import Ours

VERSION = "cb1"
BUDGET_PREFIX = f"{VERSION}:budget"

# Ids travel inside members and packed values, whose separators are `:`, `|`, `,`; a brace moves the hash tag.
ID_SHAPE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# Field names in `given` that begin with this are ours: units on their way to the waitlist.
RESERVED = "~"
# Longest follower key: an account id and the platform's id of a person, with room to spare.
FOLLOWER_KEY_CHARS = 200


@dataclass(frozen=True)
class DropKeys:
    free: str
    given: str
    meta: str


@dataclass(frozen=True)
class SpoolKeys:
    stream: str = f"{VERSION}:{{spool}}:stream"
    size: str = f"{VERSION}:{{spool}}:size"


def of_drop(drop_id: str) -> DropKeys:
    tag = f"{VERSION}:{{d:{checked_id(drop_id)}}}"
    return DropKeys(f"{tag}:free", f"{tag}:given", f"{tag}:meta")


def of_load(drop_id: str, token: str) -> tuple[str, str]:
    """The two keys that one rebuild fills before it swaps them in."""
    tag = f"{VERSION}:{{d:{checked_id(drop_id)}}}:next:{checked_id(token)}"
    return f"{tag}:free", f"{tag}:given"


def checked_id(text: str) -> str:
    if not ID_SHAPE.fullmatch(text):
        raise Ours("an id of a drop or variant has a letter that Redis keys may not have")
    return text


def checked_follower(key: str) -> str:
    if not key or len(key) > FOLLOWER_KEY_CHARS or key.startswith(RESERVED):
        raise Ours("a follower key is empty, too long, or begins with a reserved letter")
    return key
