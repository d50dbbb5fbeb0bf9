"""Is it alive, is it ready, and what are its figures?"""

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from claimbot.flows.watch import list_troubles
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
        troubles = list_troubles(parts)
        text = "".join(f"{trouble}\n" for trouble in troubles) or "ok\n"
        return Response(text, 503 if troubles else 200, mimetype="text/plain")

    @routes.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return routes
