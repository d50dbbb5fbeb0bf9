"""What is missing before a launch, or wrong during one? One line for each thing, in words."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from claimbot.channels import by_name
from claimbot.core.brands import Account, Brand
from claimbot.core.errors import Outside
from claimbot.core.webhooks import FAILURES_MOST
from claimbot.db import alerts, brands, marks, outbox, webhooks
from claimbot.db.steps import pending
from claimbot.flows.books import COMPARED_EVERY, find_books
from claimbot.flows.gaps import find_heard
from claimbot.flows.reply import sender_of
from claimbot.flows.resubscribe import find_looked
from claimbot.parts import DatabaseClock, Parts

# A process notes every ten seconds that it lives.
BEAT_MOST = timedelta(seconds=40)
# Between two launches nobody may write for days; then the first word must still arrive.
EVENT_MOST = timedelta(days=3)
TOKEN_DAYS_MIN = 14
# More than this and the two clocks disagree about a deadline that a follower was told.
SKEW_SECONDS_MOST = 2.0
DUE_MOST = timedelta(minutes=1)
# Alerts of the brands' own systems: a launch works without them.
OF_THEIR_SYSTEMS = ("webhook", "webhook_away")
# What was mended without anybody is worth a look for so long.
TOLD_FOR = timedelta(days=1)


class Light(StrEnum):
    OK = "ok"
    WARN = "warn"  # a launch works, but look at it
    RED = "red"  # a launch would not work


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing looked at; `text` says what it is and, unless it is ok, what to do."""

    light: Light
    about: str
    text: str


def diagnose(parts: Parts) -> list[Sign]:
    """Everything that can be found out now; what does not answer is itself a sign."""
    return _all(parts, (*OF_THE_ENGINE, _accounts, _brands, _webhooks, _all_books, _alerts))


def diagnose_engine(parts: Parts) -> list[Sign]:
    """What every brand of the deployment depends on; names no brand."""
    return _all(parts, OF_THE_ENGINE)


def diagnose_brand(parts: Parts, brand: Brand, asks_platform: bool) -> list[Sign]:
    """What one brand needs. `asks_platform`: its accounts are tried out, which may take some seconds."""

    def accounts(parts: Parts) -> Iterator[Sign]:
        return _accounts(parts, brand.id, asks_platform)

    def keys(parts: Parts) -> Iterator[Sign]:
        return _keys(parts, [brand])

    def hooks(parts: Parts) -> Iterator[Sign]:
        return _webhooks(parts, brand.id)

    return _all(parts, (accounts, keys, hooks))


def _all(parts: Parts, looks: Iterable[Callable[[Parts], Iterator[Sign]]]) -> list[Sign]:
    return [sign for look in looks for sign in _looked(parts, look)]


def _looked(parts: Parts, look: Callable[[Parts], Iterator[Sign]]) -> list[Sign]:
    try:
        return list(look(parts))
    except Outside as trouble:
        return [Sign(Light.RED, look.__name__.strip("_"), f"{trouble}")]


def _settings(parts: Parts) -> Iterator[Sign]:
    settings = parts.settings
    if not settings.app_secrets:
        yield Sign(Light.RED, "settings", "META_APP_SECRETS is missing: no webhook can be believed")
    if not settings.meta_verify_token.get_secret_value():
        yield Sign(Light.RED, "settings", "META_VERIFY_TOKEN is missing: the handshake would fail")
    if settings.environment != "production":
        yield Sign(Light.WARN, "settings", "ENVIRONMENT is development: secrets and Redis are not checked")
    elif not settings.public_url:
        yield Sign(Light.RED, "settings", "PUBLIC_URL is missing: pay links would lead to this machine only")


def _ledger(parts: Parts) -> Iterator[Sign]:
    missing = pending(parts.ledger)
    if missing:
        yield Sign(Light.RED, "sql", f"{len(missing)} steps are missing: claimbot db upgrade")
    else:
        yield Sign(Light.OK, "sql", "SQL answers and its tables are up to date")


def _redis(parts: Parts) -> Iterator[Sign]:
    faults = parts.redis_faults()
    for fault in faults:
        yield Sign(Light.RED, "redis", fault)
    if not faults:
        yield Sign(Light.OK, "redis", "Redis answers and never evicts")
    entries, size_bytes = parts.spool.depth()
    if entries:
        text = f"{entries} deliveries ({size_bytes} bytes) wait for SQL; the clock takes them in"
        yield Sign(Light.WARN, "spool", text)


