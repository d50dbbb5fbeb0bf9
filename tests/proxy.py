"""What does a bad network do? A TCP proxy on loopback that delays, swallows, resets and cuts when told to."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Address = str | tuple[str, int]  # a unix socket's path, or a host and a port

CHUNK_BYTES = 65_536
# A linger of zero seconds: closing sends RST instead of FIN.
LINGER_NONE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Toxic:
    """What happens to bytes of one direction. The counting begins when the toxic is set."""

    latency_seconds: float = 0.0
    is_black_hole: bool = False
    is_half_closed: bool = False
    """The receiver is told that there is no more."""
    cut_after_bytes: int | None = None
    cut_after_words: tuple[bytes, ...] = ()
    """Reset once these have passed in this order; the last one only if `passes_last`."""
    passes_last: bool = True


HEALTHY = Toxic()
BLACK_HOLE = Toxic(is_black_hole=True)
LOST_ANSWER = Toxic(cut_after_bytes=0)


@dataclass(eq=False)
class Pump:
    """Carries the bytes of one direction of one connection."""

    proxy: "Proxy"
    direction: str
    source: socket.socket
    target: socket.socket
    toxic: Toxic = HEALTHY
    passed_bytes: int = 0
    words_left: tuple[bytes, ...] = ()

    def run(self) -> None:
        try:
            while chunk := self.source.recv(CHUNK_BYTES):
                if not self._carry(chunk):
                    break
            self.target.shutdown(socket.SHUT_WR)
        except OSError:
            # One end was reset: so is the other.
            reset(self.target)

    def _carry(self, chunk: bytes) -> bool:
        """False when nothing more is to be carried."""
        toxic: Toxic = getattr(self.proxy, self.direction)
        if toxic is not self.toxic:
            self.toxic, self.passed_bytes, self.words_left = toxic, 0, toxic.cut_after_words
        if toxic.latency_seconds:
            self.proxy.over.wait(toxic.latency_seconds)
        if toxic.is_black_hole:
            return True
        if toxic.is_half_closed:
            return False
        allowed, is_cut = self._allowed(chunk)
        self.target.sendall(chunk[:allowed])
        self.passed_bytes += allowed
        if is_cut:
            self.proxy.cuts += 1
            reset(self.source)
            reset(self.target)
        return not is_cut

    def _allowed(self, chunk: bytes) -> tuple[int, bool]:
        """How many bytes may pass, and whether the connection ends there."""
        most = self.toxic.cut_after_bytes
        if most is not None:
            return max(0, min(len(chunk), most - self.passed_bytes)), self.passed_bytes + len(chunk) > most
        last = 0
        while self.words_left and (at := chunk.find(self.words_left[0], last)) >= 0:
            last, self.words_left = at, self.words_left[1:]
        is_cut = bool(self.toxic.cut_after_words) and not self.words_left
        return (len(chunk) if not is_cut or self.toxic.passes_last else 0), is_cut


def reset(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
        end.shutdown(socket.SHUT_RD)
    end.close()


@dataclass(eq=False)
class Proxy:
    """`up` is what happens toward the server, `down` toward the client; all may be changed while it runs."""

    upstream: Address
    up: Toxic = HEALTHY
    down: Toxic = HEALTHY
    port: int = 0
    cuts: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    ends: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open_door()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open_door(self) -> None:
        self.door = socket.create_server(("127.0.0.1", self.port), backlog=512)
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.door,), name="proxy", daemon=True).start()

    def close_door(self) -> None:
        """New connections are refused, old ones are reset."""
        with suppress(OSError):
            self.door.shutdown(socket.SHUT_RDWR)
        self.door.close()
        self.reset_all()

    def heal(self) -> None:
        self.up = self.down = HEALTHY

    def reset_all(self) -> None:
        with suppress(IndexError):
            while True:
                reset(self.ends.pop())

    def lead_to(self, upstream: Address) -> None:
        """From now on every connection leads there; the old ones are reset."""
        self.upstream = upstream
        self.reset_all()

    def _accept(self, door: socket.socket) -> None:
        with suppress(OSError):
            while True:
                self._join(door.accept()[0])

    def _join(self, client: socket.socket) -> None:
        try:
            server = dial(self.upstream)
        except OSError:
            reset(client)
            return
        self.ends += [client, server]
        threading.Thread(target=self._link, args=(client, server), name="link", daemon=True).start()

    def _link(self, client: socket.socket, server: socket.socket) -> None:
        back = threading.Thread(target=Pump(self, "down", server, client).run, name="pump", daemon=True)
        back.start()
        Pump(self, "up", client, server).run()
        back.join()
        for end in (client, server):
            end.close()
            with suppress(ValueError):
                self.ends.remove(end)


def dial(address: Address) -> socket.socket:
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    server = socket.socket(family)
    try:
        server.connect(address)
    except OSError:
        server.close()
        raise
    return server


@contextmanager
def running_proxy(upstream: Address) -> Iterator[Proxy]:
    proxy = Proxy(upstream)
    try:
        yield proxy
    finally:
        proxy.over.set()
        proxy.close_door()
