"""May this request pass? Every admin page goes through here, so a new one cannot forget to ask.

A stranger is led to the sign-in page. What is not theirs does not exist (404). A form must carry the token
of the session it was made for, and must come from a page of ours. What moves money, data or secrets asks for
the password again (again.py).
"""

from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from claimbot.core.operators import Right, Visitor
from claimbot.flows.sign_in import find_visitor
from claimbot.parts import Parts
from claimbot.web.admin.again import ask_again
from claimbot.web.admin.cookie import Cookie
from claimbot.web.admin.here import LIVE_HEADER, page, purpose
from claimbot.web.forms import check_form

READING = frozenset(("GET", "HEAD", "OPTIONS"))
# Open to strangers: their forms carry a token of their own.
OPEN = frozenset(
    f"admin.{name}" for name in ("login", "enter", "enter_code", "look_at_invitation", "accept_invitation")
)
# htmx says so with each of its requests.
HTMX_HEADER = "HX-Request"
FORM_BYTES_MAX = 64 * 1024


def add_guard(routes: Blueprint, parts: Parts, cookie: Cookie) -> None:
    @routes.before_request
    def guard() -> ResponseReturnValue | None:
        request.max_content_length = FORM_BYTES_MAX
        if request.method not in READING:
            refuse_other_sites()
        is_person = LIVE_HEADER not in request.headers
        token = request.cookies.get(cookie.name, "")
        g.visitor = find_visitor(parts, token, is_person) if token else None
        if request.endpoint in OPEN:
            return None
        if g.visitor is None:
            return _to_sign_in()
        _enter_brand(g.visitor)
        if g.get("membership") and not g.membership.may(_needed()):
            return page("refused.html"), 403
        if request.method not in READING:
            check_form(purpose())
        return ask_again(parts)


def refuse_other_sites() -> None:
    """Browsers say where a form was: our own pages, or (none) nowhere. Old ones name an origin."""
    site = request.headers.get("Sec-Fetch-Site", "")
    if site and site not in ("same-origin", "none"):
        abort(403)
    # Our pages send no referrer, and then a form's origin is "null".
    origin = request.headers.get("Origin", "null")
    if not site and origin != "null" and urlsplit(origin).netloc != request.host:
        abort(403)


def _to_sign_in() -> ResponseReturnValue:
    """The whole page goes there: htmx would put a redirect's page into the place that asked."""
    login = url_for("admin.login", next=_way_back())
    if HTMX_HEADER in request.headers:
        return Response(status=204, headers={"HX-Redirect": login}, mimetype="text/plain")
    return redirect(login, 303)


def _way_back() -> str:
    return request.full_path.rstrip("?") if request.method == "GET" else ""


def _enter_brand(visitor: Visitor) -> None:
    slug = (request.view_args or {}).get("slug")
    if slug is None:
        return
    g.membership = visitor.membership(slug)
    if g.membership is None:
        abort(404)


def _needed() -> Right:
    usual = Right.LOOK if request.method in READING else Right.CHANGE
    view = current_app.view_functions[request.endpoint or ""]
    return Right(getattr(view, "right", usual))
