"""Does every answer carry the policy, and does no answer and no log line say too much?"""

import hashlib
import logging
import re
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException

from claimbot.app import create_app
from claimbot.core.claims import State
from claimbot.core.errors import Setup
from claimbot.web.headers import FIXED, origin_of
from claimbot.web.hook_door import is_for_hooks
from claimbot.web.pages import MARK_CHARS, STATIC
from tests.builders import make_claim, make_drop, make_lead, told
from tests.pages import CheckingClient
from tests.web.doors import Doors, all_rules, as_body, hello

PATHS = [
    ("GET", "/", 200),
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("GET", "/metrics", 200),
    ("GET", "/static/claimbot.css", 200),
    ("GET", "/static/countdown.js", 200),
    ("GET", "/static/icon.svg", 200),
    ("GET", "/static/../app.py", 404),
    ("GET", "/nowhere", 404),
    ("GET", "//evil.example/c/x", 404),
    ("GET", "/c//done", 404),
    ("GET", "/c/none", 404),
    ("GET", "/c/none/done", 404),
    ("POST", "/c/none", 404),
    ("DELETE", "/c/none", 405),
    ("POST", "/healthz", 405),
    ("GET", "/deletion/none", 404),
    ("POST", "/webhooks/meta/deletion", 400),
    ("POST", "/webhooks/meta/deauthorize", 400),
    ("GET", "/webhooks/meta", 403),
    ("POST", "/webhooks/meta", 403),
    ("PUT", "/webhooks/meta", 405),
    ("POST", "/webhooks/stripe/aurora", 403),
    ("POST", "/webhooks/stripe/nobody", 404),
    ("GET", "/webhooks/stripe/aurora", 405),
    ("HEAD", "/", 200),
    ("OPTIONS", "/", 200),
    ("BREW", "/", 405),
]


@pytest.mark.parametrize(("method", "path", "status"), PATHS)
def test_every_answer_carries_the_policy(sqlite_doors: Doors, method: str, path: str, status: int) -> None:
    answer = sqlite_doors.browser.client.open(path, method=method)

    assert answer.status_code == status
    assert {name: answer.headers[name] for name, _ in FIXED} == dict(FIXED)
    assert "Set-Cookie" not in answer.headers
    policy = answer.headers["Content-Security-Policy"]
    if is_for_hooks(path):
        assert policy == "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        assert answer.headers.getlist("Cache-Control") == ["no-store"]
        return
    assert re.match(
        r"default-src 'none'; script-src 'nonce-[\w-]{22}'; style-src 'self'; img-src 'self'", policy
    )
    assert policy.endswith("base-uri 'none'; object-src 'none'; frame-ancestors 'none'")


def matched(app: Flask, method: str, path: str) -> str:
    """The rule that takes this request; empty when none does."""
    try:
        owner = app.extensions["hooks"] if is_for_hooks(path) else app
        rule, _ = owner.url_map.bind("localhost").match(path, method, return_rule=True)
    except HTTPException:
        return ""
    return str(rule.rule)


def test_every_route_was_tried(sqlite_doors: Doors) -> None:
    """A new route fails here until it is tried above; tests/web/admin walks those of the admin."""
    app = create_app(sqlite_doors.parts)
    rules = {rule.rule for rule in all_rules(app) if not rule.rule.startswith("/admin/")}

    tried = {matched(app, method, path) for method, path, _ in PATHS}
    assert rules - tried == set()


def test_nothing_is_taken_that_nobody_signed() -> None:
    """Whatever is not read only is refused above, where it carries neither token nor signature."""
    changing = {status for method, _, status in PATHS if method not in ("GET", "HEAD", "OPTIONS")}
    assert changing <= {400, 403, 404, 405}


def test_pages_are_never_cached_and_static_files_are(sqlite_doors: Doors) -> None:
    browser = sqlite_doors.browser

    assert browser.get("/").headers["Cache-Control"] == "no-store"
    assert browser.get("/static/nothing.css").headers["Cache-Control"] == "no-store"
    assert "max-age=3600" in browser.get("/static/claimbot.css").headers["Cache-Control"]


def test_a_changed_file_has_a_new_address(sqlite_doors: Doors) -> None:
    links = sqlite_doors.browser.get("/").shown.all("link")

    (address,) = [one["href"] for one in links if "claimbot.css" in one["href"]]
    digest = hashlib.sha256((STATIC / "claimbot.css").read_bytes()).hexdigest()
    assert address == f"/static/claimbot.css?v={digest[:MARK_CHARS]}"
    assert sqlite_doors.browser.get(address).status == 200


