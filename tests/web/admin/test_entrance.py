"""Only those who are let in come in, and not for ever."""

import hashlib
import logging
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from claimbot.app import create_app
from claimbot.flows.tries import keys_of, take_try
from claimbot.settings import Settings
from claimbot.web.admin.cookie import Cookie, cookie_of
from claimbot.web.admin.guard import HTMX_HEADER
from claimbot.web.admin.here import LIVE_HEADER
from claimbot.web.admin.passwords import METHOD, hashed
from tests.pages import CheckingClient
from tests.web.admin.desk import BOTH, OWNER, PASSWORD, STRANGER, Desk, token_of, try_in

DROPS = "/admin/aurora/drops"
WRONG = "another sentence"


def is_in(browser: CheckingClient) -> bool:
    return browser.get("/admin/me").status == 200


def test_the_right_password_lets_in(each_desk: Desk) -> None:
    browser = each_desk.browser()

    answer = try_in(browser, OWNER)

    assert (answer.status, answer.location) == (303, "/admin/")
    assert browser.get("/admin/").location == DROPS
    assert browser.get(DROPS).shown.heading == "Drops"
    assert each_desk.audited() == ["signed_in"]


def test_capital_letters_in_the_address_do_not_matter(desk: Desk) -> None:
    assert try_in(desk.browser(), " Owner@Aurora.Test ").status == 303


@pytest.mark.parametrize(
    ("email", "password"),
    [(OWNER, WRONG), ("nobody@aurora.test", PASSWORD), ("", ""), (OWNER, PASSWORD + " "), ("a\0b", "\0")],
)
def test_what_is_wrong_is_refused_with_the_same_words(desk: Desk, email: str, password: str) -> None:
    browser = desk.browser()

    answer = try_in(browser, email, password)

    assert answer.status == 401
    assert "This e-mail address and password do not fit together." in answer.shown.text
    assert not is_in(browser)


def test_somebody_disabled_is_refused(desk: Desk) -> None:
    browser = desk.sign_in()
    with desk.doors.ledger.begin() as tx:
        tx.execute(text("UPDATE operators SET disabled_at = '2026-03-14 00:00:00'"))

    assert not is_in(browser)
    assert try_in(desk.browser(), OWNER).status == 401


@pytest.mark.parametrize(
    ("asked", "led_to"),
    [
        ("/admin/aurora/leads?drop=drp_1", "/admin/aurora/leads?drop=drp_1"),
        ("https://evil.example/", "/admin/"),
        ("//evil.example/admin/", "/admin/"),
        ("/\\evil.example", "/admin/"),
        ("/admin/\\evil", "/admin/"),
        ("/admin/\nSet-Cookie: a=b", "/admin/"),
        ("/c/token", "/admin/"),
        ("javascript:alert(1)", "/admin/"),
    ],
)
def test_the_way_back_is_a_page_of_ours(desk: Desk, asked: str, led_to: str) -> None:
    browser = desk.browser()
    page = browser.get("/admin/login", query_string={"next": asked}).shown

    answer = browser.send(page, "/admin/login", email=OWNER, password=PASSWORD, next=asked)

    assert answer.location == led_to


def test_a_stranger_comes_back_to_where_they_wanted_to_go(desk: Desk) -> None:
    browser = desk.browser()
    led_to = browser.get("/admin/aurora/leads?search=ana").location

    assert led_to == "/admin/login?next=/admin/aurora/leads?search%3Dana"
    assert try_in(browser, OWNER, path=led_to).location == "/admin/aurora/leads?search=ana"


def test_the_sign_in_form_needs_its_token(desk: Desk) -> None:
    answer = desk.browser().post("/admin/login", data={"email": OWNER, "password": PASSWORD})
    assert answer.status == 403


