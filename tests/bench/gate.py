"""How much of the gate's own speed is left when Python asks it for a hundred units at a time?"""

import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

from redis import Redis

from claimbot.stock import scripts
from claimbot.stock.connect import connect
from claimbot.stock.gate import Ask, Gate
from claimbot.stock.keys import of_drop
from tests.bench.figures import Goal, Row, Sample
from tests.bench.ground import Ground
from tests.bench.stand import running_redis

DROP, VARIANT = "drp_1", "var_1"
BATCH = 100
# As redis-benchmark has by default.
CLIENTS = 50
READ_BYTES = 4_096
# proposed, the epoch, and one list of word, line, variant and unit, as Redis writes them.
REPLY_LINES = 11
# A busy machine may hold the server up for a moment, and this is no test of patience.
TIMEOUT_SECONDS = 10.0

ROWS = (
    Row(
        "gate batch",
        "gate script, batches of 100 from Python",
        "claims/s",
        "the same script one by one, 50 connections (as redis-benchmark asks)",
        (Goal("ratio", at_least=0.8),),
    ),
)


def play(ground: Ground) -> Iterator[Sample]:
    asks = ground.pick(20_000, 2_000)
    with running_redis(ground, ground.new_folder("gate"), ground.cores.server) as url:
        client = connect(url, TIMEOUT_SECONDS)
        gate = Gate(client)
        client.script_load(scripts.load("reserve").text)
        for epoch in range(1, 2 * ground.rounds, 2):
            _load(gate, epoch, asks)
            floor = one_by_one(url, asks)
            _load(gate, epoch + 1, asks)
            yield Sample("gate batch", in_batches(gate, asks), floor)
        client.close()


def _load(gate: Gate, epoch: int, units: int) -> None:
    """A unit for everybody; who asked before is forgotten."""
    word = gate.rebuild(DROP, epoch, {VARIANT: range(1, units + 1)}, (), 0)
    assert word == "swapped", word


def in_batches(gate: Gate, asks: int) -> float:
    """Claims per second of one thread."""
    began_at = time.perf_counter()
    for start in range(0, asks, BATCH):
        batch = [Ask(f"acc_1/{number}", VARIANT, 1, True) for number in range(start, start + BATCH)]
        proposals = gate.reserve(DROP, batch).proposals
        assert proposals[-1].word == "held", proposals[-1]
    return asks / (time.perf_counter() - began_at)


def one_by_one(url: str, asks: int) -> float:
    """Claims per second of fifty connections, each of which waits for its answer."""
    live = of_drop(DROP)
    head = ("EVALSHA", scripts.load("reserve").sha, "3", live.free, live.given, live.meta, "")
    waiting = [_command(*head, f"acc_1/{number}", VARIANT, "1", "1") for number in range(asks)]
    with selectors.DefaultSelector() as lines:
        for _ in range(CLIENTS):
            line = Line(_dial(url))
            lines.register(line.sock, selectors.EVENT_READ, line)
        dialled: list[Line] = [key.data for key in lines.get_map().values()]
        began_at = time.perf_counter()
        for line in dialled:
            line.sock.sendall(waiting.pop())
        _hear_all(lines, waiting, asks)
        seconds = time.perf_counter() - began_at
        for line in dialled:
            line.sock.close()
    return asks / seconds


@dataclass
class Line:
    """One connection, and what it has heard of the answer that it waits for."""

    sock: socket.socket
    got: bytes = b""


def _hear_all(lines: selectors.BaseSelector, waiting: list[bytes], asks: int) -> None:
    answered = 0
    while answered < asks:
        for key, _ in lines.select(TIMEOUT_SECONDS):
            line: Line = key.data
            line.got += line.sock.recv(READ_BYTES)
            if line.got.count(b"\r\n") < REPLY_LINES:
                continue
            assert b"held" in line.got, line.got
            line.got = b""
            answered += 1
            if waiting:
                line.sock.sendall(waiting.pop())


def _command(*words: str) -> bytes:
    """As Redis reads it: each word with its length."""
    parts = [f"*{len(words)}\r\n".encode()]
    parts += [f"${len(word.encode())}\r\n{word}\r\n".encode() for word in words]
    return b"".join(parts)


def _dial(url: str) -> socket.socket:
    """A plain socket to the embedded server."""
    path = Redis.from_url(url).connection_pool.connection_kwargs["path"]
    line = socket.socket(socket.AF_UNIX)
    line.connect(path)
    return line
