"""A small server on loopback that records what it is asked and answers as it was told."""

import json
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from claimbot.channels.http import MetaHttp

# Long enough for an answer on a busy machine, short enough for a test that waits for it to pass.
IMPATIENT_SECONDS = 0.4


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Says:
    """One answer. Without a status: `silence` is to hang, `reset` to cut the connection."""

    status: int = 200
    document: object = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    fault: str = ""


class MetaServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[Asked] = []
        self.answers: list[Says] = []
        self.is_over = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: MetaServer

    def answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        parts = urlsplit(self.path)
        body = json.loads(content) if content else None
        query = dict(parse_qsl(parts.query))
        self.server.asked.append(Asked(self.command, parts.path, query, dict(self.headers), body))
        says = self.server.answers.pop(0)
        if says.fault == "silence":
            self.server.is_over.wait(10)
        elif says.fault == "reset":
            self._reset()
        else:
            self._say(says)

    def _say(self, says: Says) -> None:
        content = json.dumps(says.document).encode() if says.raw is None else says.raw
        self.send_response(says.status)
        for name, value in says.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    do_GET = do_POST = answer


@contextmanager
def serving() -> Iterator[MetaServer]:
    with MetaServer() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.is_over.set()
            server.shutdown()
            thread.join(5)


@contextmanager
def calling(url: str) -> Iterator[MetaHttp]:
    """The engine's caller with less patience. The two hosts of Meta are two folders of the one server."""
    with httpx.Client(timeout=IMPATIENT_SECONDS, trust_env=False) as client:
        yield MetaHttp(client, f"{url}/graph", f"{url}/instagram")
