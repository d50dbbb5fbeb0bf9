"""How is the world broken for a rehearsal? Each strike may return how that is mended.

What breaks processes is in storm_processes.py.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx

from claimbot.core.brands import Account
from claimbot.core.drops import Drop
from claimbot.core.errors import LedgerUnavailable, StockUnavailable
from claimbot.db.brands import NewAccount
from claimbot.db.storms import hold_ledger
from claimbot.flows.connect import list_accounts, subscribe_again
from claimbot.flows.tokens import connect_account
from claimbot.parts import Parts

ACTOR = "claimbot storm"
# More often than any rehearsal calls outside: it is over when the storm is, or after its seconds.
ALWAYS = 1_000_000
# The ledger has a writer nearly always; whoever wants it for long has to ask more than once.
LOCK_TRIES = 6


@dataclass(frozen=True, slots=True)
class Target:
    """What a fault may touch: the engine's own connections, and the sandbox."""

    parts: Parts
    sandbox: httpx.Client
    drop: Drop


Mend = Callable[[], None]
# The number is how many seconds it is to last; 0: as long as the rehearsal.
Strike = Callable[[Target, float], Mend | None]

Check = Callable[[Target], None]


def armed(target: str, fault: str, times: int = ALWAYS, **more: Any) -> Strike:
    """A fault of the world itself; see POST /api/faults of the sandbox."""

    def strike(at: Target, seconds: float) -> Mend:
        told = {"target": target, "fault": fault, "times": times, **more}
        if seconds:
            told["for_seconds"] = seconds
        at.sandbox.post("/api/faults", json=told).raise_for_status()
        return lambda: _disarm(at, target, fault)

    return strike


def _disarm(at: Target, target: str, fault: str) -> None:
    at.sandbox.delete("/api/faults", params={"target": target, "fault": fault}).raise_for_status()


def wipe_gate(at: Target, _: float) -> None:
    """A Redis that is away just then has nothing to forget."""
    with suppress(StockUnavailable):
        at.parts.gate.drop_keys(at.drop.id)


def lock_ledger(at: Target, _: float) -> Mend:
    """Nobody else may write. Raises LedgerUnavailable when somebody else held it all the time."""
    for _ in range(LOCK_TRIES - 1):
        with suppress(LedgerUnavailable):
            return hold_ledger(at.parts.ledger)
    return hold_ledger(at.parts.ledger)


def revoke_tokens(at: Target, _: float) -> Mend:
    accounts = _accounts(at)

    def connect_again() -> None:
        for account in accounts:
            _connect(at, account)

    for account in accounts:
        at.sandbox.post("/api/tokens", json={"account": account.external_id}).raise_for_status()
    return connect_again


def _connect(at: Target, account: Account) -> None:
    """As a person does it: the platform gives a new token, and the account is connected with that."""
    at.sandbox.post("/api/tokens", json={"account": account.external_id, "revoked": False})
    asked = {"grant_type": "ig_exchange_token", "access_token": account.token}
    answer = at.sandbox.get("/graph/access_token", params=asked).raise_for_status()
    new = NewAccount(
        account.brand_id,
        account.channel,
        account.variant,
        account.external_id,
        account.username,
        token=json.loads(answer.text)["access_token"],
        token_expires_at=account.token_expires_at,
    )
    connect_account(at.parts, ACTOR, new)


def unsubscribe(at: Target, _: float) -> Mend:
    """The platform tells us nothing more; the clock finds that out, unless we are done before."""

    def mend() -> None:
        for account in _accounts(at):
            subscribe_again(at.parts, ACTOR, account)

    armed("graph", "unsubscribed", times=1)(at, 0.0)
    return mend


def _accounts(at: Target) -> list[Account]:
    """The brand's, as far as the sandbox plays them."""
    played = {str(one["external_id"]) for one in at.sandbox.get("/api/accounts").json()}
    found = list_accounts(at.parts, at.drop.brand_id)
    return [one for one in found if one.token and one.external_id in played]
