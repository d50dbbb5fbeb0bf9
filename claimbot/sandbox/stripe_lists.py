"""How does Stripe page through a list? Newest first, by id cursors, filtered by time and by field."""

from collections.abc import Callable
from typing import Any

from claimbot.sandbox.shelf import Json
from claimbot.sandbox.stripe_errors import invalid_param, missing

DEFAULT_LIMIT = 10
MAX_LIMIT = 100


def page(made: list[Json], params: Json, url: str) -> Json:
    """`made` is newest first and already filtered."""
    limit = params.get("limit", DEFAULT_LIMIT)
    if not 1 <= limit <= MAX_LIMIT:
        raise invalid_param("Invalid limit: must be from 1 to 100", "limit", "parameter_invalid_integer")
    ids = [one["id"] for one in made]
    if "starting_after" in params:
        made = made[_place(ids, params["starting_after"], "starting_after") + 1 :]
        shown = made[:limit]
    elif "ending_before" in params:
        made = made[: _place(ids, params["ending_before"], "ending_before")]
        shown = made[-limit:]
    else:
        shown = made[:limit]
    return {"object": "list", "data": shown, "has_more": len(made) > len(shown), "url": url}


def _place(ids: list[str], wanted: str, param: str) -> int:
    try:
        return ids.index(wanted)
    except ValueError:
        raise missing("object", wanted, param) from None


def created_filter(told: Any) -> Callable[[Json], bool]:
    """`told` is one second, or a mapping of gt, gte, lt, lte."""
    if told is None:
        return lambda one: True
    if isinstance(told, int):
        return lambda one: bool(one["created"] == told)
    low = max(told.get("gte", 0), told.get("gt", -1) + 1)
    high = min(told.get("lte", 2**62), told.get("lt", 2**62) - 1)
    return lambda one: low <= one["created"] <= high
