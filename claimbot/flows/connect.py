"""How does a brand's account on a platform come in, get tried out, and go?"""

from dataclasses import replace
from datetime import timedelta

from claimbot.channels import by_name
from claimbot.channels.base import AccountHealth, Channel
from claimbot.core.brands import Account
from claimbot.core.errors import Refused
from claimbot.core.messages import SendingAccount, Verdict
from claimbot.db import audit, brands, marks
from claimbot.db.brands import NewAccount
from claimbot.db.engine import Tx
from claimbot.flows.reply import sender_of
from claimbot.flows.tokens import connect_account
from claimbot.parts import Parts

# What a long-lived token of Instagram Login lives; a Page's does not end.
TOKEN_LIVES = timedelta(days=60)
DISCONNECTED = "disconnected"


def connect_by_token(parts: Parts, actor: str, new: NewAccount) -> str:
    """Ask the platform whose token it is, subscribe, check, keep it. Returns its id; raises Refused."""
    channel = channel_of(new.channel)
    who = channel.check(parts.http, _sender(new))
    if not who.external_id:
        raise Refused(f"The platform does not take this token: {said(who)}")
    known = replace(new, external_id=who.external_id, username=who.username)
    health = subscribe(parts, channel, _sender(known))
    is_page = new.variant == "page"
    ends_at = None if is_page else health.token_expires_at or parts.clock() + TOKEN_LIVES
    return connect_account(parts, actor, replace(known, token_expires_at=ends_at))


def subscribe(parts: Parts, channel: Channel, sender: SendingAccount) -> AccountHealth:
    """Ask for the fields, then look whether all is well. Raises Refused."""
    result = channel.subscribe(parts.http, sender)
    if result.verdict is not Verdict.DONE:
        raise Refused(f"The platform refuses the token or the subscription ({result.reason})")
    health = channel.check(parts.http, sender)
    if not health.ok:
        raise Refused(f"The platform says: {said(health)}")
    return health


def _sender(new: NewAccount) -> SendingAccount:
    return SendingAccount("", new.channel, new.variant, new.external_id, new.page_id, new.token)


def channel_of(name: str) -> Channel:
    """Raises Refused."""
    channel = by_name(name)
    if channel is None:
        raise Refused(f"There is no channel {name}")
    return channel


def said(health: AccountHealth) -> str:
    """In words; `ok` when nothing is wrong."""
    words = {
        "": "ok",
        "other_account": f"the token belongs to {health.external_id}",
        "page_not_linked": "the page has no Instagram account",
        "fields_missing": "webhook fields are missing: " + ", ".join(health.missing_fields),
    }
    return words.get(health.reason, health.reason)


def list_accounts(parts: Parts, brand_id: str) -> list[Account]:
    with parts.ledger.reading() as tx:
        return brands.list_accounts(tx, parts.sealer, brand_id)


def find_account(parts: Parts, brand_id: str, account_id: str) -> Account | None:
    """None: this brand has no such account."""
    return next((one for one in list_accounts(parts, brand_id) if one.id == account_id), None)


def try_out(parts: Parts, account: Account) -> AccountHealth:
    """Takes some seconds at worst: two calls."""
    return channel_of(account.channel).check(parts.http, sender_of(account))


def subscribe_again(parts: Parts, actor: str, account: Account) -> AccountHealth:
    """Mends what an hour of failures took away. Raises Refused."""
    health = subscribe(parts, channel_of(account.channel), sender_of(account))
    now = parts.clock()
    parts.ledger.run(
        lambda tx: audit.insert_line(
            tx, actor, "account_subscribed", account.id, now=now, brand_id=account.brand_id
        )
    )
    return health


def disconnect(parts: Parts, actor: str, account: Account) -> None:
    """Its token is forgotten. What is written to it is still taken in; answers wait for a new token."""
    now = parts.clock()

    def story(tx: Tx) -> None:
        brands.mark_token(tx, parts.sealer, account.id, "", None)
        brands.mark_parked(tx, account.id, DISCONNECTED, now)
        audit.insert_line(tx, actor, "account_disconnected", account.id, now=now, brand_id=account.brand_id)
        marks.set_mark(tx, marks.CATALOG, now)

    parts.ledger.run(story)
