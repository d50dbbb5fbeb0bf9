"""How does a launch feel? Many write to the sandbox at once, things break if asked to, and every promise is
checked afterwards."""

import ipaddress
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import click
import httpx
from rich.console import Console
from rich.progress import Progress

from claimbot.cli.shared import show, show_json
from claimbot.cli.simulate import question_of, simulate, simulate_options
from claimbot.cli.storm_crowd import OK, PATIENCE_SECONDS, Crowd, Plan, write_all
from claimbot.cli.storm_faults import FAULTS, Schedule, list_faults
from claimbot.cli.storm_report import Report, percentile, rows_of
from claimbot.cli.storm_strikes import Target
from claimbot.cli.surroundings import find_settings, opened_parts
from claimbot.core.drops import Drop, Phase, phase
from claimbot.core.errors import ClaimbotError, Refused
from claimbot.core.keywords import normalise
from claimbot.db.storms import count_stored, count_unsent, read_aftermath
from claimbot.flows.gaps import look_soon
from claimbot.flows.launch import restock
from claimbot.flows.poll import ask_for_events
from claimbot.flows.verify import verify
from claimbot.parts import Parts

# Meta puts at most this many messages into one POST.
BATCH_MOST = 1_000
FOLLOWERS, FOLLOWERS_MOST = 1_000, 200_000
TIMEOUT_SECONDS = 60.0
LOOK_SECONDS = 0.5


class SandboxSilent(ClaimbotError):
    """The sandbox does not answer; the text says what to start."""


EPILOG = f"""Example: claimbot storm --followers 1000 --threads 4 --duplicates 30 --word LAUNCH

\b
What may break (--fault NAME, several times for several; whatever happens, it ends with the rehearsal):
{list_faults()}
"""


@click.command(epilog=EPILOG)
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
    help="What breaks meanwhile, see below; may be given several times.",
)
@click.option("--outage", type=click.IntRange(1, 3600), help="Seconds of each fault that has seconds below.")
@click.option(
    "--patience",
    type=click.IntRange(1, 7200),
    default=PATIENCE_SECONDS,
    show_default=True,
    help="Seconds after which whatever is not done is stuck.",
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
    with ended_in_order(), opened_parts() as parts:
        drop = drop_of(parts, plan.word)
        if plan.stock is not None:
            restock(parts, "claimbot storm", drop.variants[0].id, plan.stock)
        with Progress(console=console, disable=as_json) as progress:
            report = rehearse(parts, plan, drop, progress)
    if as_json:
        show_json(asdict(report))
    else:
        show(("", ""), list(rows_of(report)), "")
    ctx.exit(0 if report.is_kept else 1)


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Ctrl-C, SIGTERM and a terminal that goes away end a rehearsal: what it broke is mended first.

    Ctrl-C too: a shell starts what runs in the background with it ignored.
    """

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


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
    waiting = Waiting(progress, plan.patience)
    with httpx.Client(base_url=plan.sandbox_url, trust_env=False, timeout=TIMEOUT_SECONDS) as sandbox:
        before = _open_sessions(sandbox)
        target = Target(parts, sandbox, drop)
        with Schedule.of(target, plan.faults, plan.followers, plan.outage) as schedule:
            crowd = Crowd(schedule)
            write_seconds = write_all(sandbox, plan, crowd, progress)
            written_at = time.monotonic()
            _wait_for_words(parts, plan, crowd, waiting)
            _drain(parts, since, waiting, "Answering")
            drain_seconds = time.monotonic() - written_at
            _pay(sandbox, plan.pay, sorted(_open_sessions(sandbox) - before), waiting)
            if schedule.loses_news:
                # The clock does the same every two minutes.
                ask_for_events(parts)
        unanswered = _drain(parts, since, waiting, "Thanking")
    with parts.ledger.reading() as tx:
        after = read_aftermath(tx, drop.id, since)
        stored = count_stored(tx, plan.tag)
    tally = crowd.tally
    waits = sorted(tally.waited_ms)
    return Report(
        sent=tally.sent,
        duplicates=tally.duplicates,
        acknowledged=tally.statuses[OK],
        refused=tally.statuses.total() - tally.statuses[OK],
        delivered_again=tally.again,
        faults=schedule.struck,
        untold=_expected(crowd) - len(tally.acknowledged),
        found=max(stored - len(tally.acknowledged), 0),
        lost=max(_expected(crowd) - stored, 0),
        p50_ms=percentile(waits, 50),
        p99_ms=percentile(waits, 99),
        messages_per_second=round(tally.sent / write_seconds, 1),
        outcomes=dict(after.outcomes),
        claims=dict(after.claims),
        answered=after.answered,
        unanswered=unanswered,
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


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long is something waited for, and who is shown that?"""

    progress: Progress
    patience_seconds: int

    def until(self, look: Callable[[], int], what: str) -> int:
        """Until nothing is left of it, or for ever so long; what is left then."""
        ends_at = time.monotonic() + self.patience_seconds
        task = self.progress.add_task(what, total=None)
        most = left = look()
        while left and time.monotonic() < ends_at:
            time.sleep(LOOK_SECONDS)
            left = look()
            most = max(most, left)
            self.progress.update(task, total=most, completed=most - left)
        self.progress.update(task, total=max(most, 1), completed=max(most, 1) - left)
        return left


def _expected(crowd: Crowd) -> int:
    """How many messages have to be stored: those that were acknowledged; and all that the platform keeps."""
    tally = crowd.tally
    return len(tally.written if crowd.schedule.loses_words else tally.acknowledged)


def _wait_for_words(parts: Parts, plan: Plan, crowd: Crowd, waiting: Waiting) -> None:
    """What was acknowledged may be in the spool; what nobody told us has to be found in the conversations."""
    crowd.schedule.wait()
    if crowd.schedule.loses_words:
        look_soon(parts, crowd.schedule.target.drop.brand_id)

    def missing() -> int:
        with parts.ledger.reading() as tx:
            return max(_expected(crowd) - count_stored(tx, plan.tag), 0)

    waiting.until(missing, "Finding")


def _drain(parts: Parts, since: datetime, waiting: Waiting, what: str) -> int:
    """Until nobody waits for an answer; how many still do."""

    def unsent() -> int:
        with parts.ledger.reading() as tx:
            return count_unsent(tx, since)

    return waiting.until(unsent, what)


def _pay(sandbox: httpx.Client, percent: int, sessions: Sequence[str], waiting: Waiting) -> None:
    payers = sessions[: len(sessions) * percent // 100]
    for session_id in waiting.progress.track(payers, description="Paying"):
        sandbox.post(f"/api/stripe/sessions/{session_id}/pay", json={})
    waiting.until(lambda: _undelivered(sandbox), "Telling")


def _undelivered(sandbox: httpx.Client) -> int:
    """Events of the payments that are on their way to us."""
    return int(sandbox.get("/api/state").json()["deliveries"]["waiting"])
