"""What does Meta ask us to forget? Somebody took our app away from their account, or wants all of it deleted.

https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
The request names a user of the app: mostly the owner of a connected account. What is kept for them is the
token of that account; should the same id have written to a brand, that person is erased, too.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from claimbot.channels.signing import signed_request
from claimbot.core.brands import Account
from claimbot.core.errors import BadPayload, BadSignature
from claimbot.db import alerts, audit, brands, erasures
from claimbot.db.engine import Tx
from claimbot.flows.connect import disconnect
from claimbot.flows.erase import erase
from claimbot.parts import Parts

ACTOR = "meta"
ACTION = "deletion_asked"
CODE_CHARS = 32
ID_CHARS_MOST = 64


@dataclass(frozen=True, slots=True)
class Asked:
    """A verified request. `accounts` are those that its signer may speak for."""

    user_id: str
    issued_at: str
    accounts: tuple[Account, ...]


@dataclass(frozen=True, slots=True)
class Deletion:
    """What became of a request."""

    at: datetime
    accounts: int
    people: int


def read_request(parts: Parts, value: str) -> Asked:
    """Raises BadSignature, BadPayload."""
    with parts.ledger.reading() as tx:
        accounts = brands.list_accounts(tx, parts.sealer)
    own = {one.app_secret for one in accounts if one.app_secret}
    for secret in (*parts.settings.app_secrets, *sorted(own)):
        try:
            payload = signed_request(value, [secret])
        except BadSignature:
            continue
        mine = tuple(one for one in accounts if one.app_secret == (secret if secret in own else ""))
        return _read(payload, mine)
    raise BadSignature("the signed request does not match")


def _read(payload: dict[str, object], accounts: tuple[Account, ...]) -> Asked:
    user_id = payload.get("user_id")
    if not isinstance(user_id, str) or not user_id.isascii() or not 0 < len(user_id) <= ID_CHARS_MOST:
        raise BadPayload("user_id")
    return Asked(user_id, str(payload.get("issued_at", ""))[:ID_CHARS_MOST], accounts)


def forget(parts: Parts, asked: Asked) -> str:
    """Delete what is kept for this id; the code under which the result can be read. Twice is once."""
    code = _code(parts, asked)
    if find_deletion(parts, code) is not None:
        return code
    owned = disconnect_owned(parts, asked)
    with parts.ledger.reading() as tx:
        people = erasures.list_people(tx, asked.user_id, [one.id for one in asked.accounts])
    for lead_id in people:
        erase(parts, ACTOR, lead_id)
    now = parts.clock()

    def story(tx: Tx) -> None:
        audit.insert_line(tx, ACTOR, ACTION, code, now=now, accounts=owned, people=len(people))
        if not owned and not people:
            text = (
                f"Meta asks to delete what is kept for user {asked.user_id} of the app, and nothing was found"
            )
            alerts.raise_alert(tx, alerts.Alert("deletion", code, text), now)

    parts.ledger.run(story)
    return code


def disconnect_owned(parts: Parts, asked: Asked) -> int:
    """The app was taken away from this account: its token is worth nothing any more. Returns how many."""
    owned = [one for one in asked.accounts if one.external_id == asked.user_id and one.token]
    for account in owned:
        disconnect(parts, ACTOR, account)
    return len(owned)


def _code(parts: Parts, asked: Asked) -> str:
    """The same for the same request of the same app, and nothing to guess."""
    app = ",".join(one.id for one in asked.accounts)
    what = f"deletion\n{asked.user_id}\n{asked.issued_at}\n{app}".encode()
    return hmac.new(parts.settings.sealing_keys[0], what, hashlib.sha256).hexdigest()[:CODE_CHARS]


def find_deletion(parts: Parts, code: str) -> Deletion | None:
    """None: nobody asked under this code."""
    with parts.ledger.reading() as tx:
        line = audit.find_line(tx, ACTION, code)
    return Deletion(line.at, line.facts["accounts"], line.facts["people"]) if line else None
