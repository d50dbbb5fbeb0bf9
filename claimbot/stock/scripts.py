"""Where are the Lua scripts, and under which SHA does Redis know them?"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Script:
    name: str
    text: str
    sha: str


@cache
def load(name: str) -> Script:
    """The script `lua/<name>.lua`, read once for each process."""
    text = resources.files("claimbot.stock").joinpath("lua", f"{name}.lua").read_text("utf-8")
    # Redis names scripts by SHA-1; nothing secret depends on it.
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
