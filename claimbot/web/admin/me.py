"""What may an operator change about themselves? The password, the second factor, where they are signed in."""

import segno
from flask import Blueprint, abort, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from wtforms.fields import HiddenField, PasswordField, StringField
from wtforms.validators import EqualTo

from claimbot.core.errors import Refused
from claimbot.flows import second_factor
from claimbot.flows.passwords import NewPassword, change_password, password_faults, words_of
from claimbot.flows.sign_in import end_session, list_sessions, sign_out_everywhere
from claimbot.flows.team import may_found
from claimbot.parts import Parts
from claimbot.web.admin.again import AGAIN_FIELD, check_again, needs_password_again
from claimbot.web.admin.cookie import Cookie
from claimbot.web.admin.fields import AdminForm, needed
from claimbot.web.admin.here import page, visitor
from claimbot.web.admin.passwords import hashed

PIXELS_OF_A_DOT = 5


class PasswordForm(AdminForm):
    password_again = PasswordField("Password of now", [needed("Type the password that you have now.")])
    new_password = PasswordField("New password", [needed("Type the new password.")])
    repeated = PasswordField(
        "The same once more", [EqualTo("new_password", "The two are not the same: type both again.")]
    )


class CodeForm(AdminForm):
    sealed = HiddenField()
    code = StringField("Six digits from the app", [needed("Type the six digits that your app shows now.")])


def add_me(routes: Blueprint, parts: Parts, cookie: Cookie) -> None:
    @routes.get("/me")
    def me() -> ResponseReturnValue:
        return _me_page(parts)

    @routes.post("/me/sessions/<session_id>/end")
    def end_one(session_id: str) -> ResponseReturnValue:
        try:
            end_session(parts, visitor(), session_id)
        except Refused:
            abort(404)
        return redirect(url_for("admin.me", did="session_ended"), 303)

    @routes.post("/me/leave-everywhere")
    def leave_everywhere() -> ResponseReturnValue:
        sign_out_everywhere(parts, visitor())
        return cookie.drop(make_response(redirect(url_for("admin.login", did="signed_out"), 303)))

    @routes.get("/me/password")
    def password() -> ResponseReturnValue:
        return page("password.html", faults={})

    @routes.post("/me/password")
    def set_password() -> ResponseReturnValue:
        faults = _password_faults()
        refused = None if faults else check_again(parts)
        if refused:
            faults = {AGAIN_FIELD: [refused.words]}
        if faults:
            return page("password.html", faults=faults), refused.status if refused else 422
        change_password(parts, visitor(), hashed(request.form["new_password"]))
        return redirect(url_for("admin.me", did="password_changed"), 303)

    add_second_factor(routes, parts)


def add_second_factor(routes: Blueprint, parts: Parts) -> None:
    @routes.post("/me/second-factor")
    @needs_password_again
    def offer_factor() -> ResponseReturnValue:
        return _offer_page(parts, second_factor.offer(parts, visitor()))

    @routes.post("/me/second-factor/set")
    @needs_password_again
    def set_factor() -> ResponseReturnValue:
        form = CodeForm.typed()
        sealed, code = form.sealed.data or "", form.code.data or ""
        try:
            offered = second_factor.offer(parts, visitor(), sealed)
        except Refused:
            abort(403)
        if form.validate():
            try:
                codes = second_factor.enrol(parts, visitor(), sealed, code)
                return page("recovery_codes.html", codes=codes, is_new=True)
            except Refused as wrong:
                form.blame("code", str(wrong))
        return _offer_page(parts, offered, form.faults), 422

    @routes.post("/me/second-factor/codes")
    @needs_password_again
    def renew_codes() -> ResponseReturnValue:
        try:
            return page(
                "recovery_codes.html", codes=second_factor.renew_codes(parts, visitor()), is_new=False
            )
        except Refused:
            abort(404)

    @routes.post("/me/second-factor/remove")
    @needs_password_again
    def remove_factor() -> ResponseReturnValue:
        second_factor.remove(parts, visitor())
        return redirect(url_for("admin.me", did="factor_removed"), 303)


def _password_faults() -> dict[str, list[str]]:
    form = PasswordForm.typed()
    if form.validate():
        for sentence in password_faults(NewPassword(request.form["new_password"], words_of(visitor()))):
            form.blame("new_password", sentence)
    return form.faults


def _me_page(parts: Parts) -> str:
    return page(
        "me.html",
        sessions=list_sessions(parts, visitor()),
        codes_left=second_factor.count_left(parts, visitor()),
        may_found=may_found(parts, visitor()),
    )


def _offer_page(
    parts: Parts, offered: second_factor.Offer, faults: dict[str, list[str]] | None = None
) -> str:
    # White behind the dots also on a dark page: cameras expect it.
    drawn = segno.make(offered.address, micro=False).svg_inline(
        scale=PIXELS_OF_A_DOT, border=3, light="white"
    )
    groups = [offered.seed[at : at + 4] for at in range(0, len(offered.seed), 4)]
    return page(
        "second_factor.html",
        picture=Markup(drawn),  # noqa: S704  # segno draws it; nothing in it was typed
        seed=" ".join(groups),
        sealed=offered.sealed,
        faults=faults or {},
    )
