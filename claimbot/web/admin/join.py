"""What is behind a link of invitation? A page that says for whom it is, and takes a password."""

from flask import Blueprint, abort, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields import PasswordField, StringField
from wtforms.validators import EqualTo

from claimbot.core.errors import Refused
from claimbot.flows.invite import Invitation, Joining, find_invitation, join, join_as
from claimbot.flows.passwords import NewPassword, password_faults
from claimbot.flows.sign_in import sign_out, welcome
from claimbot.parts import Parts
from claimbot.web.admin.agents import agent_words
from claimbot.web.admin.cookie import Cookie
from claimbot.web.admin.fields import AdminForm, an_address, at_most, needed
from claimbot.web.admin.here import page
from claimbot.web.admin.passwords import hashed
from claimbot.web.forms import check_form, form_token


class JoinForm(AdminForm):
    email = StringField("E-mail", [needed("Type your e-mail address."), an_address(), at_most(254)])
    new_password = PasswordField("Password", [needed("Choose a password.")])
    repeated = PasswordField(
        "The same once more", [EqualTo("new_password", "The two are not the same: type both again.")]
    )


def add_join(routes: Blueprint, parts: Parts, cookie: Cookie) -> None:
    @routes.get("/join/<token>")
    def look_at_invitation(token: str) -> ResponseReturnValue:
        found = find_invitation(parts, token)
        return _page(token, found) if found else _gone()

    @routes.post("/join/<token>")
    def accept_invitation(token: str) -> ResponseReturnValue:
        check_form(_purpose(token))
        found = find_invitation(parts, token)
        if found is None:
            return _gone()
        if _is_for_known(found):
            return _accept_as_known(token)
        form = JoinForm.typed()
        _check(form, found)
        if not form.faults:
            try:
                password_hash = hashed(request.form["new_password"])
                return _let_in(join(parts, token, Joining(form.email.data or "", password_hash)))
            except Refused as refused:
                form.blame("email", str(refused))
        return _page(token, found, form), 422

    def _let_in(operator_id: str) -> ResponseReturnValue:
        if not operator_id:
            return redirect(url_for("admin.login", did="password_set"), 303)
        if g.visitor is not None:
            sign_out(parts, g.visitor)
        entered = welcome(parts, operator_id, agent_words(f"{request.user_agent}"))
        return cookie.put(make_response(redirect(url_for("admin.home"), 303)), entered)

    def _accept_as_known(token: str) -> ResponseReturnValue:
        if g.visitor is None:
            abort(403)
        try:
            join_as(parts, g.visitor, token)
        except Refused:
            abort(403)
        return redirect(url_for("admin.me", did="joined_brand"), 303)


def _check(form: JoinForm, found: Invitation) -> None:
    if found.invite.email:
        form.email.data = found.invite.email
    if form.validate():
        brand = (found.brand.name, found.brand.slug) if found.brand else ()
        new = NewPassword(request.form["new_password"], (form.email.data or "", *brand))
        for sentence in password_faults(new):
            form.blame("new_password", sentence)


def _is_for_known(found: Invitation) -> bool:
    """They have a password already: they sign in with it."""
    return found.known is not None and found.brand is not None


def _purpose(token: str) -> str:
    return f"join:{token}"


def _page(token: str, found: Invitation, form: JoinForm | None = None) -> str:
    return page(
        "join.html",
        token_of_link=token,
        found=found,
        is_for_known=_is_for_known(found),
        is_them=g.visitor is not None and found.known is not None and g.visitor.operator_id == found.known.id,
        email=found.invite.email or (form.email.data if form else "") or "",
        faults=form.faults if form else {},
        join_token=form_token(_purpose(token)),
    )


def _gone() -> ResponseReturnValue:
    return make_response(page("join_gone.html"), 404)
