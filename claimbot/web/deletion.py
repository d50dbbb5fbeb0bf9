"""Meta asks to forget somebody; the person may look up what became of it.

| what arrives | answer |
|---|---|
| signed by our app | 200, an address and a code |
| the same once more | 200, the same address and code |
| signed by nobody we know, or malformed | 400 |
"""

from flask import Blueprint, Response, abort, jsonify, render_template, request

from claimbot.core.errors import BadPayload, BadSignature
from claimbot.flows.forget import Asked, disconnect_owned, find_deletion, forget, read_request
from claimbot.parts import Parts
from claimbot.web.errors import error_answer


def deletion_routes(parts: Parts) -> Blueprint:
    routes = Blueprint("deletion", __name__)

    @routes.post("/webhooks/meta/deletion")
    def ask() -> Response:
        code = forget(parts, _asked())
        return jsonify(url=f"{parts.settings.own_url}/deletion/{code}", confirmation_code=code)

    @routes.post("/webhooks/meta/deauthorize")
    def deauthorize() -> Response:
        disconnect_owned(parts, _asked())
        return Response("ok\n", mimetype="text/plain")

    @routes.get("/deletion/<code>")
    def status(code: str) -> str:
        found = find_deletion(parts, code) or abort(404)
        lines = [
            f"Asked for and done on {found.at:%d %b %Y at %H:%M} UTC.",
            f"Accounts disconnected: {found.accounts}. People erased: {found.people}.",
        ]
        return render_template("notice.html", title="Your data is deleted", lines=lines, error_id="")

    def _asked() -> Asked:
        return read_request(parts, request.form.get("signed_request", ""))

    routes.register_error_handler(BadSignature, lambda _wrong: error_answer(400))
    routes.register_error_handler(BadPayload, lambda _wrong: error_answer(400))
    return routes
