"""How does an owner say who works at the brand, and as what?"""

from flask import Blueprint, abort, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields import SelectField, StringField

from claimbot.core.errors import Refused
from claimbot.core.operators import Right, Role
from claimbot.flows.invite import INVITED_FOR, NewInvite, invite, list_open, revoke
from claimbot.flows.team import Change, change_team, list_team
from claimbot.parts import Parts
from claimbot.web.admin.again import needs_password_again
from claimbot.web.admin.fields import AdminForm, an_address, at_most, choices, needed
from claimbot.web.admin.here import brand, needs, page, typed, visitor

ROLES = {
    Role.OWNER.value: "Owner: everything, also money, people and what cannot be undone",
    Role.EDITOR.value: "Editor: makes and runs drops, answers people",
    Role.VIEWER.value: "Viewer: looks only",
}


class InviteForm(AdminForm):
    email = StringField("E-mail", [needed("Whom do you invite?"), an_address(), at_most(254)])
    role = SelectField("As", choices=choices(ROLES), default=Role.EDITOR.value)


def add_team(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/<slug>/settings/people")
    @needs(Right.OWN)
    def team(slug: str) -> ResponseReturnValue:
        return _page(parts)

    @routes.post("/<slug>/settings/people/invite")
    @needs(Right.OWN)
    @needs_password_again
    def invite_colleague(slug: str) -> ResponseReturnValue:
        form = InviteForm.typed()
        if form.validate() and form.email.data in {one.email for one in list_team(parts, brand().id)}:
            form.blame("email", "They work here already.")
        if form.faults:
            return _page(parts, form), 422
        new = NewInvite(brand().id, form.email.data or "", Role(form.role.data), INVITED_FOR)
        token = invite(parts, visitor().actor, new)
        link = parts.settings.own_url + url_for("admin.look_at_invitation", token=token)
        return _page(parts, link=link, invited=new.email)

    @routes.post("/<slug>/settings/people/invites/<invite_id>/revoke")
    @needs(Right.OWN)
    def revoke_invite(slug: str, invite_id: str) -> ResponseReturnValue:
        try:
            revoke(parts, visitor().actor, brand().id, invite_id)
        except Refused:
            abort(404)
        return _see("invite_revoked")

    @routes.post("/<slug>/settings/people/<operator_id>/role")
    @needs(Right.OWN)
    @needs_password_again
    def change_role(slug: str, operator_id: str) -> ResponseReturnValue:
        role = typed("role") if typed("role") in ROLES else abort(400)
        return _change(parts, Change(visitor(), brand().id, operator_id, Role(role)), "role_changed")

    @routes.post("/<slug>/settings/people/<operator_id>/remove")
    @needs(Right.OWN)
    @needs_password_again
    def remove_colleague(slug: str, operator_id: str) -> ResponseReturnValue:
        return _change(parts, Change(visitor(), brand().id, operator_id), "colleague_removed")


def _change(parts: Parts, change: Change, did: str) -> ResponseReturnValue:
    if change.operator_id not in {one.operator_id for one in list_team(parts, change.brand_id)}:
        abort(404)
    try:
        change_team(parts, change)
    except Refused as refused:
        return _page(parts, wrong=str(refused)), 409
    if change.operator_id == visitor().operator_id:
        return redirect(url_for("admin.me", did=did), 303)
    return _see(did)


def _see(did: str) -> ResponseReturnValue:
    return redirect(url_for("admin.team", slug=brand().slug, did=did), 303)


def _page(
    parts: Parts, form: InviteForm | None = None, *, link: str = "", invited: str = "", wrong: str = ""
) -> str:
    form = form or InviteForm()
    return page(
        "team.html",
        people=list_team(parts, brand().id),
        invites=list_open(parts, brand().id),
        roles=ROLES,
        email="" if link else form.email.data or "",
        role=form.role.data,
        faults=form.faults,
        link=link,
        invited=invited,
        wrong=wrong,
    )
