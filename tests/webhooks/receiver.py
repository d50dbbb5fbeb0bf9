"""Who listens in a test? A real TLS server on loopback that plays a brand's system, well or badly."""

import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpcore
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from claimbot.webhooks.post import Postman

HOST = "hooks.example"
URL = f"https://{HOST}/claims"
# Of a network that everybody can reach; the dial below leads to the receiver instead.
ADDRESS = "93.184.216.34"
OK = b"HTTP/1.1 204 No Content\r\n\r\n"
# How often a slow one says something: far more often than the time limit.
DRIP_SECONDS = 0.05


@lru_cache(maxsize=1)
def certificate() -> bytes:
    """For HOST, signed by itself; with its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    return private + made.public_bytes(pem)


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytes
    server_name: str


@dataclass
class Receiver:
    """`mode` may change at any time: ok, 500, redirect, hang_up, slow, drip, endless."""

    port: int
    mode: str = "ok"
    calls: list[Call] = field(default_factory=list)
    """What was accepted or refused in full, oldest first."""
    unwelcome: set[str] = field(default_factory=set)
    """Ids that are answered 500 in any mode."""
    connections: int = 0

    def ids(self) -> list[str]:
        return [one.headers["webhook-id"] for one in self.calls]

    def told(self) -> list[tuple[str, str]]:
        """(event, reason) of each call."""
        bodies = [json.loads(one.body) for one in self.calls]
        return [(one["type"], one["data"].get("reason", "")) for one in bodies]


class LoopbackDial(httpcore.NetworkBackend):
    """Leads every address to the receiver, and notes which one was dialled."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._inner = httpcore.SyncBackend()
        self.dialled: list[str] = []

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *_: Any, **__: Any
    ) -> httpcore.NetworkStream:
        assert ipaddress.ip_address(host)
        self.dialled.append(host)
        return self._inner.connect_tcp("127.0.0.1", self._receiver.port, timeout)


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cadata=certificate().decode())


def resolve_public(_host: str, _port: int) -> Sequence[str]:
    return (ADDRESS,)


def postman_to(receiver: Receiver, **changes: Any) -> Postman:
    ways: dict[str, Any] = {"resolve": resolve_public, "dial": LoopbackDial(receiver), "trust": trusting()}
    return Postman(**{**ways, **changes})


@contextmanager
def running_receiver(folder: Path) -> Iterator[Receiver]:
    pem = folder / "receiver.pem"
    pem.write_bytes(certificate())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    listener = socket.create_server(("127.0.0.1", 0))
    receiver = Receiver(listener.getsockname()[1])
    threading.Thread(target=_serve, args=(listener, context, receiver), daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.mode = "hang_up"
        # A thread that waits in accept() is only woken so.
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _serve(listener: socket.socket, context: ssl.SSLContext, receiver: Receiver) -> None:
    with suppress(OSError):
        while True:
            plain, _ = listener.accept()
            receiver.connections += 1
            threading.Thread(target=_talk, args=(plain, context, receiver), daemon=True).start()


def _talk(plain: socket.socket, context: ssl.SSLContext, receiver: Receiver) -> None:
    names: list[str] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name or "")
    with suppress(OSError), plain, context.wrap_socket(plain, server_side=True) as talk:
        file = talk.makefile("rb")
        while receiver.mode != "hang_up" and (line := file.readline()):
            call = _read(line, file, names)
            if not _answer(talk, receiver, call):
                return


def _read(line: bytes, file: Any, names: list[str]) -> Call:
    headers: dict[str, str] = {}
    while header := file.readline().strip():
        name, _, value = header.decode().partition(": ")
        headers[name.lower()] = value
    body = file.read(int(headers.get("content-length", "0")))
    return Call(line.decode().strip(), headers, body, names[-1] if names else "")


def _answer(talk: ssl.SSLSocket, receiver: Receiver, call: Call) -> bool:
    """True: the connection goes on."""
    mode = "500" if call.headers["webhook-id"] in receiver.unwelcome else receiver.mode
    if mode == "ok":
        receiver.calls.append(call)
        talk.sendall(OK)
    elif mode == "500":
        receiver.calls.append(call)
        talk.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno")
    elif mode == "redirect":
        receiver.calls.append(call)
        there = b"http://169.254.169.254/latest/meta-data/"
        talk.sendall(b"HTTP/1.1 307 There\r\nLocation: " + there + b"\r\nContent-Length: 0\r\n\r\n")
    elif mode == "drip":
        _drip(talk, receiver, b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a")
    elif mode == "endless":
        receiver.calls.append(call)
        _drip(talk, receiver, b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 10_000)
    elif mode == "slow":
        _drip(talk, receiver, b"", b"")
    return mode in ("ok", "500", "redirect")


def _drip(talk: ssl.SSLSocket, receiver: Receiver, first: bytes, rest: bytes) -> None:
    """Until the other side has had enough, or the test is over."""
    talk.sendall(first)
    mode = receiver.mode
    while receiver.mode == mode:
        time.sleep(DRIP_SECONDS)
        talk.sendall(rest)
