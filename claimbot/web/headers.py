"""What may a browser do with our answers? One policy on every answer, errors and static files included."""

import secrets
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Response, g

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# What never changes. HSTS is for a year and the subdomains too; browsers heed it on https only.
FIXED = [
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Robots-Tag", "noindex, nofollow"),
]

# An answer to a machine shows nothing and runs nothing.
FOR_MACHINES = [
    *FIXED,
    (
        "Content-Security-Policy",
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("Cache-Control", "no-store"),
]


def add_headers(app: Flask) -> None:
    app.context_processor(lambda: {"script_nonce": script_nonce})
    app.after_request(_with_headers)
    app.wsgi_app = _with_fixed(app.wsgi_app)  # type: ignore[assignment,method-assign]  # as WSGI wraps


def _with_fixed(app: "WSGIApplication") -> "WSGIApplication":
    """Here and not in Flask, which checks each word of each header of each answer."""

    def fixed(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *trouble: Any) -> Any:
            return start_response(status, [*headers, *FIXED], *trouble)

        return app(environ, start)

    return fixed


def script_nonce() -> str:
    """Scripts of this answer carry it; a script that somebody slipped in does not."""
    if "script_nonce" not in g:
        g.script_nonce = secrets.token_urlsafe(16)
    return str(g.script_nonce)


def allow_picture(url: str) -> None:
    """This answer shows a picture from elsewhere."""
    g.picture_origin = origin_of(url)


def allow_any_picture() -> None:
    """This answer lets somebody choose a picture and look at it: from anywhere, as long as it is https."""
    g.picture_origin = "https:"


def allow_form_target(url: str) -> None:
    """A form of this answer ends there: browsers check where a form's redirect leads, too."""
    g.form_origins = (*g.get("form_origins", ()), origin_of(url))


def allow_fetch() -> None:
    """A script of this answer may ask us again, and nobody else."""
    g.may_fetch = True


def origin_of(url: str) -> str:
    """`https://host:port`; empty when the address has no host, or letters that a policy may not hold."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    is_plain = parts.scheme in ("http", "https") and bool(parts.netloc) and parts.netloc.isascii()
    if not is_plain or any(one in parts.netloc for one in " ;,'\"@"):
        return ""
    return f"{parts.scheme}://{parts.netloc}"


def _policy() -> str:
    # `g` looks for the request anew at each question, and most answers allow nothing.
    allowed: Mapping[str, Any] = vars(g._get_current_object())
    pictures = " ".join(["'self'", allowed.get("picture_origin", "")]).strip()
    targets = " ".join(["'self'", *allowed.get("form_origins", ())]).strip()
    fetches = "connect-src 'self'; " if allowed.get("may_fetch") else ""
    return (
        f"default-src 'none'; script-src 'nonce-{script_nonce()}'; style-src 'self'; img-src {pictures}; "
        f"{fetches}form-action {targets}; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
    )


def _with_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", _policy())
    # Static files set their own; nothing else may stay in a cache.
    if "Cache-Control" not in headers or response.status_code >= 400:
        headers["Cache-Control"] = "no-store"
    return response
