"""How does an owner connect the brand's Instagram account, and see that it is well?"""

from datetime import datetime

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields import PasswordField, SelectField, StringField

from claimbot.channels.base import AccountHealth
from claimbot.core.brands import Account
from claimbot.core.errors import Refused
from claimbot.core.operators import Right
from claimbot.db.brands import NewAccount
from claimbot.flows.connect import (
    connect_by_token,
    disconnect,
    find_account,
    list_accounts,
    said,
    subscribe_again,
    try_out,
)
from claimbot.parts import Parts
from claimbot.web.admin.again import needs_password_again
from claimbot.web.admin.fields import AdminForm, at_most, choices, needed
from claimbot.web.admin.here import brand, needs, page, visitor

VARIANTS = {
    "instagram_login": "Instagram Login: a token of the account itself",
    "page": "Facebook Page: a token of the Page that the account hangs on",
}
NEEDS_PAGE = "Write the id of the Page: its token alone does not tell it."


class ConnectForm(AdminForm):
    variant = SelectField("Kind of token", choices=choices(VARIANTS), default="instagram_login")
    page_id = StringField("Id of the Page", [at_most(40)])
    token = PasswordField("Access token", [needed("Paste the token."), at_most(1_000)])
    app_secret = PasswordField("Secret of its own app", [at_most(200)])


def add_instagram(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/<slug>/settings/instagram")
    @needs(Right.OWN)
    def instagram(slug: str) -> ResponseReturnValue:
        return _page(parts)

    @routes.post("/<slug>/settings/instagram/connect")
    @needs(Right.OWN)
    @needs_password_again
    def connect(slug: str) -> ResponseReturnValue:
        form = ConnectForm.typed()
        if form.validate() and form.variant.data == "page" and not form.page_id.data:
            form.blame("page_id", NEEDS_PAGE)
        if form.faults:
            return _page(parts, form), 422
        try:
            connect_by_token(parts, visitor().actor, _new(form))
        except Refused as refused:
            form.blame("token", f"{refused}.")
            return _page(parts, form), 422
        return _see("connected")

    @routes.post("/<slug>/settings/instagram/<account_id>/try")
    @needs(Right.OWN)
    def try_account(slug: str, account_id: str) -> ResponseReturnValue:
        account = _mine(parts, account_id)
        return _page(parts, tried={account.id: try_out(parts, account)})

    @routes.post("/<slug>/settings/instagram/<account_id>/subscribe")
    @needs(Right.OWN)
    def subscribe_account(slug: str, account_id: str) -> ResponseReturnValue:
        account = _mine(parts, account_id)
        try:
            health = subscribe_again(parts, visitor().actor, account)
        except Refused as refused:
            return _page(parts, wrong=f"{refused}."), 409
        return _page(parts, tried={account.id: health})

    @routes.post("/<slug>/settings/instagram/<account_id>/disconnect")
    @needs(Right.OWN)
    @needs_password_again
    def disconnect_account(slug: str, account_id: str) -> ResponseReturnValue:
        disconnect(parts, visitor().actor, _mine(parts, account_id))
        return _see("disconnected")


def _new(form: ConnectForm) -> NewAccount:
    return NewAccount(
        brand_id=brand().id,
        channel="instagram",
        variant=form.variant.data,
        external_id="",
        page_id=form.page_id.data or "",
        token=request.form["token"].strip(),
        app_secret=request.form.get("app_secret", "").strip(),
    )


def _mine(parts: Parts, account_id: str) -> Account:
    return find_account(parts, brand().id, account_id) or abort(404)


def _see(did: str) -> ResponseReturnValue:
    return redirect(url_for("admin.instagram", slug=brand().slug, did=did), 303)


def _page(
    parts: Parts,
    form: ConnectForm | None = None,
    *,
    tried: dict[str, AccountHealth] | None = None,
    wrong: str = "",
) -> str:
    now = parts.clock()
    form = form or ConnectForm()
    return page(
        "instagram.html",
        accounts=[(one, days_left(one, now)) for one in list_accounts(parts, brand().id)],
        tried=tried or {},
        in_words=said,
        wrong=wrong,
        variants=VARIANTS,
        variant=form.variant.data,
        page_id=form.page_id.data or "",
        faults=form.faults,
        hook_url=f"{parts.settings.own_url}/webhooks/meta",
    )


def days_left(account: Account, now: datetime) -> int | None:
    """None: this token does not end."""
    return max((account.token_expires_at - now).days, 0) if account.token_expires_at else None
