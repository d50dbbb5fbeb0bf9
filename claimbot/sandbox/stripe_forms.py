"""What does a form-encoded body say? Rack style: `a[b][0][c]=1`, `expand[]=x`."""

import re
from collections.abc import Iterable
from typing import Any

from claimbot.sandbox.stripe_errors import StripeRefusal

PART = re.compile(r"\[([^\[\]]*)\]")
# A body nested deeper than this is not one of Stripe's.
MAX_DEPTH = 8


def read_form(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Raises StripeRefusal for a name that cannot be read."""
    root: dict[str, Any] = {}
    for name, value in pairs:
        _put(root, _parts(name), value)
    return {name: _listed(value) for name, value in root.items()}


def _parts(name: str) -> list[str]:
    head, bracket, _ = name.partition("[")
    parts = [head, *PART.findall(name[len(head) :])]
    rebuilt = head + "".join(f"[{part}]" for part in parts[1:])
    if not head or (bracket and rebuilt != name) or len(parts) > MAX_DEPTH:
        raise StripeRefusal("Invalid parameter name in the request body.")
    return parts


def _put(root: dict[str, Any], parts: list[str], value: str) -> None:
    here = root
    for part in parts[:-1]:
        here = here.setdefault(part or str(len(here)), {})
        if not isinstance(here, dict):
            raise StripeRefusal("Invalid parameter name in the request body.")
    here[parts[-1] or str(len(here))] = value


def _listed(value: Any) -> Any:
    """A mapping whose names are all numbers is a list."""
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(one) for name, one in value.items()}
    if inner and all(name.isdigit() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner
