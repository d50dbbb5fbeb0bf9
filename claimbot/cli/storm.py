"""How does a launch feel? Many write to the sandbox at once, things break if asked to, and every promise is
checked afterwards."""

import ipaddress
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import click
import httpx
from rich.console import Console
from rich.progress import Progress

from claimbot.cli.shared import show, show_json
from claimbot.cli.simulate import question_of, simulate, simulate_options
from claimbot.cli.storm_faults import FAULTS, Schedule, Target, list_faults
from claimbot.cli.surroundings import find_settings, opened_parts
from claimbot.core.drops import Drop, Phase, phase
from claimbot.core.errors import ClaimbotError, Refused
from claimbot.core.keywords import normalise
from claimbot.db.storms import count_stored, count_unsent, read_aftermath
from claimbot.flows.launch import restock
from claimbot.flows.poll import ask_for_events
from claimbot.flows.verify import verify
from claimbot.parts import Parts

# Meta puts at most this many messages into one POST.
BATCH_MOST = 1_000
FOLLOWERS, FOLLOWERS_MOST = 1_000, 200_000
TIMEOUT_SECONDS = 60.0
# After the last word everything must be answered within this; then it is stuck.
DRAINED_SECONDS = 300.0
LOOK_SECONDS = 0.5
OK = 200
# Half a minute: a killed process is back by then.
TRIES_MOST = 60
TRY_AGAIN_SECONDS = 0.5


class SandboxSilent(ClaimbotError):
    """The sandbox does not answer; the text says what to start."""


@dataclass(frozen=True, slots=True)
class Plan:
    followers: int
    threads: int
    duplicates: int
    """Percent of the messages that are delivered a second time."""
    batch: int
    word: str
    pay: int
    """Percent of the winners who pay."""
    sandbox_url: str
    choices: tuple[str, ...] = ()
    """What follows the word, one of them at random: the codes of variants."""
    is_reordered: bool = False
    """Words arrive in no order at all; otherwise a little mixed, as threads do."""
    faults: tuple[str, ...] = ()
    stock: int | None = None
    tag: str = field(default_factory=lambda: secrets.token_hex(3))


@dataclass(frozen=True, slots=True)
class Message:
    follower: str
    text: str
    mid: str
    is_again: bool = False


@dataclass
class Tally:
    """What was sent and what came back. Shared by the threads."""

    sent: int = 0
    duplicates: int = 0
    again: int = 0
    """Posts that were refused or lost, and delivered again as a platform would."""
    statuses: Counter[int] = field(default_factory=Counter)
    waited_ms: list[float] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    """Message ids."""
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class Report:
    """The table at the end; counts are of the word's drop since the storm began."""

    sent: int
    duplicates: int
    acknowledged: int
    refused: int
    delivered_again: int
    faults: list[str]
    lost: int
    """Messages that were acknowledged and are not stored: must be none."""
    p50_ms: float
    p99_ms: float
    messages_per_second: float
    outcomes: dict[str, int]
    claims: dict[str, int]
    answered: int
    seconds_until_answered: float
    broken: list[str]


@click.command(epilog="Example: claimbot storm --followers 1000 --threads 4 --duplicates 30 --word LAUNCH")
@click.option("--followers", type=click.IntRange(1, 10_000_000), help="Default 1,000; simulated 1,000,000.")
@click.option("--threads", type=click.IntRange(1, 64), default=4, show_default=True)
@click.option("--duplicates", type=click.IntRange(0, 100), default=30, show_default=True, help="Percent.")
@click.option(
    "--batch", type=click.IntRange(1, BATCH_MOST), default=1, show_default=True, help="Words per POST."
)
@click.option("--word", default="LAUNCH", show_default=True)
@click.option("--pay", type=click.IntRange(0, 100), default=50, show_default=True, help="Percent of winners.")
@click.option("--reorder", "is_reordered", is_flag=True, help="Deliver the words in no order at all.")
@click.option("--stock", type=click.IntRange(0, 100_000), help="Set the stock of the drop first.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    type=click.Choice(list(FAULTS)),
    metavar="NAME",
    help=f"May be given several times. {list_faults()}.",
)
@click.option("--sandbox-url", default="", help="Default: this machine, PORT+1.")
@simulate_options
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_context
def storm(ctx: click.Context, /, sandbox_url: str, as_json: bool, **told: Any) -> None:
    """Rehearse a launch against a running sandbox on this machine; exit 1 when a promise broke.

    With --simulate nothing is sent: how long would it take, and what would it need?
    """
    asked = question_of(ctx)
    if asked is not None:
        simulate(asked, as_json)
        return
    told = {name: told[name] for name in Plan.__dataclass_fields__ if name in told}
    told["followers"] = refuse_too_many(told["followers"] or FOLLOWERS)
    url = sandbox_url or f"http://127.0.0.1:{find_settings().port + 1}"
    refuse_elsewhere(url)
    plan = Plan(sandbox_url=url.rstrip("/"), **told)
    console = Console(stderr=True)
    with opened_parts() as parts:
        drop = drop_of(parts, plan.word)
        if plan.stock is not None:
            restock(parts, "claimbot storm", drop.variants[0].id, plan.stock)
        with Progress(console=console, disable=as_json) as progress:
            report = rehearse(parts, plan, drop, progress)
    if as_json:
        show_json(asdict(report))
    else:
        show(("", ""), list(_rows(report)), "")
    ctx.exit(1 if report.broken or report.refused or report.lost else 0)


def refuse_too_many(followers: int) -> int:
    """Raises Refused."""
    if followers > FOLLOWERS_MOST:
        raise Refused(f"--followers: at most {FOLLOWERS_MOST:,} really write; add --simulate for more")
    return followers


def refuse_elsewhere(url: str) -> None:
    """A storm is for this machine only. Raises Refused."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        is_here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = False
    if parts.scheme != "http" or not is_here:
        raise Refused("--sandbox-url: a storm goes to this machine only, such as http://127.0.0.1:8001")


def rehearse(parts: Parts, plan: Plan, drop: Drop, progress: Progress) -> Report:
    """Write, wait until everybody is answered, pay, wait again, and look at what the ledger says."""
    since = parts.clock()
    tally = Tally()
    with httpx.Client(base_url=plan.sandbox_url, trust_env=False, timeout=TIMEOUT_SECONDS) as sandbox:
        before = _open_sessions(sandbox)
        schedule = Schedule.of(Target(parts, sandbox, drop.id), plan.faults, plan.followers)
        write_seconds = _write(sandbox, plan, Crowd(tally, schedule), progress)
        drain_seconds = _drain(parts, since, progress, "Answering")
        _pay(sandbox, plan.pay, sorted(_open_sessions(sandbox) - before), progress)
        if schedule.loses_news:
            # The clock does the same every two minutes.
            ask_for_events(parts)
        schedule.end()
        _drain(parts, since, progress, "Thanking")
    with parts.ledger.reading() as tx:
        after = read_aftermath(tx, drop.id, since)
        stored = count_stored(tx, plan.tag)
    waits = sorted(tally.waited_ms)
    return Report(
        sent=tally.sent,
        duplicates=tally.duplicates,
        acknowledged=tally.statuses[200],
        refused=tally.statuses.total() - tally.statuses[200],
        delivered_again=tally.again,
        faults=schedule.struck,
        lost=len(tally.acknowledged) - stored,
        p50_ms=_percentile(waits, 50),
        p99_ms=_percentile(waits, 99),
        messages_per_second=round(tally.sent / write_seconds, 1),
        outcomes=dict(after.outcomes),
        claims=dict(after.claims),
        answered=after.answered,
        seconds_until_answered=round(drain_seconds, 1),
        broken=[f"{one.invariant} {breach}" for one in verify(parts) for breach in one.breaches],
    )


def drop_of(parts: Parts, word: str) -> Drop:
    """Raises Refused when nobody could claim anything with this word."""
    books = parts.catalog(is_fresh=True).brands.values()
    owners = [
        book.drops[drop_id]
        for book in books
        for drop_id, words in book.words.items()
        if normalise(word) in map(normalise, words)
    ]
    live = [drop for drop in owners if phase(drop, parts.clock()) is Phase.OPEN]
    if not live:
        raise Refused(f"--word: no open drop has the word {word}; see: claimbot drop list")
    return live[0]


def _open_sessions(sandbox: httpx.Client) -> set[str]:
    try:
        found = sandbox.get("/api/stripe/sessions").json()
    except (httpx.HTTPError, ValueError):
        raise SandboxSilent("the sandbox does not answer; start it with: claimbot up") from None
    return {str(one["id"]) for one in found if one["status"] == "open"}


@dataclass
class Crowd:
    """Those who write, and what breaks meanwhile."""

    tally: Tally
    schedule: Schedule

    def note(self, messages: Sequence[Message]) -> None:
        with self.tally.lock:
            self.schedule.pass_by(self.tally.sent)
            self.tally.sent += len(messages)
            self.tally.duplicates += sum(one.is_again for one in messages)


def _write(sandbox: httpx.Client, plan: Plan, crowd: Crowd, progress: Progress) -> float:
    """Everybody writes; returns how many seconds it took."""
    people = list(_posts(plan))
    task = progress.add_task("Writing", total=sum(len(post) for post in people))

    def post(messages: Sequence[Message]) -> None:
        crowd.note(messages)
        _deliver(sandbox, messages, crowd.tally)
        progress.advance(task, len(messages))

    began_at = time.monotonic()
    with ThreadPoolExecutor(plan.threads) as pool:
        list(pool.map(post, people))
    return time.monotonic() - began_at


def _posts(plan: Plan) -> Iterator[Sequence[Message]]:
    """Each follower's word, some of them twice and late, as many in a POST as the plan says."""
    chance = random.Random(secrets.randbits(64))  # noqa: S311 - who is repeated is no secret
    tag = plan.tag
    messages: list[Message] = []
    for number in range(plan.followers):
        text = f"{plan.word} {chance.choice(plan.choices)}" if plan.choices else plan.word
        message = Message(f"storm.{tag}.{number}", text, f"storm-{tag}-{number}")
        messages.append(message)
        if chance.random() * 100 < plan.duplicates:
            messages.append(replace(message, is_again=True))
    mixed = len(messages) if plan.is_reordered else plan.threads * 8
    places = sorted(range(len(messages)), key=lambda place: place + chance.random() * mixed)
    for start in range(0, len(places), plan.batch):
        yield [messages[place] for place in places[start : start + plan.batch]]


def _deliver(sandbox: httpx.Client, messages: Sequence[Message], tally: Tally) -> None:
    """As a platform does: again and again until it hears 200, or gives up."""
    for number in range(TRIES_MOST):
        time.sleep(TRY_AGAIN_SECONDS if number else 0)
        began_at = time.monotonic()
        status = _post(sandbox, messages)
        waited_ms = (time.monotonic() - began_at) * 1000
        if status == OK:
            break
        with tally.lock:
            tally.again += number + 1 < TRIES_MOST
    with tally.lock:
        tally.statuses[status] += 1
        tally.waited_ms.append(waited_ms)
        tally.acknowledged |= {one.mid for one in messages} if status == OK else set()


def _post(sandbox: httpx.Client, messages: Sequence[Message]) -> int:
    """The engine's status; 0 when there was no answer."""
    written = [{"follower": one.follower, "text": one.text, "mid": one.mid} for one in messages]
    is_single = len(written) == 1
    path, body = ("/api/dm", written[0]) if is_single else ("/api/batch", {"messages": written})
    try:
        return int(sandbox.post(path, json={**body, "retry": False}).json()["status"])
    except (httpx.HTTPError, ValueError, KeyError):
        return 0


def _drain(parts: Parts, since: datetime, progress: Progress, what: str) -> float:
    """Until nobody waits for an answer, or DRAINED_SECONDS; returns the seconds."""
    began_at = time.monotonic()
    task = progress.add_task(what, total=None)
    most = 0
    while time.monotonic() < began_at + DRAINED_SECONDS:
        with parts.ledger.reading() as tx:
            unsent = count_unsent(tx, since)
        most = max(most, unsent)
        progress.update(task, total=max(most, 1), completed=max(most, 1) - unsent)
        if unsent == 0:
            break
        time.sleep(LOOK_SECONDS)
    return time.monotonic() - began_at


def _pay(sandbox: httpx.Client, percent: int, sessions: Sequence[str], progress: Progress) -> None:
    payers = sessions[: len(sessions) * percent // 100]
    for session_id in progress.track(payers, description="Paying"):
        sandbox.post(f"/api/stripe/sessions/{session_id}/pay", json={})
    ends_at = time.monotonic() + DRAINED_SECONDS
    while _undelivered(sandbox) and time.monotonic() < ends_at:
        time.sleep(LOOK_SECONDS / 5)


def _undelivered(sandbox: httpx.Client) -> int:
    """Events of the payments that are on their way to us."""
    return int(sandbox.get("/api/state").json()["deliveries"]["waiting"])


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return round(ordered[min(len(ordered) * percent // 100, len(ordered) - 1)], 1)


def _rows(report: Report) -> Iterator[tuple[str, object]]:
    yield "words sent", report.sent
    yield "of them duplicates", report.duplicates
    yield "posts answered 200", report.acknowledged
    yield "posts delivered again", report.delivered_again
    yield "posts never acknowledged", report.refused
    yield "acknowledged and lost", report.lost
    if report.faults:
        yield "faults", ", ".join(report.faults)
    yield "words per second", report.messages_per_second
    yield "acknowledged p50 / p99", f"{report.p50_ms} / {report.p99_ms} ms"
    for outcome, count in sorted(report.outcomes.items()):
        yield f"outcome {outcome}", count
    for state, count in sorted(report.claims.items()):
        yield f"claims {state}", count
    yield "messages sent back", report.answered
    yield "everybody answered after", f"{report.seconds_until_answered} s"
    lost = [f"I5 {report.lost} acknowledged messages are not stored"] if report.lost else []
    yield "verdict", "; ".join([*report.broken, *lost]) or "every promise kept"
