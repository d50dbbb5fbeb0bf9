"""What was asked of us? One line for each request, without addresses, query strings or bodies."""

import logging
import time

from flask import Flask, Response, g, request

log = logging.getLogger("claimbot.request")

METHODS = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS".split())
# Asked every few seconds by machines.
QUIET = frozenset(("/healthz", "/readyz", "/metrics"))


def add_journal(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_write)


def _begin() -> None:
    g.began_at = time.monotonic()


def _write(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "-"
    method = request.method if request.method in METHODS else "OTHER"
    took_ms = (time.monotonic() - g.get("began_at", time.monotonic())) * 1000
    level = logging.DEBUG if route in QUIET else logging.INFO
    log.log(level, "request %s %s %d ms=%.0f", method, route, response.status_code, took_ms)
    return response
