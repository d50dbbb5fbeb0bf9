"""How does a crowd reach the engine's door? Signed bodies in a few threads, and workers that answer."""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import httpx

from claimbot.channels.signing import sign_meta
from claimbot.flows import deliver
from claimbot.parts import Parts
from claimbot.sandbox.meta_webhooks import body_of, envelope, event
from tests.engine import Engine
from tests.sandbox.worlds import ACCOUNT, APP_SECRET

CLIENTS = 4
WORKERS = 16


@dataclass(frozen=True)
class Note:
    """One delivery of one message."""

    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Type": "application/json", "X-Hub-Signature-256": sign_meta(self.body, APP_SECRET)}


def handles(count: int) -> list[str]:
    return [f"fan{number:04d}" for number in range(count)]


def notes_of(engine: Engine, crowd: Sequence[str], word: str = "LAUNCH") -> list[Note]:
    """Each of them writes the word; the platform lets the engine answer them from now on."""
    now = engine.clock().timestamp()
    followers = engine.world.world.followers
    found = []
    for who in crowd:
        person = followers.meet(who)
        followers.wrote(ACCOUNT, person.igsid, now)
        message = event(person.igsid, ACCOUNT, now, message={"mid": f"mid.{who}.{word}", "text": word})
        found.append(Note(body_of(envelope(ACCOUNT, now, [message]))))
    return found


def with_repeats(notes: Sequence[Note], part: float, seed: int = 7) -> list[Note]:
    """So large a part of them is delivered twice, anywhere in the stream."""
    chance = random.Random(seed)
    mixed = [*notes, *chance.sample(list(notes), round(len(notes) * part))]
    chance.shuffle(mixed)
    return mixed


def post_all(
    engine: Engine, notes: Sequence[Note], at: dict[int, Callable[[], object]] | None = None
) -> list[int]:
    """The status of each, in the order in which they were answered. `at`: what happens before which note."""
    url = f"{engine.parts.settings.own_url}/webhooks/meta"
    acts = at or {}
    limits = httpx.Limits(max_connections=CLIENTS)
    with (
        httpx.Client(trust_env=False, timeout=20, limits=limits) as client,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):

        def post(number: int) -> int:
            if number in acts:
                acts[number]()
            note = notes[number]
            return client.post(url, content=note.body, headers=note.headers).status_code

        waiting = [pool.submit(post, number) for number in range(len(notes))]
        return [one.result() for one in as_completed(waiting)]


def work_together(parts: Parts, hands: int = WORKERS) -> int:
    """Everything that is due is done, side by side; returns how many rows."""
    done = 0
    with ThreadPoolExecutor(hands) as pool:
        while rows := deliver.take(parts, 200):
            list(pool.map(lambda row: deliver.deliver(parts, row), rows))
            done += len(rows)
    return done
