"""How does an operator get in and out?"""

import re

from flask import Blueprint, Response, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from claimbot.flows.sign_in import Attempt, list_sessions, sign_in, sign_out, sign_out_everywhere
from claimbot.parts import Parts
from claimbot.web.admin.again import needs_password_again
from claimbot.web.admin.agents import agent_words
from claimbot.web.admin.cookie import Cookie
from claimbot.web.admin.here import asked, page, typed, visitor
from claimbot.web.admin.passwords import fits
from claimbot.web.errors import retry_after
from claimbot.web.forms import check_form, form_token

ENTER = "admin.enter"
# A way back is a page of ours: no other host, and nothing that a browser would read as one.
WAY_BACK = re.compile(r"/admin/[\w./?=&%+-]*", re.ASCII)
# The same for a wrong password, an unknown address and a disabled operator.
WRONG = "This e-mail address and password do not fit together."
SLOWER = "There were too many tries. Wait a minute, then try again."


def add_entrance(routes: Blueprint, parts: Parts, cookie: Cookie) -> None:
    @routes.get("/")
    def home() -> ResponseReturnValue:
        mine = visitor().memberships
        if not mine:
            return page("me.html", sessions=list_sessions(parts, visitor()))
        return redirect(url_for("admin.list_drops", slug=mine[0].brand.slug), 303)

    @routes.get("/login")
    def login() -> ResponseReturnValue:
        if g.visitor is not None:
            return redirect(way_back(asked("next")), 303)
        return _login_page()

    @routes.post("/login")
    def enter() -> ResponseReturnValue:
        check_form(ENTER)
        attempt = Attempt(
            typed("email"), typed("password"), request.remote_addr or "", agent_words(f"{request.user_agent}")
        )
        entry = sign_in(parts, attempt, fits)
        if entry.wait_seconds:
            return retry_after(make_response(_login_page(SLOWER), 429), entry.wait_seconds)
        if not entry.token:
            return _login_page(WRONG), 401
        if g.visitor is not None:
            sign_out(parts, g.visitor)
        return cookie.put(_see(way_back(typed("next"))), entry.token)

    @routes.post("/again")
    @needs_password_again
    def prove_again() -> ResponseReturnValue:
        return _see(way_back(typed("next")))

    @routes.post("/logout")
    def leave() -> ResponseReturnValue:
        sign_out(parts, visitor())
        return cookie.drop(_see(url_for("admin.login", did="signed_out")))

    @routes.get("/me")
    def me() -> ResponseReturnValue:
        return page("me.html", sessions=list_sessions(parts, visitor()))

    @routes.post("/me/leave-everywhere")
    def leave_everywhere() -> ResponseReturnValue:
        sign_out_everywhere(parts, visitor())
        return cookie.drop(_see(url_for("admin.login", did="signed_out")))


def way_back(asked_for: str) -> str:
    """Where they wanted to go; home when that is no page of ours."""
    return asked_for if WAY_BACK.fullmatch(asked_for) else url_for("admin.home")


def _see(path: str) -> Response:
    return make_response(redirect(path, 303))


def _login_page(wrong: str = "") -> str:
    back = way_back(typed("next") or asked("next"))
    return page("login.html", wrong=wrong, email=typed("email"), back=back, entrance_token=form_token(ENTER))
