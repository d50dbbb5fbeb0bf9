"""How does a server misbehave on the wire? It waits, or it closes the connection without an answer."""

import contextlib
import socket
import threading

from flask import Request, Response


def hang(stopped: threading.Event, seconds: float) -> None:
    """Waits, but not beyond the end of the world."""
    stopped.wait(seconds)


def drop_connection(request: Request) -> Response:
    """Closes the socket under the request; the answer returned here reaches nobody.

    Without a socket (Flask's test client) it is a plain 502.
    """
    sock = request.environ.get("werkzeug.socket")
    if isinstance(sock, socket.socket):
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
    return Response(status=502)
