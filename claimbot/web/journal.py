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
    is_quiet = route in QUIET and response.status_code < 400
    level = logging.DEBUG if is_quiet else logging.INFO
    if not log.isEnabledFor(level):
        return response
    method = request.method if request.method in METHODS else "OTHER"
    took_ms = (time.monotonic() - g.get("began_at", time.monotonic())) * 1000
    log.log(level, "request %s %s %d ms=%.0f", method, route, response.status_code, took_ms)
    return response
