"""How does an owner give the brand's Stripe keys, and see that they work?"""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields import PasswordField, StringField
from wtforms.validators import Regexp

from claimbot.core.errors import Refused
from claimbot.core.operators import Right
from claimbot.core.payments import PaymentKeys
from claimbot.flows.configure import KeyTest, find_keys, set_keys, try_keys
from claimbot.parts import Parts
from claimbot.payments.gateway import EVENT_TYPES
from claimbot.payments.keys import is_live_key
from claimbot.web.admin.again import needs_password_again
from claimbot.web.admin.fields import AdminForm, at_most
from claimbot.web.admin.here import brand, needs, page, visitor


class KeysForm(AdminForm):
    secret_key = PasswordField("Secret key", [at_most(300)])
    webhook_secrets = PasswordField("Webhook secret", [at_most(600)])
    account = StringField(
        "Connected account", [Regexp(r"(acct_[A-Za-z0-9]{1,60})?\Z", message="It begins with acct_.")]
    )


def add_stripe_keys(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/<slug>/settings/stripe")
    @needs(Right.OWN)
    def stripe(slug: str) -> ResponseReturnValue:
        return _page(parts)

    @routes.post("/<slug>/settings/stripe")
    @needs(Right.OWN)
    @needs_password_again
    def set_stripe_keys(slug: str) -> ResponseReturnValue:
        form = KeysForm.typed()
        if form.validate():
            try:
                set_keys(parts, visitor().actor, _keys(form, find_keys(parts, brand().id)))
                return redirect(url_for("admin.stripe", slug=slug, did="keys_set"), 303)
            except Refused as refused:
                for sentence in f"{refused}".splitlines():
                    form.blame("webhook_secrets" if "webhook" in sentence else "secret_key", sentence)
        return _page(parts, form), 422

    @routes.post("/<slug>/settings/stripe/try")
    @needs(Right.OWN)
    def try_stripe(slug: str) -> ResponseReturnValue:
        return _page(parts, tried=try_keys(parts, brand().id))


def _keys(form: KeysForm, known: PaymentKeys | None) -> PaymentKeys:
    """What was left empty stays as it is."""
    secret_key = request.form.get("secret_key", "").strip() or (known.secret_key if known else "")
    typed = request.form.get("webhook_secrets", "").replace(",", " ").split()
    hooks = tuple(typed) or (known.webhook_secrets if known else ())
    return PaymentKeys(brand().id, secret_key, hooks, is_live_key(secret_key), form.account.data or "")


def _page(parts: Parts, form: KeysForm | None = None, *, tried: KeyTest | None = None) -> str:
    known = find_keys(parts, brand().id)
    typed = form.account.data if form else (known.account if known else "")
    return page(
        "stripe.html",
        has_keys=known is not None,
        is_live=known is not None and known.livemode,
        is_restricted=known is not None and known.secret_key.startswith("rk_"),
        hook_count=len(known.webhook_secrets) if known else 0,
        account=typed or "",
        faults=form.faults if form else {},
        tried=tried,
        hook_url=f"{parts.settings.own_url}/webhooks/stripe/{brand().slug}",
        events=EVENT_TYPES,
    )
