"""Did this form come from a page of ours? Its token is signed for one purpose; no cookie is needed."""

from flask import abort, current_app, request
from itsdangerous import BadSignature, URLSafeSerializer

FIELD = "form_token"


def form_token(purpose: str) -> str:
    return str(_signer().dumps(purpose))


def check_form(purpose: str) -> None:
    """Answers 403 unless the posted form was made for this purpose."""
    try:
        made_for = _signer().loads(request.form.get(FIELD, ""))
    except BadSignature:
        abort(403)
    if made_for != purpose:
        abort(403)


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.config["SECRET_KEY"]), salt="claimbot.form")
