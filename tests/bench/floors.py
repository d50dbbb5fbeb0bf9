"""python -m tests.bench.floors noop|claim PORT PROCESSES: what can the server do when it does nearly nothing?

`noop` is a Flask POST that reads its body and says ok. `claim` verifies the signature, parses the body and
asks the gate's own script for a unit, one call for each post: a shop without SQL, keywords or answers.
"""

import json
import os
import sys

from flask import Flask, Response, request
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from claimbot.channels.signing import verify_meta
from claimbot.cli.processes import die_with_parent
from claimbot.stock.connect import connect
from claimbot.stock.gate import Ask, Gate
from tests.sandbox.worlds import APP_SECRET

REDIS_VARIABLE = "BENCH_REDIS_URL"
DROP, VARIANT = "drp_floor", "var_floor"
# As many as the engine has by default.
THREADS = 32


def create_noop() -> Flask:
    die_with_parent()
    app = Flask(__name__)

    @app.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @app.post("/webhooks/meta")
    def meta() -> Response:
        request.get_data()
        return Response("ok\n", mimetype="text/plain")

    return app


def create_claim() -> Flask:
    die_with_parent()
    app = Flask(__name__)
    gate = Gate(connect(os.environ[REDIS_VARIABLE], timeout_seconds=5.0))

    @app.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @app.post("/webhooks/meta")
    def meta() -> Response:
        body = request.get_data()
        verify_meta(body, request.headers.get("X-Hub-Signature-256"), [APP_SECRET])
        event = json.loads(body)["entry"][0]["messaging"][0]
        proposal = gate.reserve(DROP, [Ask(event["sender"]["id"], VARIANT, 1, True)]).proposals[0]
        return Response(f"{proposal.word}\n", mimetype="text/plain")

    return app


def main(kind: str, port: str, processes: str) -> None:
    Granian(
        f"tests.bench.floors:create_{kind}",
        factory=True,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        address="127.0.0.1",
        port=int(port),
        workers=int(processes),
        blocking_threads=THREADS,
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    die_with_parent()
    main(*sys.argv[1:])
