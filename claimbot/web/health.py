"""Is it alive, is it ready, and what are its figures?"""

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from claimbot.flows.watch import read_readiness
from claimbot.parts import Parts
from claimbot.web.counts import Counts
from claimbot.web.metrics import FiguresCollector


def health_routes(parts: Parts, counts: Counts) -> Blueprint:
    routes = Blueprint("health", __name__)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(FiguresCollector(parts, counts))

    @routes.get("/healthz")
    def alive() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @routes.get("/readyz")
    def ready() -> Response:
        found = read_readiness(parts)
        # Whoever balances the load must not cut off what goes on without Redis, or into the spool.
        text = "".join(f"{trouble}\n" for trouble in found.troubles) or "ok\n"
        return Response(text, 200 if found.is_ready else 503, mimetype="text/plain")

    @routes.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return routes
