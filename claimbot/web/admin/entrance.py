"""How does an operator get in and out?"""

import re

from flask import Blueprint, Response, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from claimbot.flows.sign_in import Attempt, CodeAttempt, give_code, sign_in, sign_out
from claimbot.flows.team import may_found
from claimbot.parts import Parts
from claimbot.web.admin.again import needs_password_again
from claimbot.web.admin.agents import agent_words
from claimbot.web.admin.cookie import Cookie
from claimbot.web.admin.here import asked, page, typed, visitor
from claimbot.web.admin.passwords import fits
from claimbot.web.errors import retry_after
from claimbot.web.forms import check_form, form_token, signed_words

ENTER = "admin.enter"
# A way back is a page of ours: no other host, and nothing that a browser would read as one.
WAY_BACK = re.compile(r"/admin/[\w./?=&%+-]*", re.ASCII)
# The same for a wrong password, an unknown address and a disabled operator.
WRONG = "This e-mail address and password do not fit together."
SLOWER = "There were too many tries. Wait a minute, then try again."
WRONG_CODE = "This code does not fit, or it was used already. Type the one that your app shows now."
TOO_LATE = "That took too long: begin again with your password."
# Long enough to find the phone.
CODE_SECONDS = 300


def add_entrance(routes: Blueprint, parts: Parts, cookie: Cookie) -> None:
    @routes.get("/")
    def home() -> ResponseReturnValue:
        mine = visitor().memberships
        if not mine:
            return redirect(url_for("admin.new_brand" if may_found(parts, visitor()) else "admin.me"), 303)
        return redirect(url_for("admin.list_drops", slug=mine[0].brand.slug), 303)

    @routes.get("/login")
    def login() -> ResponseReturnValue:
        if g.visitor is not None:
            return redirect(way_back(asked("next")), 303)
        return _login_page()

    @routes.post("/login")
    def enter() -> ResponseReturnValue:
        check_form(ENTER)
        attempt = Attempt(typed("email"), request.form.get("password", ""), *_from_where())
        entry = sign_in(parts, attempt, fits)
        if entry.wait_seconds:
            return retry_after(make_response(_login_page(SLOWER), 429), entry.wait_seconds)
        if entry.asks_code_of:
            return _code_page(_half(parts, entry.asks_code_of))
        return _let_in(entry.token) if entry.token else (_login_page(WRONG), 401)

    @routes.post("/login/code")
    def enter_code() -> ResponseReturnValue:
        check_form(ENTER)
        operator_id = _first_half(parts, typed("half"))
        if not operator_id:
            return _login_page(TOO_LATE), 401
        entry = give_code(parts, CodeAttempt(operator_id, typed("code"), *_from_where()))
        if entry.wait_seconds:
            return retry_after(make_response(_code_page(typed("half"), SLOWER), 429), entry.wait_seconds)
        return _let_in(entry.token) if entry.token else (_code_page(typed("half"), WRONG_CODE), 401)

    def _let_in(token: str) -> Response:
        if g.visitor is not None:
            sign_out(parts, g.visitor)
        return cookie.put(_see(way_back(typed("next"))), token)

    @routes.post("/again")
    @needs_password_again
    def prove_again() -> ResponseReturnValue:
        return _see(way_back(typed("next")))

    @routes.post("/logout")
    def leave() -> ResponseReturnValue:
        sign_out(parts, visitor())
        return cookie.drop(_see(url_for("admin.login", did="signed_out")))


def way_back(asked_for: str) -> str:
    """Where they wanted to go; home when that is no page of ours."""
    return asked_for if WAY_BACK.fullmatch(asked_for) else url_for("admin.home")


def _see(path: str) -> Response:
    return make_response(redirect(path, 303))


def _login_page(wrong: str = "") -> str:
    back = way_back(typed("next") or asked("next"))
    return page("login.html", wrong=wrong, email=typed("email"), back=back, entrance_token=form_token(ENTER))


def _from_where() -> tuple[str, str]:
    return request.remote_addr or "", agent_words(f"{request.user_agent}")


def _half(parts: Parts, operator_id: str) -> str:
    """Who gave the right password, and when: signed, and worth nothing without the code."""
    return form_token(f"half {operator_id} {parts.clock().timestamp():.0f}")


def _first_half(parts: Parts, half: str) -> str:
    """Whose password was right a moment ago; empty when it was nobody's, or too long ago."""
    kind, _, rest = signed_words(half).partition(" ")
    operator_id, _, at = rest.partition(" ")
    if kind != "half" or parts.clock().timestamp() - float(at) > CODE_SECONDS:
        return ""
    return operator_id


def _code_page(half: str, wrong: str = "") -> str:
    back = way_back(typed("next"))
    return page("login_code.html", wrong=wrong, half=half, back=back, entrance_token=form_token(ENTER))
