"""Where does the time of one DM go? Each layer by itself, in one thread, beside Flask's own."""

import time
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from typing import Any

from flask import Flask

from claimbot.app import create_app
from claimbot.core.messages import Delivery
from claimbot.flows.receive import Parcel, Signed, receive_all
from claimbot.flows.spool import META, read_delivery
from claimbot.flows.take_in import who_signed
from claimbot.parts import Parts
from tests.bench.bodies import Crowd
from tests.bench.figures import Row, Sample
from tests.bench.ground import Ground
from tests.bench.stand import running_stand

NOOP = "no-op Flask route, without a server"
PATH = "/webhooks/meta"
GROUPS = (1, 8, 60)
REPEATED = (1, 60)
BATCH = 120
# The cheapest tenth: what the machine's other work adds is left out, on both sides of the ratio.
CHEAPEST = 0.1

Post = tuple[str, bytes]


def rows(database: str) -> tuple[Row, ...]:
    def row(name: str, what: str) -> Row:
        return Row(f"part {name} {database}", f"{what} ({database})", "µs", NOOP)

    return (
        row("route", "part: our whole Flask route, a DM that was delivered before"),
        row("sign", "part: the signature"),
        row("read", "part: reading the body"),
        *(row(f"matched {size}", f"part: match, reserve, commit; {_shared(size)}") for size in GROUPS),
        row("sold_out", f"part: the same, sold out; {_shared(GROUPS[-1])}"),
        *(row(f"repeated {size}", f"part: the same, delivered before; {_shared(size)}") for size in REPEATED),
    )


def _shared(size: int) -> str:
    return "one DM a commit" if size == 1 else f"{size} DMs share a commit"


def play(ground: Ground, database: str) -> Iterator[Sample]:
    with running_stand(ground, database) as stand:
        stand.drop("LAUNCH", 50_000)
        stand.drop("GONE", 0, is_waitlist_on=False)
        crowd = Crowd()
        count = ground.pick(4_000, BATCH)
        for _ in range(ground.rounds):
            floor = noop_us(_posts(crowd, count, "LAUNCH"))
            for name, cost in _costs(stand.parts, crowd, count):
                yield Sample(f"part {name} {database}", cost, floor)
        stand.check()


def _costs(parts: Parts, crowd: Crowd, count: int) -> Iterator[tuple[str, float]]:
    """What one DM costs in each layer, in microseconds of the processor."""
    posts = _posts(crowd, count, "LAUNCH")
    yield "sign", _cost(_batches(posts), lambda some: [who_signed(parts, body, sign) for sign, body in some])
    now = parts.clock()
    yield "read", _cost(_batches(posts), lambda some: [read_delivery(META, body, now) for _, body in some])
    for size in GROUPS:
        # A group of one costs thousands: fewer of them.
        yield (
            f"matched {size}",
            _receive(parts, _posts(crowd, count if size > 1 else count // 10, "LAUNCH"), size),
        )
    yield "sold_out", _receive(parts, _posts(crowd, count, "GONE"), GROUPS[-1])
    _receive(parts, posts, GROUPS[-1])
    for size in REPEATED:
        yield f"repeated {size}", _receive(parts, posts, size)
    yield "route", _cost(_batches(posts), _caller(create_app(parts)))


def noop_us(posts: Sequence[Post]) -> float:
    app = Flask("noop")
    app.add_url_rule(PATH, view_func=lambda: "ok", methods=["POST"])
    return _cost(_batches(posts), _caller(app))


def _receive(parts: Parts, posts: Sequence[Post], size: int) -> float:
    now = parts.clock()
    parcels = [Parcel(_read(body, parts), Signed(), now) for _, body in posts]
    groups = [parcels[at : at + size] for at in range(0, len(parcels), size)]
    return _cost(groups, lambda group: receive_all(parts, group))


def _read(body: bytes, parts: Parts) -> Delivery:
    return read_delivery(META, body, parts.clock())


def _posts(crowd: Crowd, count: int, text: str) -> list[Post]:
    lines = (line.partition(b" ") for line in crowd.lines(count, text))
    return [(sign.decode(), body) for sign, _, body in lines]


def _batches(posts: Sequence[Post]) -> list[Sequence[Post]]:
    return [posts[at : at + BATCH] for at in range(0, len(posts), BATCH)]


def _cost(batches: Sequence[Sequence[Any]], work: Callable[[Any], object]) -> float:
    found = []
    for batch in batches:
        began_at = time.process_time()
        work(batch)
        found.append((time.process_time() - began_at) * 1e6 / len(batch))
    return sorted(found)[int(len(found) * CHEAPEST)]


def _caller(app: Flask) -> Callable[[Sequence[Post]], None]:
    """Calls the application as a server does, without one."""

    def call(posts: Sequence[Post]) -> None:
        for sign, body in posts:
            answer: Any = app(_environ(sign, body), lambda *_: lambda _bytes: None)
            b"".join(answer)
            answer.close()

    return call


def _environ(sign: str, body: bytes) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": PATH,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_X_HUB_SIGNATURE_256": sign,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
    }
