"""How do all write at once? Threads post, a platform's way: again and again until they hear 200."""

import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import httpx
from rich.progress import Progress

from claimbot.cli.storm_faults import Schedule

OK = 200
PATIENCE_SECONDS = 300
# Half a minute: a killed process is back by then.
TRIES_MOST = 60
TRY_AGAIN_SECONDS = 0.5


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
    outage: int | None = None
    """Seconds, for all faults that last for some seconds; None: each its own."""
    patience: int = PATIENCE_SECONDS
    """Seconds after which what is not stored, answered or settled is stuck."""
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
    written: set[str] = field(default_factory=set)
    """Message ids."""
    acknowledged: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Crowd:
    """Those who write, and what breaks meanwhile."""

    schedule: Schedule
    tally: Tally = field(default_factory=Tally)
    is_over: threading.Event = field(default_factory=threading.Event)

    def note(self, messages: Sequence[Message]) -> None:
        with self.tally.lock:
            self.schedule.pass_by(self.tally.sent)
            self.tally.sent += len(messages)
            self.tally.duplicates += sum(one.is_again for one in messages)
            self.tally.written |= {one.mid for one in messages}


def write_all(sandbox: httpx.Client, plan: Plan, crowd: Crowd, progress: Progress) -> float:
    """Everybody writes; returns how many seconds it took."""
    people = list(_posts(plan))
    task = progress.add_task("Writing", total=sum(len(post) for post in people))

    def post(messages: Sequence[Message]) -> None:
        crowd.note(messages)
        _deliver(sandbox, messages, crowd)
        progress.advance(task, len(messages))

    began_at = time.monotonic()
    pool = ThreadPoolExecutor(plan.threads)
    try:
        list(pool.map(post, people))
        # In a few large posts some moments were passed over.
        crowd.schedule.pass_by(crowd.tally.sent)
    finally:
        # Who interrupts us does not wait for those who would still write.
        crowd.is_over.set()
        pool.shutdown(wait=False, cancel_futures=True)
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


def _deliver(sandbox: httpx.Client, messages: Sequence[Message], crowd: Crowd) -> None:
    """What the platform does not tell us is not delivered again either."""
    tally = crowd.tally
    for number in range(TRIES_MOST):
        crowd.is_over.wait(TRY_AGAIN_SECONDS if number else 0)
        began_at = time.monotonic()
        status = _post(sandbox, messages)
        waited_ms = (time.monotonic() - began_at) * 1000
        if status == OK or crowd.schedule.loses_words or crowd.is_over.is_set():
            break
        with tally.lock:
            tally.again += number + 1 < TRIES_MOST
    with tally.lock:
        is_untold = status != OK and crowd.schedule.loses_words
        tally.statuses[status] += not is_untold
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
