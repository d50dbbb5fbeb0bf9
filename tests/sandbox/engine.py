"""What would the engine have received? A real HTTP server on loopback that remembers every webhook."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WAIT_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.body)
        return read

    @property
    def event(self) -> dict[str, Any]:
        """The first messaging event of a Meta webhook."""
        first: dict[str, Any] = self.told["entry"][0]["messaging"][0]
        return first


@dataclass
class Engine:
    """`answers` are used up one for each webhook; then it is 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def remember(self, one: Received) -> int:
        with self.changed:
            self.received.append(one)
            self.changed.notify_all()
            return self.answers.pop(0) if self.answers else 200

    def wait_for(self, count: int) -> list[Received]:
        with self.changed:
            self.changed.wait_for(lambda: len(self.received) >= count, WAIT_SECONDS)
            assert len(self.received) >= count, f"only {len(self.received)} webhooks arrived"
            return list(self.received)

    def wait_for_type(self, kind: str) -> Received:
        """The first Stripe event of that type."""
        with self.changed:
            self.changed.wait_for(lambda: bool(self._of(kind)), WAIT_SECONDS)
            return self._of(kind)[0]

    def _of(self, kind: str) -> list[Received]:
        return [one for one in self.received if one.told.get("type") == kind]


@contextmanager
def running_engine() -> Iterator[Engine]:
    engine = Engine()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(engine.remember(Received(self.path, dict(self.headers), body)))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    engine.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield engine
    finally:
        server.shutdown()
        server.server_close()
