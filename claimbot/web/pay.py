"""Where does the link in the DM lead? To a page that tells the truth, and from there to Stripe."""

import logging
import re
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from claimbot.core.claims import State
from claimbot.core.errors import Outside
from claimbot.flows.checkout import ensure_session
from claimbot.flows.look import Standing, find_standing, note_opened
from claimbot.parts import Parts
from claimbot.web.asks import Asks
from claimbot.web.claim_pages import Words, deadline_of, facts_of, rejoin_of, words_of
from claimbot.web.errors import retry_after
from claimbot.web.forms import check_form, form_token
from claimbot.web.headers import allow_fetch, allow_form_target, allow_picture

log = logging.getLogger("claimbot.pay")

# Exactly what db/ids.py makes; anything else never reaches the ledger.
TOKEN = re.compile(r"[0-9a-z]{16,64}")
# A form of ours holds one short token.
FORM_BYTES_MAX = 64 * 1024
# Two minutes of looking again by itself; after that a person clicks.
LOOKS_MAX = 60
BUSY_SECONDS = 2.0

# Why there is no payment page, and the claim itself knows more.
ASK_THE_CLAIM = frozenset(("not_held", "hold_ended"))
# Waiting does not help: the brand must mend something.
BRAND_MUST_MEND = frozenset(("no_stripe_key", "stripe_refused"))

BUSY = Words("A moment, please", ("Stripe is busy right now. Your unit is still held: try again.",))
BROKEN = Words(
    "Payments are not possible right now",
    ("Something is not set up as it should be, and the brand was told. Your unit is still held.",),
)
UNKNOWN = Words(
    "Looking for your payment",
    ("Stripe has not told us about a payment yet. If you paid, this page will say so in a moment.",),
)


def pay_routes(parts: Parts) -> Blueprint:
    routes = Blueprint("pay", __name__, url_prefix="/c")
    asks = Asks(parts)

    @routes.before_request
    def keep_small() -> None:
        request.max_content_length = FORM_BYTES_MAX

    @routes.get("/<token>")
    def look(token: str) -> ResponseReturnValue:
        standing = _standing(parts, token)
        if standing.session_url and may_lead_to(parts, standing.session_url):
            return redirect(standing.session_url, 303)
        if standing.claim.state is State.HELD and not standing.is_over:
            return _pay_page(parts, standing)
        return _notice(standing, words_of(standing))

    @routes.post("/<token>")
    def pay(token: str) -> ResponseReturnValue:
        standing = _standing(parts, token)
        check_form(token)
        try:
            session = ensure_session(parts, standing.claim.id)
        except Outside:
            return _retry_page(parts, standing, BUSY)
        if session.url and may_lead_to(parts, session.url):
            note_opened(parts, standing.claim.id)
            return redirect(session.url, 303)
        if session.reason in ASK_THE_CLAIM:
            return redirect(url_for("pay.look", token=token), 303)
        if session.reason == "session_ending":
            return redirect(url_for("pay.done", token=token), 303)
        is_broken = bool(session.url) or session.reason in BRAND_MUST_MEND
        return _retry_page(parts, standing, BROKEN if is_broken else BUSY)

    @routes.get("/<token>/done")
    def done(token: str) -> ResponseReturnValue:
        standing = _standing(parts, token)
        if _is_open_question(standing):
            asks.ask(standing.claim.id)
            standing = _standing(parts, token)
        if _is_open_question(standing):
            return _unknown_page(standing)
        return _notice(standing, words_of(standing))

    return routes


def _standing(parts: Parts, token: str) -> Standing:
    found = find_standing(parts, token) if TOKEN.fullmatch(token) else None
    if found is None:
        abort(404)
    if found.drop.image_url:
        allow_picture(found.drop.image_url)
    return found


def may_lead_to(parts: Parts, url: str) -> bool:
    """Only to Stripe: a host from the settings, or the one whose API we were told to use."""
    try:
        target, api = urlsplit(url), urlsplit(parts.settings.stripe_api_url)
    except ValueError:
        return False
    is_stripe = target.scheme == "https" and target.netloc in parts.settings.checkout_hosts
    is_api = bool(api.netloc) and (target.scheme, target.netloc) == (api.scheme, api.netloc)
    if not is_stripe and not is_api:
        log.error("checkout_host_unknown: add it to CHECKOUT_HOSTS if it is yours")
    return is_stripe or is_api


def _is_open_question(standing: Standing) -> bool:
    """Somebody came back from Stripe, and we have not heard what happened there."""
    return standing.claim.state in (State.HELD, State.EXPIRING)


def _allow_checkout(parts: Parts) -> None:
    """Browsers follow a form's redirect only to where the page's policy lets forms end."""
    for host in parts.settings.checkout_hosts:
        allow_form_target(f"https://{host}")
    if parts.settings.stripe_api_url:
        allow_form_target(parts.settings.stripe_api_url)


def _pay_page(parts: Parts, standing: Standing) -> str:
    _allow_checkout(parts)
    return _page("pay.html", standing, words_of(standing), token=form_token(standing.claim.token))


def _retry_page(parts: Parts, standing: Standing, words: Words) -> Response:
    _allow_checkout(parts)
    page = _page("retry.html", standing, words, token=form_token(standing.claim.token))
    return retry_after(make_response(page, 503), BUSY_SECONDS)


def _unknown_page(standing: Standing) -> str:
    allow_fetch()
    looks = min(request.args.get("look", 0, type=int), LOOKS_MAX)
    again = url_for("pay.done", token=standing.claim.token, look=looks + 1)
    return _page("unknown.html", standing, UNKNOWN, again=again, is_refreshing=0 <= looks < LOOKS_MAX)


def _notice(standing: Standing, words: Words) -> str:
    return _page("claim.html", standing, words)


def _page(template: str, standing: Standing, words: Words, **more: object) -> str:
    return render_template(
        template,
        standing=standing,
        title=words.title,
        lines=words.lines,
        facts=facts_of(standing),
        deadline=deadline_of(standing),
        rejoin=rejoin_of(standing),
        **more,
    )
