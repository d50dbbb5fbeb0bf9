"""Did this form come from a page of ours? Its token is signed for one purpose; no cookie is needed."""

from flask import abort, current_app, request
from itsdangerous import BadSignature, URLSafeSerializer

FIELD = "form_token"


def form_token(purpose: str) -> str:
    return str(_signer().dumps(purpose))


def signed_words(token: str) -> str:
    """What `form_token` signed; empty when it was not us."""
    try:
        return str(_signer().loads(token))
    except BadSignature:
        return ""


def check_form(purpose: str) -> None:
    """Answers 403 unless the posted form was made for this purpose."""
    if signed_words(request.form.get(FIELD, "")) != purpose:
        abort(403)


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.config["SECRET_KEY"]), salt="claimbot.form")
