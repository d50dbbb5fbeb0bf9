"""What was asked of the world's own API? JSON bodies, read strictly enough to say what is wrong."""

from datetime import UTC, datetime
from typing import Any

from flask import request

from claimbot.sandbox.shelf import Json


class BadRequest(Exception):
    """Answered with 400 and this one word."""


def body() -> Json:
    """The JSON object of the request; an empty body is an empty object."""
    if not request.get_data():
        return {}
    told = request.get_json(force=True, silent=True)
    if not isinstance(told, dict):
        raise BadRequest("not_a_json_object")
    return told


def text(told: Json, name: str, default: str | None = None) -> str:
    """Raises BadRequest when it is missing and there is no default."""
    value = told.get(name)
    if value is None:
        if default is None:
            raise BadRequest(f"missing_{name}")
        return default
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise BadRequest(f"bad_{name}")
    return str(value)


def flag(told: Json, name: str, default: bool = False) -> bool:
    value = told.get(name, default)
    if not isinstance(value, bool):
        raise BadRequest(f"bad_{name}")
    return value


def number(told: Json, name: str, default: float) -> float:
    value: Any = told.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(f"bad_{name}")
    return float(value)


def moment(told: Json, name: str, default: float) -> float:
    """Seconds since 1970 from an ISO text or a number of seconds."""
    value = told.get(name)
    if value is None:
        return default
    if isinstance(value, str):
        try:
            read = datetime.fromisoformat(value)
        except ValueError:
            raise BadRequest(f"bad_{name}") from None
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    return number(told, name, default)
