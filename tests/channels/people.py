"""Who takes part in the channel tests?"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from claimbot.core.messages import SendingAccount

PAYLOADS = Path(__file__).parent / "payloads"

AURORA = "17841478000000001"
BOREAL = "17841478000000002"
ANA = "9010000000000011"
BEN = "9010000000000022"
CLEO = "9010000000000033"

SENT_AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
RECEIVED_AT = SENT_AT + timedelta(seconds=2)

BY_LOGIN = SendingAccount("acc_1", "instagram", "instagram_login", AURORA, "", "IGAAtoken")
BY_PAGE = SendingAccount("acc_2", "instagram", "page", AURORA, "104500000000001", "EAAtoken")


def later(milliseconds: int) -> datetime:
    return SENT_AT + timedelta(milliseconds=milliseconds)


def payload_bytes(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def as_bytes(document: object) -> bytes:
    return json.dumps(document).encode()
