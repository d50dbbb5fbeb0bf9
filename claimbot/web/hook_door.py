"""Where do webhooks come in? Through a small Flask application of their own, before that of the pages.

In a launch each DM passes here. No template, no policy that is made anew, and three routes to choose from:
what the pages need would cost a delivery more than its signature.
"""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Request
from flask.sessions import SessionInterface

from claimbot.channels.body import BODY_BYTES_MAX
from claimbot.parts import Parts
from claimbot.web.counts import Counts
from claimbot.web.errors import add_errors
from claimbot.web.headers import FOR_MACHINES
from claimbot.web.hooks import hook_routes
from claimbot.web.journal import write_line

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

META = "/webhooks/meta"
STRIPE = "/webhooks/stripe/"


class NoSessions(SessionInterface):
    """Flask's own sessions are not used: who signed in is known by a cookie of ours."""

    def open_session(self, app: Flask, request: Request) -> None:
        return None


def add_hook_door(app: Flask, parts: Parts, counts: Counts) -> None:
    """Whatever comes to a webhook's path never reaches `app`; its extension "hooks" is who answers."""
    hooks = _make_hooks(parts, counts)
    app.extensions["hooks"] = hooks
    to_hooks, to_pages = hooks.wsgi_app, app.wsgi_app

    def by_path(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not is_for_hooks(path):
            return to_pages(environ, start_response)
        began_at = time.monotonic()

        def start(status: str, headers: list[tuple[str, str]], *trouble: Any) -> Any:
            route = META if path == META else f"{STRIPE}<slug>"
            write_line(environ["REQUEST_METHOD"], route, int(status[:3]), began_at)
            return start_response(status, [*headers, *FOR_MACHINES], *trouble)

        return to_hooks(environ, start)

    app.wsgi_app = by_path  # type: ignore[method-assign]  # as WSGI wraps


def is_for_hooks(path: str) -> bool:
    return path == META or path.startswith(STRIPE)


def _make_hooks(parts: Parts, counts: Counts) -> Flask:
    hooks = Flask(__name__, static_folder=None, template_folder=None)
    hooks.config["MAX_CONTENT_LENGTH"] = BODY_BYTES_MAX
    hooks.session_interface = NoSessions()
    hooks.url_map.merge_slashes = False
    add_errors(hooks)
    hooks.register_blueprint(hook_routes(parts, counts))
    return hooks
