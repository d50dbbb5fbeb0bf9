"""How is the world put together as one web application?"""

from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

from claimbot.sandbox.asked import BadRequest
from claimbot.sandbox.config import WorldConfig
from claimbot.sandbox.graph import graph_routes
from claimbot.sandbox.pages import STATIC, TEMPLATES
from claimbot.sandbox.pay_page import pay_routes
from claimbot.sandbox.phone_api import phone_routes
from claimbot.sandbox.phone_page import phone_page_routes
from claimbot.sandbox.stripe_api import stripe_routes
from claimbot.sandbox.stripe_desk import stripe_desk_routes
from claimbot.sandbox.world import World, make_world
from claimbot.sandbox.world_api import world_routes

# A batch of 1,000 messages fits; nothing else here is large.
MAX_BODY_BYTES = 4 * 1024 * 1024

# No inline script or style, nothing from elsewhere but a drop's own picture.
PAGE_POLICY = "default-src 'self'; img-src 'self' data: http: https:; frame-ancestors 'none'; base-uri 'none'"


def create_app(config: WorldConfig, data_dir: Path | None) -> Flask:
    """A world of its own; `app.extensions["world"].close()` ends its threads and writes what is waiting."""
    app = Flask(__name__, template_folder=str(TEMPLATES), static_folder=str(STATIC))
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    world = make_world(config, data_dir)
    app.extensions["world"] = world
    for routes in (
        graph_routes,
        stripe_routes,
        phone_routes,
        world_routes,
        stripe_desk_routes,
        pay_routes,
        phone_page_routes,
    ):
        app.register_blueprint(routes(world))
    app.register_error_handler(BadRequest, lambda wrong: ({"error": str(wrong)}, 400))
    app.before_request(_only_from_here)
    app.after_request(_with_policy)
    return app


def world_of(app: Flask) -> World:
    world = app.extensions["world"]
    assert isinstance(world, World)
    return world


def _only_from_here() -> ResponseReturnValue | None:
    """A page from elsewhere, open in the same browser, must not drive this world."""
    origin = request.headers.get("Origin")
    if request.method == "GET" or origin is None or urlsplit(origin).netloc == request.host:
        return None
    return {"error": "other_origin"}, 403


def _with_policy(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
    return response
