"""How long does the largest body that a platform may sign hold up the doors, whatever stands in it?"""

import json
import statistics
import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import httpx

from tests.bench.bodies import Crowd, signed
from tests.bench.figures import Goal, Row, Sample
from tests.bench.ground import Ground
from tests.bench.stand import Site, Stand, running_stand
from tests.sandbox.worlds import ACCOUNT

MEGABYTES = 3
BODY_BYTES = MEGABYTES * 1_000_000
POSTS = 11
OK = 200

ROWS = (
    Row(
        "large body",
        "a signed body of 3 MB: text, junk, brackets, digits, keys, entries; the slowest of them (sqlite)",
        "ms",
        goals=(Goal("figure", at_most=150),),
    ),
    Row("large body usual", "a usual DM beside it, on the same connection (sqlite)", "ms"),
)


class Refused(Exception):
    """A signed body is answered with 200, whatever stands in it."""


def around(event: Mapping[str, Any]) -> bytes:
    entry = {"id": ACCOUNT, "time": round(time.time() * 1000), "messaging": [event]}
    return json.dumps({"object": "instagram", "entry": [entry]}).encode()


def long_text(number: int) -> bytes:
    message = {"mid": f"mid.large.{number}", "text": "LAUNCH " + "x" * BODY_BYTES}
    who = {"sender": {"id": "17000000000000001"}, "recipient": {"id": ACCOUNT}}
    return around({**who, "timestamp": round(time.time() * 1000), "message": message})


def many_keys(_: int) -> bytes:
    return around({f"key{number}": number for number in range(BODY_BYTES // 24)})


def many_entries(_: int) -> bytes:
    entries = b",".join([b'{"id":"1"}'] * (BODY_BYTES // 11))
    return b'{"object":"instagram","entry":[' + entries + b"]}"


# What stands in it, by a name; a number makes the next of its kind another one.
KINDS = MappingProxyType(
    {
        "text": long_text,
        "junk": lambda _: b"x" * BODY_BYTES,
        "brackets": lambda _: b"[" * BODY_BYTES,
        "digits": lambda _: b'{"object":' + b"9" * BODY_BYTES + b"}",
        "keys": many_keys,
        "entries": many_entries,
    }
)


def play(ground: Ground) -> Iterator[Sample]:
    posts = ground.pick(POSTS, 1)
    with running_stand(ground, "sqlite") as stand, httpx.Client(trust_env=False, timeout=30.0) as client:
        stand.drop("LAUNCH", 100)
        site = stand.start_web()
        usual = Crowd()
        for _ in range(ground.rounds):
            parts = {f"{kind}_ms": slowest(stand, client, site, kind, posts) for kind in KINDS}
            yield Sample("large body", max(parts.values()), parts=parts)
            yield Sample("large body usual", ms_of(client, site, usual.lines(1, "LAUNCH")[0]))
        stand.check()


def slowest(stand: Stand, client: httpx.Client, site: Site, kind: str, posts: int) -> float:
    """The median of some: one alone meets whatever else the machine does."""
    lines = [signed(KINDS[kind](number)) for number in range(posts)]
    return statistics.median(ms_of(client, site, line) for line in lines)


def ms_of(client: httpx.Client, site: Site, line: bytes) -> float:
    """Raises Refused."""
    signature, _, body = line.partition(b" ")
    headers = {"X-Hub-Signature-256": signature.decode(), "Content-Type": "application/json"}
    began_at = time.perf_counter()
    status = client.post(site.url, content=body, headers=headers).status_code
    took_ms = (time.perf_counter() - began_at) * 1000
    if status != OK:
        raise Refused(f"{status} for {len(body):,} bytes")
    return took_ms
