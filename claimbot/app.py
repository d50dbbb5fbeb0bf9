"""How is the web process put together?"""

import hashlib
import hmac

from flask import Flask, Response, render_template
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from claimbot.channels.body import BODY_BYTES_MAX
from claimbot.core.errors import Setup
from claimbot.parts import Parts, make_parts
from claimbot.settings import Settings, read_settings
from claimbot.web.admin.doors import admin_routes
from claimbot.web.counts import Counts
from claimbot.web.deletion import deletion_routes
from claimbot.web.errors import add_errors
from claimbot.web.headers import add_headers
from claimbot.web.health import health_routes
from claimbot.web.hook_door import NoSessions, add_hook_door
from claimbot.web.journal import add_journal
from claimbot.web.pages import STATIC, TEMPLATES, mark_static
from claimbot.web.pay import pay_routes

# Our forms hold a token and a few words.
FORM_BYTES_MAX = 64 * 1024
# Long enough for a launch's visitors to fetch them once, short enough for an update to be seen.
STATIC_SECONDS = 3600


def create_app(parts: Parts | None = None) -> Flask:
    """The web application; without `parts` they are made from the settings. Raises Setup."""
    parts = parts or make_parts(read_settings())
    app = Flask(__name__, template_folder=str(TEMPLATES), static_folder=str(STATIC))
    if app.debug and parts.settings.environment == "production":
        raise Setup(["FLASK_DEBUG: debug mode shows secrets to strangers; unset it in production"])
    app.config.update(
        SECRET_KEY=_form_key(parts.settings),
        MAX_CONTENT_LENGTH=BODY_BYTES_MAX,
        MAX_FORM_MEMORY_SIZE=FORM_BYTES_MAX,
        SEND_FILE_MAX_AGE_DEFAULT=STATIC_SECONDS,
    )
    app.session_interface = NoSessions()
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    # Otherwise // in a path is answered with a redirect to whatever host the request named.
    app.url_map.merge_slashes = False
    app.extensions["parts"] = parts
    mark_static(app)
    believe_proxies(app, parts.settings.trusted_proxies)
    counts = Counts()
    # Hooks that run after a request run in the reverse order: the journal sees the finished answer.
    add_journal(app)
    add_headers(app)
    add_errors(app)
    pages = (pay_routes(parts), admin_routes(parts), deletion_routes(parts))
    for routes in (*pages, health_routes(parts, counts)):
        app.register_blueprint(routes)
    app.add_url_rule("/", "start", _start)
    add_hook_door(app, parts, counts)
    return app


def believe_proxies(app: Flask, count: int) -> None:
    """Each proxy adds one entry at the end; whatever stands before those was written by the visitor."""
    if count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)  # type: ignore[method-assign]  # as WSGI wraps


def _start() -> Response:
    return Response(render_template("start.html"), mimetype="text/html")


def _form_key(settings: Settings) -> str:
    """What signs our forms. Without SECRET_KEY one is derived that all processes share."""
    own = settings.secret_key.get_secret_value()
    return own or hmac.new(settings.sealing_keys[0], b"claimbot forms", hashlib.sha256).hexdigest()