@pytest.fixture
def hash_work(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """What each hash costs, while it is done as ever: rounds, block size and lanes of scrypt."""
    done: list[tuple[int, int, int]] = []
    real = hashlib.scrypt

    def counted(password: bytes, *, n: int, r: int, p: int, **more: Any) -> bytes:
        done.append((n, r, p))
        return real(password, n=n, r=r, p=p, **more)

    monkeypatch.setattr(hashlib, "scrypt", counted)
    return done


def test_an_address_that_nobody_has_costs_as_much_as_a_real_one(
    desk: Desk, hash_work: list[tuple[int, int, int]]
) -> None:
    """What is the same work takes the same time; the time itself is for a quiet machine to measure."""
    made = hashed(PASSWORD)
    with desk.doors.ledger.begin() as tx:
        tx.execute(text("UPDATE operators SET password_hash = :made"), {"made": made})
        tx.execute(
            text("UPDATE operators SET disabled_at = :at WHERE email = :who"),
            {"at": "2026-03-14 00:00:00", "who": BOTH},
        )
    hash_work.clear()

    tries = [(OWNER, WRONG), ("nobody@aurora.test", WRONG), (BOTH, PASSWORD), ("", "")]
    answers = [try_in(desk.browser(), email, typed).status for email, typed in tries]

    assert answers == [401] * 4
    assert METHOD == "scrypt:32768:8:3"
    assert hash_work == [(32768, 8, 3)] * 4


class TestSlowDown:
    def fail(self, desk: Desk, times: int, email: str = OWNER) -> list[int]:
        browser = desk.browser()
        return [try_in(browser, email, WRONG).status for _ in range(times)]

    def test_five_tries_are_free_and_the_sixth_waits(self, each_desk: Desk) -> None:
        assert self.fail(each_desk, 6) == [401] * 5 + [429]

        answer = try_in(each_desk.browser(), OWNER)

        assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
        each_desk.pass_time(seconds=2)
        assert try_in(each_desk.browser(), OWNER).status == 303

    def test_each_more_failure_makes_the_wait_longer(self, desk: Desk) -> None:
        self.fail(desk, 5)
        desk.pass_time(seconds=2)
        self.fail(desk, 1)
        desk.pass_time(seconds=3)

        assert try_in(desk.browser(), OWNER).status == 429
        desk.pass_time(seconds=1)
        assert try_in(desk.browser(), OWNER).status == 303

    def test_an_address_that_nobody_has_waits_as_well(self, desk: Desk) -> None:
        assert self.fail(desk, 6, "nobody@aurora.test")[-1] == 429

    def test_others_are_not_slowed(self, desk: Desk) -> None:
        self.fail(desk, 6)
        assert try_in(desk.browser(), STRANGER).status == 303

    def test_a_success_clears_the_failures(self, desk: Desk) -> None:
        self.fail(desk, 4)
        desk.sign_in()
        assert self.fail(desk, 5) == [401] * 5

    def test_failures_are_forgotten_after_a_quarter_of_an_hour(self, desk: Desk) -> None:
        self.fail(desk, 5)
        desk.pass_time(minutes=15, seconds=1)
        assert self.fail(desk, 5) == [401] * 5

    def test_neither_addresses_nor_passwords_are_kept_or_logged(
        self, desk: Desk, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        self.fail(desk, 2, "typed-into-the-wrong-field")

        kept = str(desk.doors.rows("SELECT * FROM sign_in_tries"))
        assert "typed-into" not in kept + caplog.text
        assert "127.0.0.1" not in kept
        assert WRONG not in kept + caplog.text


class TestBehindProxies:
    """Twenty failures from one address slow it down: whose address it is must not be the visitor's to say."""

    @pytest.mark.parametrize(
        ("proxies", "told", "slowed", "status"),
        [
            (0, "203.0.113.1", "127.0.0.1", 429),
            (1, "203.0.113.1", "127.0.0.1", 401),
            (1, "203.0.113.1, 198.51.100.7", "198.51.100.7", 429),
            (2, "203.0.113.1, 198.51.100.7", "203.0.113.1", 429),
        ],
    )
    def test_only_what_trusted_proxies_add_is_believed(
        self, desk: Desk, proxies: int, told: str, slowed: str, status: int
    ) -> None:
        parts = desk.doors.parts
        settings = parts.settings.model_copy(update={"trusted_proxies": proxies})
        browser = CheckingClient(create_app(replace(parts, settings=settings)).test_client())
        waits = [take_try(parts, keys_of(parts, f"nobody{number}", slowed)) for number in range(20)]
        form = browser.get("/admin/login").shown.form("/admin/login").fields

        answer = browser.post(
            "/admin/login", data={**form, "email": OWNER}, headers={"X-Forwarded-For": told}
        )

        assert sum(waits) == 0
        assert answer.status == status


class TestSession:
    def test_only_a_hash_of_it_is_stored(self, desk: Desk) -> None:
        browser = desk.sign_in()
        cookie = browser.client.get_cookie("cb")

        assert cookie is not None and len(cookie.value) >= 43
        assert cookie.value not in str(desk.doors.rows("SELECT * FROM admin_sessions"))

    def test_it_ends_after_an_hour_without_a_click(self, desk: Desk) -> None:
        browser = desk.sign_in()
        desk.pass_time(minutes=59)
        assert is_in(browser)
        desk.pass_time(minutes=59)
        assert is_in(browser)
        desk.pass_time(minutes=60)
        assert not is_in(browser)

    def test_it_ends_after_twelve_hours_of_clicking(self, desk: Desk) -> None:
        browser = desk.sign_in()
        clicks = [(desk.pass_time(minutes=50), is_in(browser)) for _ in range(15)]

        assert [found for _, found in clicks] == [True] * 14 + [False]

    def test_a_page_that_looks_again_by_itself_keeps_nobody_signed_in(self, desk: Desk) -> None:
        browser = desk.sign_in()
        desk.pass_time(minutes=40)
        assert browser.get(DROPS, headers={LIVE_HEADER: "1"}).status == 200
        desk.pass_time(minutes=20)
        assert browser.get(DROPS, headers={LIVE_HEADER: "1"}).status == 303

    def test_a_moving_part_leads_the_whole_page_to_the_sign_in(self, desk: Desk) -> None:
        answer = desk.browser().get(DROPS, headers={HTMX_HEADER: "true"})

        assert (answer.status, answer.location) == (204, "")
        assert answer.headers["HX-Redirect"] == "/admin/login?next=/admin/aurora/drops"

    def test_signing_in_again_makes_a_new_one_and_ends_the_old(self, desk: Desk) -> None:
        browser = desk.sign_in()
        page = desk.browser().get("/admin/login").shown
        old = browser.client.get_cookie("cb")

        browser.send(page, "/admin/login", email=OWNER, password=PASSWORD)

        new = browser.client.get_cookie("cb")
        assert old and new and old.value != new.value
        assert len(desk.doors.rows("SELECT id FROM admin_sessions")) == 1

    def test_signing_out_ends_it_for_a_copied_cookie_too(self, desk: Desk) -> None:
        browser, thief = desk.sign_in(), desk.browser()
        cookie = browser.client.get_cookie("cb")
        assert cookie is not None
        thief.client.set_cookie("cb", cookie.value)
        assert is_in(thief)

        answer = browser.send(browser.get(DROPS).shown, "/admin/logout")

        assert browser.get(answer.location).shown.text.startswith("Skip to the page You are signed out.")
        assert (is_in(browser), is_in(thief)) == (False, False)
        assert desk.audited() == ["signed_in", "signed_out"]

    def test_a_form_of_one_session_is_refused_in_another(self, desk: Desk) -> None:
        first, second = desk.sign_in(), desk.sign_in()
        answer = second.post("/admin/logout", data={"form_token": token_of(first)})
        assert answer.status == 403


def test_the_cookie_is_for_this_host_and_no_script(desk: Desk) -> None:
    answer = try_in(desk.browser(), OWNER)
    assert answer.headers["Set-Cookie"].split("; ", 1)[1] == "HttpOnly; Path=/; SameSite=Lax"


def test_behind_https_the_cookie_is_secure(desk: Desk) -> None:
    settings = desk.doors.parts.settings.model_copy(update={"public_url": "https://drops.example"})
    app = create_app(replace(desk.doors.parts, settings=settings))

    answer = try_in(CheckingClient(app.test_client()), OWNER)

    name, _, rest = answer.headers["Set-Cookie"].partition("=")
    assert name == "__Host-cb"
    assert rest.split("; ", 1)[1] == "Secure; HttpOnly; Path=/; SameSite=Lax"


@pytest.mark.parametrize(
    ("environment", "address", "cookie"),
    [
        ("development", "http://127.0.0.1:8000", Cookie("cb", is_secure=False)),
        ("development", "http://localhost:8000", Cookie("cb", is_secure=False)),
        ("development", "", Cookie("cb", is_secure=False)),
        ("development", "http://192.168.1.9:8000", Cookie()),
        ("development", "https://drops.example", Cookie()),
        ("production", "http://127.0.0.1:8000", Cookie()),
    ],
)
def test_only_a_page_on_this_machine_does_without_secure(
    environment: str, address: str, cookie: Cookie
) -> None:
    settings = Settings(data_dir="data", public_url=address, environment=environment)
    assert cookie_of(settings) == cookie


def test_somebody_of_several_brands_may_choose(desk: Desk) -> None:
    browser = desk.sign_in(BOTH)

    page = browser.get(DROPS).shown

    assert {"/admin/aurora/drops", "/admin/borealis/drops"} <= set(page.links())
    assert browser.get("/admin/borealis/drops").status == 200
    assert browser.get("/admin/borealis/drops/new").status == 403
