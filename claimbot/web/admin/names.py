"""What is a follower called on a page? By their handle, and by their name where that says more."""

from typing import Protocol


class Named(Protocol):
    """Anybody whom the platform told us of; both may be empty."""

    @property
    def username(self) -> str: ...
    @property
    def name(self) -> str: ...


def handle_of(one: Named) -> str:
    if one.username:
        return f"@{one.username}"
    return one.name or "somebody"


def name_beside(one: Named) -> str:
    """Their own name; empty where the handle says it already."""
    is_same = one.name.casefold().removeprefix("@") == one.username.casefold()
    return "" if is_same or not one.username else one.name
