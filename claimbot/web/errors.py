"""What does somebody see when something is wrong? Constant words, and an id when it is our bug."""

import logging
import math
import secrets
import traceback

from flask import Flask, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from claimbot.core.errors import BadSignature, Outside

log = logging.getLogger("claimbot.web")

# Deep enough to see which story failed; a whole traceback fills a log during an outage.
FRAMES_LOGGED = 8

WORDS = {
    400: ("That did not work", "The request could not be read. Open the link again and try once more."),
    403: ("Not allowed", "This form is too old or not ours. Open the link again and try once more."),
    404: ("Nothing here", "This link leads nowhere. Check that it was copied in full."),
    405: ("Not that way", "This address cannot be used like that."),
    413: ("Too large", "That is more than we take at once."),
    500: ("Something broke", "This is our mistake, and it was noted. Try again in a moment."),
    503: (
        "A moment, please",
        "We cannot reach our records right now. Nothing is lost: try again in a moment.",
    ),
}
OTHER = ("That did not work", "The request could not be answered.")


def add_errors(app: Flask) -> None:
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(BadSignature, lambda _wrong: error_answer(403))
    app.register_error_handler(Outside, _later)
    app.register_error_handler(Exception, _broken)


def error_answer(status: int, error_id: str = "") -> Response:
    """One line for machines, a page for people."""
    title, sentence = WORDS.get(status, OTHER)
    if request.path.startswith("/webhooks/"):
        text = f"{title.lower()}{' ' + error_id if error_id else ''}\n"
        return Response(text, status, mimetype="text/plain")
    page = render_template("notice.html", title=title, lines=[sentence], error_id=error_id)
    return make_response(page, status)


def retry_after(response: Response, seconds: float) -> Response:
    response.headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    return response


def _refused(refused: HTTPException) -> ResponseReturnValue:
    status = refused.code or 500
    if status < 400:
        return refused  # a redirect of the router's own
    response = error_answer(status)
    for name, value in refused.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _later(trouble: Outside) -> ResponseReturnValue:
    log.warning("unavailable %s", type(trouble).__name__)
    return retry_after(error_answer(503), trouble.retry_after_seconds)


def _broken(error: Exception) -> ResponseReturnValue:
    """The last resort. The log tells where, not what was said: an error's text may quote a message."""
    error_id = f"err_{secrets.token_hex(8)}"
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_LOGGED:]
    where = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
    log.error("broken id=%s %s at %s", error_id, type(error).__name__, where)
    return error_answer(500, error_id)
