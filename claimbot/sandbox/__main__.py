"""python -m claimbot.sandbox --config world.json --port 8001 --data-dir DIR

Served by werkzeug's threaded server: the world lives in one process, and a fault such as a connection closed
without an answer needs the socket under the request, which granian does not give.
"""

import argparse
import logging
import signal
import threading
from pathlib import Path
from types import FrameType

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from claimbot.sandbox.app import create_app, world_of
from claimbot.sandbox.config import from_file

HOST = "127.0.0.1"
# A storm opens many connections at once.
LISTEN_BACKLOG = 1024


class QuietHandler(WSGIRequestHandler):
    """Writes no line for each call."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


def main(told: list[str] | None = None) -> None:
    arguments = _parser().parse_args(told)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    app = create_app(from_file(arguments.config), arguments.data_dir)
    server = make_server(HOST, arguments.port, app, threaded=True, request_handler=QuietHandler)
    server.socket.listen(LISTEN_BACKLOG)
    _stop_on_signal(server)
    try:
        server.serve_forever(poll_interval=0.2)
    finally:
        world_of(app).close()
        server.server_close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m claimbot.sandbox", description="The world on loopback.")
    parser.add_argument("--config", type=Path, required=True, help="world.json")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--data-dir", type=Path, default=None, help="keeps the world over a restart")
    return parser


def _stop_on_signal(server: BaseWSGIServer) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        # shutdown() waits for the loop that this very signal interrupts, so it needs a thread of its own.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


if __name__ == "__main__":
    main()
