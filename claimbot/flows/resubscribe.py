"""Does the platform still tell us what is written to an account? Asked every few minutes, and mended.

Meta takes the app off an account after an hour of failed deliveries, and from then on tells it nothing.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from claimbot.channels import by_name
from claimbot.channels.base import Subscription
from claimbot.channels.meta_errors import OF_THE_TOKEN
from claimbot.core.brands import Account
from claimbot.core.messages import SendResult, Verdict
from claimbot.db import alerts, audit, brands, marks
from claimbot.db.engine import Tx
from claimbot.flows.gaps import UNSUBSCRIBED, want_look
from claimbot.flows.park import is_renewed, park
from claimbot.flows.reply import sender_of
from claimbot.parts import Parts

log = logging.getLogger("claimbot.resubscribe")

MARK = "fields:"
# It was not told what is written; what was written meanwhile is being looked for.
MISSED = "unsubscribed"
# It is not told what is written, and a person must mend that.
DEAF = "subscription"

LOOK_EVERY = timedelta(minutes=3)
# So many accounts in one round: the clock has other chores.
AT_ONCE = 5
# For all clocks together, and each account.
RULE = "40/hour"


@dataclass(frozen=True, slots=True)
class Looked:
    """What the last look at an account found."""

    at: datetime
    missing: tuple[str, ...] = ()
    is_deaf: bool = False
    """It is not told what is written, and asking for it did not help."""
    mended_at: datetime | None = None


def resubscribe(parts: Parts) -> int:
    """Look at the accounts that were not looked at for longest; returns how many had to be mended."""
    now = parts.clock()
    with parts.ledger.reading() as tx:
        looked = {mark.name.removeprefix(MARK): _read(mark) for mark in marks.list_marks(tx, MARK)}
        parked = brands.list_parked(tx)
    waiting = [one for one in parts.catalog().accounts.values() if one.id not in parked and one.token]
    due = [one for one in waiting if one.id not in looked or now - looked[one.id].at >= LOOK_EVERY]
    due.sort(key=lambda one: looked[one.id].at.timestamp() if one.id in looked else 0.0)
    return sum(_look(parts, account, looked.get(account.id), now) for account in due[:AT_ONCE])


def find_looked(tx: Tx, account_id: str) -> Looked | None:
    mark = marks.find_mark(tx, f"{MARK}{account_id}")
    return _read(mark) if mark else None


def _look(parts: Parts, account: Account, known: Looked | None, now: datetime) -> bool:
    channel = by_name(account.channel)
    if channel is None or parts.budgets.spend(f"fields:{account.id}", RULE) > 0:
        return False
    last = known or Looked(now)
    sender = sender_of(account)
    found = channel.subscription(parts.http, sender)
    if isinstance(found, SendResult):
        parts.ledger.run(lambda tx: _note_refusal(tx, parts, account, found, replace(last, at=now)))
        return False
    if not _is_worth_asking(found, known):
        parts.ledger.run(lambda tx: _note_well(tx, account, replace(last, at=now, missing=found.missing)))
        return False
    result = channel.subscribe(parts.http, sender)
    if result.verdict is not Verdict.DONE:
        looked = replace(last, at=now, missing=found.missing, is_deaf=found.is_deaf)
        parts.ledger.run(lambda tx: _note_refusal(tx, parts, account, result, looked))
        return False
    then = channel.subscription(parts.http, sender)
    # It was accepted: without an answer now, the next look sees whether it helped.
    then = Subscription() if isinstance(then, SendResult) else then
    if then.is_deaf:
        parts.ledger.run(lambda tx: _note_in_vain(tx, account, replace(last, at=now, missing=then.missing)))
        return False
    looked = replace(last, at=now, missing=then.missing)
    parts.ledger.run(lambda tx: _note_mended(tx, account, found, looked, is_new=known is None))
    return found.is_deaf


def _is_worth_asking(found: Subscription, known: Looked | None) -> bool:
    """What is merely nice to have is asked for once; an app need not have switched on every field."""
    is_news = known is None or set(found.missing) != set(known.missing)
    return found.is_deaf or (bool(found.missing) and is_news)


def _note_well(tx: Tx, account: Account, looked: Looked) -> None:
    if looked.is_deaf:
        # Somebody mended it.
        want_look(tx, account.id, UNSUBSCRIBED, looked.at)
    alerts.clear_alert(tx, DEAF, account.id, looked.at)
    _set(tx, account, replace(looked, is_deaf=False))


def _note_in_vain(tx: Tx, account: Account, looked: Looked) -> None:
    """The platform accepted our wish and does not fulfil it."""
    text = (
        f"The platform does not tell us what is written to @{account.username}, although we subscribed;"
        f" switch on in the app's webhooks: {', '.join(looked.missing)}"
    )
    alerts.raise_alert(tx, alerts.Alert(DEAF, account.id, text, account.brand_id), looked.at)
    _set(tx, account, replace(looked, is_deaf=True))


def _note_mended(tx: Tx, account: Account, was: Subscription, looked: Looked, is_new: bool) -> None:
    """An account that nobody had subscribed yet has missed nothing."""
    if was.is_deaf:
        facts = {"brand_id": account.brand_id, "missing": list(was.missing)}
        audit.insert_line(tx, "claimbot", "account_subscribed", account.id, now=looked.at, **facts)
    if was.is_deaf and not is_new:
        log.warning("unsubscribed account=%s", account.id)
        text = (
            f"@{account.username} was unsubscribed by the platform; subscribed again at {looked.at:%H:%M}"
            " UTC; what was written meanwhile is being looked for"
        )
        alerts.clear_alert(tx, MISSED, account.id, looked.at)
        alerts.raise_alert(tx, alerts.Alert(MISSED, account.id, text, account.brand_id), looked.at)
        looked = replace(looked, mended_at=looked.at)
        want_look(tx, account.id, UNSUBSCRIBED, looked.at)
    _note_well(tx, account, looked)


def _note_refusal(tx: Tx, parts: Parts, account: Account, result: SendResult, looked: Looked) -> None:
    """An account whose token is worth nothing waits as a whole; what got no answer is asked again."""
    log.warning("fields_not_asked account=%s %s", account.id, result.reason)
    if result.reason in OF_THE_TOKEN:
        if not is_renewed(tx, parts, account):
            park(tx, account, result.reason, looked.at)
    elif result.verdict in (Verdict.PARKED, Verdict.DEAD):
        text = (
            f"The platform does not let us subscribe @{account.username} ({result.reason}), whose messages"
            " may not reach us; give the app its permissions and connect it with: claimbot account connect"
        )
        alerts.raise_alert(tx, alerts.Alert(DEAF, account.id, text, account.brand_id), looked.at)
    _set(tx, account, looked)


def _set(tx: Tx, account: Account, looked: Looked) -> None:
    facts = {
        "missing": list(looked.missing),
        "is_deaf": looked.is_deaf,
        "mended_at": looked.mended_at.isoformat() if looked.mended_at else None,
    }
    marks.set_mark(tx, f"{MARK}{account.id}", looked.at, facts)


def _read(mark: marks.Mark) -> Looked:
    told = mark.facts
    mended_at = datetime.fromisoformat(told["mended_at"]) if told["mended_at"] else None
    return Looked(mark.at, tuple(told["missing"]), told["is_deaf"], mended_at)