def _processes(parts: Parts) -> Iterator[Sign]:
    now = parts.clock()
    with parts.ledger.reading() as tx:
        beats = marks.list_marks(tx, "beat:")
    for kind in ("worker", "clock"):
        ages = [now - mark.at for mark in beats if mark.name.startswith(f"beat:{kind}:")]
        live = sum(age <= BEAT_MOST for age in ages)
        if live:
            yield Sign(Light.OK, kind, f"{live} running")
        else:
            last = f"the last one was seen {_age(min(ages))} ago" if ages else "none was ever seen"
            yield Sign(Light.RED, kind, f"{last}; start one: claimbot {kind}")


def _accounts(parts: Parts, brand_id: str | None = None, asks_platform: bool = True) -> Iterator[Sign]:
    now = parts.clock()
    with parts.ledger.reading() as tx:
        found = brands.list_accounts(tx, parts.sealer, brand_id)
    if not found:
        yield Sign(Light.RED, "account", "no account is connected: claimbot account connect --help")
    for account in found:
        yield from _account(account, now)
        yield from _hearing(parts, account, now)
        if asks_platform:
            yield _platform(parts, account)


def _hearing(parts: Parts, account: Account, now: datetime) -> Iterator[Sign]:
    """Does it hear what is written to it, as far as the clock has found out?"""
    about = _about(account)
    with parts.ledger.reading() as tx:
        looked, heard = find_looked(tx, account.id), find_heard(tx, account.id)
    if looked is not None and looked.is_deaf:
        yield Sign(Light.RED, about, f"is not told {', '.join(looked.missing)}; see its alert")
    elif looked is not None:
        yield Sign(Light.OK, about, f"was subscribed to what we need {_age(now - looked.at)} ago")
    if looked is not None and looked.mended_at is not None and now - looked.mended_at < TOLD_FOR:
        text = f"was unsubscribed by the platform; subscribed again {_age(now - looked.mended_at)} ago"
        yield Sign(Light.WARN, about, text)
    if heard is not None and heard.found_at is not None and now - heard.found_at < TOLD_FOR:
        text = f"{heard.found} messages that no webhook told were found {_age(now - heard.found_at)} ago"
        yield Sign(Light.WARN, about, text)


def _about(account: Account) -> str:
    return f"@{account.username or account.external_id}"


def _account(account: Account, now: datetime) -> Iterator[Sign]:
    signs = list(_troubles(account, now))
    yield from signs or [Sign(Light.OK, _about(account), _well(account, now))]


def _well(account: Account, now: datetime) -> str:
    """How long ago it was heard, and how long its token lives."""
    heard = f"was heard {_age(now - account.last_event_at)} ago" if account.last_event_at else "is connected"
    ends_at = account.token_expires_at
    return f"{heard}; its token {f'ends in {(ends_at - now).days} days' if ends_at else 'does not end'}"


def _troubles(account: Account, now: datetime) -> Iterator[Sign]:
    about = _about(account)
    if not account.is_live:
        text = f"is parked ({account.reason}): connect it again: claimbot account connect"
        yield Sign(Light.RED, about, text)
    days = (account.token_expires_at - now).days if account.token_expires_at else None
    if days is not None and days < TOKEN_DAYS_MIN:
        text = f"the token ends in {max(days, 0)} days: connect it again"
        yield Sign(Light.RED if days < 1 else Light.WARN, about, text)
    if account.last_event_at is None:
        yield Sign(Light.WARN, about, "nothing was ever heard: write to it, and look at the app's webhooks")
    elif now - account.last_event_at > EVENT_MOST:
        age = _age(now - account.last_event_at)
        yield Sign(Light.WARN, about, f"nothing was heard for {age}: write to it and see if it answers")


def _platform(parts: Parts, account: Account) -> Sign:
    about = _about(account)
    channel = by_name(account.channel)
    if channel is None:
        return Sign(Light.RED, about, f"there is no channel {account.channel}")
    health = channel.check(parts.http, sender_of(account))
    if health.ok:
        return Sign(Light.OK, about, "the platform knows the token and sends what we need")
    missing = f": {', '.join(health.missing_fields)}" if health.missing_fields else ""
    return Sign(Light.RED, about, f"the platform says {health.reason}{missing}: claimbot account connect")


def _brands(parts: Parts) -> Iterator[Sign]:
    with parts.ledger.reading() as tx:
        found = brands.list_brands(tx)
    if not found:
        yield Sign(Light.RED, "brand", "there is no brand: claimbot brand create --help")
    yield from _keys(parts, found)


