"""What was asked of us? One line for each request, without addresses, query strings or bodies."""

import logging
import time

from flask import Flask, Response, g, request

log = logging.getLogger("claimbot.request")

METHODS = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS".split())
# Asked every few seconds by machines; and what a delivery led to is told once for all that share a commit.
QUIET = frozenset(("/healthz", "/readyz", "/metrics", "/webhooks/meta"))


def add_journal(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_write)


def _begin() -> None:
    g.began_at = time.monotonic()


def _write(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "-"
    write_line(request.method, route, response.status_code, g.get("began_at"))
    return response


def write_line(method: str, route: str, status: int, began_at: float | None) -> None:
    """`began_at`: as time.monotonic() said; None when it never began."""
    is_quiet = route in QUIET and status < 400
    level = logging.DEBUG if is_quiet else logging.INFO
    if not log.isEnabledFor(level):
        return
    took_ms = (time.monotonic() - began_at) * 1000 if began_at is not None else 0.0
    log.log(
        level, "request %s %s %d ms=%.0f", method if method in METHODS else "OTHER", route, status, took_ms
    )
