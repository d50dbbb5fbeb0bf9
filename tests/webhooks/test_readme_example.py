"""Does the example of README believe what we sign, and nothing else?"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from claimbot.webhooks.signing import new_secret, signed_headers

README = Path(__file__).parents[2] / "README.md"
BODY = b'{"type":"claim.sold"}'


@pytest.fixture
def is_ours() -> Callable[..., bool]:
    [code] = re.findall(r"```python\n(.*?def is_ours.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    found: Callable[..., bool] = names["is_ours"]
    return found


def test_it_believes_our_signature_also_while_a_secret_is_replaced(is_ours: Callable[..., bool]) -> None:
    old, new = new_secret(), new_secret()
    headers = signed_headers((new, old), "ntc_1", datetime.now(UTC), BODY)
    assert is_ours(new, headers, BODY)
    assert is_ours(old, headers, BODY)


def test_it_believes_nobody_else(is_ours: Callable[..., bool]) -> None:
    secret, now = new_secret(), datetime.now(UTC)
    headers = signed_headers((secret,), "ntc_1", now, BODY)
    late = signed_headers((secret,), "ntc_1", now - timedelta(minutes=6), BODY)
    assert not is_ours(new_secret(), headers, BODY)
    assert not is_ours(secret, headers, BODY + b" ")
    assert not is_ours(secret, {**headers, "webhook-id": "ntc_2"}, BODY)
    assert not is_ours(secret, late, BODY)
