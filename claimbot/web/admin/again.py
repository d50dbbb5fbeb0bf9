"""The password again, before what moves money, data or secrets: one mark on a view, and the guard asks.

    @routes.post("/<slug>/claims/<claim_id>/refund")
    @needs_password_again
    def refund(slug: str, claim_id: str) -> ResponseReturnValue: ...

Whoever gave it within five minutes (signing in counts) notices nothing. A form may ask for it in place with
the macro `password_again(must_prove())`; one that does not is answered with a page that asks, carries on what
was typed, and sends it to where it was going. Secrets that were typed are asked for once more instead.
"""

from dataclasses import dataclass

from flask import current_app, g, make_response, request, url_for
from flask.typing import ResponseReturnValue

from claimbot.flows.prove import prove
from claimbot.flows.sign_in import Attempt
from claimbot.parts import Parts
from claimbot.web.admin.here import View, must_prove, page, visitor
from claimbot.web.admin.passwords import fits
from claimbot.web.errors import retry_after
from claimbot.web.forms import FIELD

AGAIN_FIELD = "password_again"
# What is never written into a page again.
SECRET_FIELDS = frozenset(
    "password password_again new_password token app_secret secret_key webhook_secrets code".split()
)
WRONG = "This is not your password."
SLOWER = "There were too many tries. Wait a minute, then try again."


@dataclass(frozen=True, slots=True)
class Answer:
    """What keeps the request from passing, and how it is answered."""

    words: str
    status: int
    wait_seconds: float = 0.0


def needs_password_again(view: View) -> View:
    view.needs_password_again = True  # type: ignore[attr-defined]  # read by the guard
    return view


def ask_again(parts: Parts) -> ResponseReturnValue | None:
    """None when this request may pass."""
    view = current_app.view_functions[request.endpoint or ""]
    if not getattr(view, "needs_password_again", False) or not must_prove(parts):
        return None
    refused = check_again(parts)
    return _page(refused) if refused else None


def check_again(parts: Parts) -> Answer | None:
    """None when the password came along and is right."""
    password = request.form.get(AGAIN_FIELD, "")
    if not password:
        return Answer("", 401)
    attempt = Attempt(visitor().email, password, request.remote_addr or "")
    proof = prove(parts, visitor(), attempt, fits)
    if proof.wait_seconds:
        return Answer(SLOWER, 429, proof.wait_seconds)
    if proof.visitor is None:
        return Answer(WRONG, 401)
    g.visitor = proof.visitor
    return None


def _page(refused: Answer) -> ResponseReturnValue:
    is_form = request.method == "POST"
    path = request.full_path.rstrip("?")
    shown = page(
        "again.html",
        wrong=refused.words,
        action=path if is_form else url_for("admin.prove_again"),
        kept=_kept() if is_form else [("next", path)],
        has_secrets=any(request.form.get(name) for name in SECRET_FIELDS - {AGAIN_FIELD}),
    )
    response = make_response(shown, refused.status)
    return retry_after(response, refused.wait_seconds) if refused.wait_seconds else response


def _kept() -> list[tuple[str, str]]:
    """What was typed, but for its secrets and the token of the form."""
    left_out = SECRET_FIELDS | {FIELD}
    return [(name, value) for name, value in request.form.items(multi=True) if name not in left_out]
