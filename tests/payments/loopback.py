"""A loopback server that plays Stripe by script: it records what it is asked and answers what it is told."""

import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Says:
    """One scripted answer; with `hangs` nothing is answered until the server stops."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False
    resets: bool = False

    def as_bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class ScriptedStripe:
    """Answers in the order of the script; the last answer is repeated."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.script: deque[Says] = deque()
        self.stopping = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._door())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def says(self, *answers: Says) -> None:
        self.script.extend(answers)

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def _next(self) -> Says:
        return self.script.popleft() if len(self.script) > 1 else self.script[0]

    def _door(self) -> type[BaseHTTPRequestHandler]:
        stripe = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                path, _, query = self.path.partition("?")
                body = self.rfile.read(length)
                stripe.asked.append(Asked(self.command, path, query, self.headers, body))
                says = stripe._next()
                self.close_connection = says.hangs or says.resets
                if says.hangs:
                    stripe.stopping.wait(30)
                if not self.close_connection:
                    self.write(says)

            do_GET = do_POST = answer

            def write(self, says: Says) -> None:
                written = says.as_bytes()
                self.send_response(says.status)
                self.send_header("Content-Length", str(len(written)))
                for name, value in says.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(written)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet: the tests look at `asked`."""

        return Door