def _keys(parts: Parts, found: Sequence[Brand]) -> Iterator[Sign]:
    with parts.ledger.reading() as tx:
        keyless = [one for one in found if brands.find_payment_keys(tx, parts.sealer, one.id) is None]
    for brand in keyless:
        yield Sign(Light.WARN, brand.slug, f"cannot be paid: claimbot brand stripe-keys {brand.slug}")
    for brand in found:
        if brand not in keyless:
            yield _mode(parts, brand)


def diagnose_books(parts: Parts) -> list[Sign]:
    """When each brand that can be paid was last compared with Stripe, and what came of it."""
    with parts.ledger.reading() as tx:
        found = brands.list_brands(tx)
        payable = [one for one in found if brands.find_payment_keys(tx, parts.sealer, one.id) is not None]
        compared = [(one, find_books(tx, one.id)) for one in payable]
    return [_books(brand, mark, parts.clock()) for brand, mark in compared]


def _all_books(parts: Parts) -> Iterator[Sign]:
    yield from diagnose_books(parts)


def _books(brand: Brand, mark: marks.Mark | None, now: datetime) -> Sign:
    about = f"Stripe's books of {brand.slug}"
    if mark is None:
        return Sign(Light.WARN, about, "were never compared; the clock does it: claimbot clock")
    wrong = len(mark.facts["different"]) + len(mark.facts["lost"])
    when = f"compared {_age(now - mark.at)} ago: {mark.facts['sessions']} sessions, {mark.facts['paid']} paid"
    if wrong:
        return Sign(Light.RED, about, f"{when}, {wrong} not settled here: claimbot reconcile --help")
    is_old = now - mark.at > 2 * COMPARED_EVERY
    return Sign(Light.WARN if is_old else Light.OK, about, f"{when}, all of them settled here")


def _webhooks(parts: Parts, brand_id: str | None = None) -> Iterator[Sign]:
    """The brands' own systems; one that does not answer keeps no launch from working."""
    with parts.ledger.reading() as tx:
        found = webhooks.list_backlogs(tx, brand_id)
    for one in found:
        # Only the host: the rest of an address may be a secret of theirs.
        about = f"webhook {urlsplit(one.endpoint.url).hostname}"
        if one.given_up:
            text = f"{one.given_up} events could not be delivered: send them again in Settings, Webhooks"
            yield Sign(Light.WARN, about, text)
        if one.endpoint.failures >= FAILURES_MOST:
            text = f"does not accept events, {one.waiting} wait: see why in Settings, Webhooks"
            yield Sign(Light.WARN, about, text)


def _mode(parts: Parts, brand: Brand) -> Sign:
    is_rehearsal = not brand.livemode and parts.settings.environment == "production"
    if is_rehearsal:
        return Sign(Light.WARN, brand.slug, "has test keys in production: nobody would really pay")
    return Sign(Light.OK, brand.slug, f"has {'live' if brand.livemode else 'test'} Stripe keys")


def _clock(parts: Parts) -> Iterator[Sign]:
    parts.clock()
    skew_seconds = parts.clock.skew_seconds if isinstance(parts.clock, DatabaseClock) else 0.0
    if abs(skew_seconds) > SKEW_SECONDS_MOST:
        text = f"is {skew_seconds:+.1f} seconds away from the database's: switch on time synchronisation"
        yield Sign(Light.WARN, "this clock", text)


def _work(parts: Parts) -> Iterator[Sign]:
    now = parts.clock()
    with parts.ledger.reading() as tx:
        verified = marks.find_mark(tx, "verify")
        waits_since = outbox.oldest_ready(tx, now)
    if waits_since is not None and now - waits_since > DUE_MOST:
        yield Sign(
            Light.RED, "outbox", f"due work waits since {_age(now - waits_since)}: look at the workers"
        )
    if verified is not None:
        yield Sign(Light.OK, "verify", f"last looked {_age(now - verified.at)} ago")


def _alerts(parts: Parts) -> Iterator[Sign]:
    with parts.ledger.reading() as tx:
        found = alerts.list_open(tx)
    for alert in found:
        light = Light.WARN if alert.kind in OF_THEIR_SYSTEMS else Light.RED
        yield Sign(light, f"alert {alert.kind}", alert.text)


OF_THE_ENGINE = (_settings, _ledger, _redis, _processes, _clock, _work)


def _age(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if seconds < 120:
        return f"{max(seconds, 0)} seconds"
    return f"{seconds // 60} minutes" if seconds < 7200 else f"{seconds // 3600} hours"