def test_a_page_with_a_script_names_it_in_the_policy(sqlite_doors: Doors) -> None:
    drop = make_drop(sqlite_doors.ledger, sqlite_doors.brand)
    claim = make_claim(
        sqlite_doors.ledger, drop, make_lead(sqlite_doors.ledger, sqlite_doors.account), **told(5)
    )
    browser = sqlite_doors.browser

    first, second = browser.get(f"/c/{claim.token}"), browser.get(f"/c/{claim.token}")

    nonces = [answer.shown.all("script")[0]["nonce"] for answer in (first, second)]
    assert f"'nonce-{nonces[0]}'" in first.headers["Content-Security-Policy"]
    assert nonces[0] != nonces[1]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://pictures.example/a.jpg", "https://pictures.example"),
        ("http://127.0.0.1:9/stripe", "http://127.0.0.1:9"),
        ("https://a.example;script-src *", ""),
        ("https://a.example, b", ""),
        ("https://name@a.example/", ""),
        ("data:image/png;base64,AA", ""),
        ("https://bücher.example/a.jpg", ""),
        ("https://[broken", ""),
        ("", ""),
    ],
)
def test_only_a_plain_origin_gets_into_the_policy(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_an_unsupported_method_is_told_which_are(sqlite_doors: Doors) -> None:
    assert set(sqlite_doors.browser.client.delete("/webhooks/meta").headers["Allow"].split(", ")) >= {"POST"}


class TestBug:
    """A fault of ours: the page tells an id, the log the place, and neither what was said."""

    @pytest.fixture
    def app(self, sqlite_doors: Doors) -> Flask:
        app = create_app(sqlite_doors.parts)
        app.add_url_rule("/broken", "broken", break_with_words)
        app.add_url_rule("/webhooks/broken", "hook", break_with_words)
        return app

    def test_people_get_a_page_with_an_id(self, app: Flask) -> None:
        answer = CheckingClient(app.test_client()).get("/broken")

        assert (answer.status, answer.shown.heading) == (500, "Something broke")
        assert re.search(r"err_[0-9a-f]{16}", answer.shown.text)
        assert "secret words" not in answer.text

    def test_machines_get_a_line_with_an_id(self, app: Flask) -> None:
        answer = CheckingClient(app.test_client()).get("/webhooks/broken")

        assert answer.status == 500
        assert re.fullmatch(r"something broke err_[0-9a-f]{16}\n", answer.text)

    def test_the_log_has_the_same_id_and_the_place(
        self, app: Flask, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = CheckingClient(app.test_client()).get("/broken")

        (line,) = [one.getMessage() for one in caplog.records if one.getMessage().startswith("broken")]
        assert line.split("id=")[1].split()[0] in answer.shown.text
        assert "ValueError at break_with_words:" in line
        assert "secret words" not in caplog.text


def break_with_words() -> str:
    raise ValueError("secret words of a follower")


def test_the_journal_has_one_line_without_addresses_or_words(
    sqlite_doors: Doors, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    drop = make_drop(sqlite_doors.ledger, sqlite_doors.brand)
    lead = make_lead(sqlite_doors.ledger, sqlite_doors.account)
    claim = make_claim(sqlite_doors.ledger, drop, lead, State.SOLD)

    sqlite_doors.browser.get(f"/c/{claim.token}/done?session_id=cs_test_secret")
    sqlite_doors.hook(as_body(hello(words="the follower's own words")))

    lines = [one.getMessage() for one in caplog.records if one.name == "claimbot.request"]
    shapes = [re.sub(r"ms=\d+", "ms=…", line) for line in lines]
    # A delivery has its line in the receiver's own words, one for all that share a commit.
    assert shapes == ["request GET /c/<token>/done 200 ms=…"]
    assert "received new=1 answers=1" in caplog.text
    assert not [word for word in (claim.token, "cs_test_secret", "own words") if word in caplog.text]


def test_debug_mode_is_refused_in_production(sqlite_doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    settings = sqlite_doors.parts.settings.model_copy(update={"environment": "production"})

    with pytest.raises(Setup, match="FLASK_DEBUG"):
        create_app(replace(sqlite_doors.parts, settings=settings))
