"""What moves money, data or secrets asks for the password again; who gave it lately notices nothing."""

from typing import Any

import pytest
from flask import request
from flask.typing import ResponseReturnValue

from claimbot.web.admin.again import needs_password_again
from claimbot.web.admin.here import page
from tests.pages import Answer, CheckingClient
from tests.web.admin.desk import OWNER, PASSWORD, Desk, token_of, try_in

SECRET = "/admin/aurora/health"
WRONG = "another sentence"


@pytest.fixture
def guarded(desk: Desk) -> Desk:
    """The health page moves money here: it stands for every view that is marked."""
    views = desk.app.view_functions
    for endpoint in ("admin.health", "admin.ask_platform"):
        views[endpoint] = needs_password_again(_told)
    return desk


def _told(slug: str) -> ResponseReturnValue:
    return page("again.html", wrong="", action="/done", kept=list(request.form.items()), has_secrets=False)


def late(desk: Desk) -> CheckingClient:
    browser = desk.sign_in()
    desk.pass_time(minutes=5)
    return browser


def send(browser: CheckingClient, **fields: Any) -> Answer:
    return browser.post(SECRET, data={"form_token": token_of(browser), **fields})


def is_done(answer: Answer) -> bool:
    return answer.status == 200 and answer.shown.forms[-1].action == "/done"


def test_whoever_signed_in_lately_is_not_asked(guarded: Desk) -> None:
    browser = guarded.sign_in()
    guarded.pass_time(minutes=4, seconds=59)
    assert is_done(send(browser))


def test_after_five_minutes_the_password_is_asked_for(each_desk: Desk) -> None:
    each_desk.app.view_functions["admin.ask_platform"] = needs_password_again(_told)
    browser = late(each_desk)

    asked = send(browser, amount="12.00")
    done = browser.send(asked.shown, SECRET, password_again=PASSWORD)

    assert (asked.status, asked.shown.heading) == (401, "Is it still you?")
    assert is_done(done)
    assert done.shown.form("/done").fields["amount"] == "12.00"
    assert is_done(send(browser))
    assert each_desk.audited()[-1] == "password_given_again"


def test_a_form_may_bring_the_password_along(guarded: Desk) -> None:
    assert is_done(send(late(guarded), password_again=PASSWORD))


def test_a_wrong_password_changes_nothing(guarded: Desk) -> None:
    browser = late(guarded)

    answer = send(browser, password_again=WRONG)

    assert answer.status == 401
    assert "This is not your password." in answer.shown.text
    assert not is_done(send(browser))
    assert WRONG not in answer.text


def test_a_stolen_session_is_no_place_to_guess(guarded: Desk) -> None:
    browser = late(guarded)
    answers = [send(browser, password_again=WRONG) for _ in range(6)]

    assert [one.status for one in answers] == [401] * 5 + [429]
    assert answers[-1].headers["Retry-After"] == "2"
    assert send(browser, password_again=PASSWORD).status == 429
    assert try_in(guarded.browser(), OWNER).status == 429


def test_typed_secrets_are_not_written_into_the_page(guarded: Desk) -> None:
    answer = send(late(guarded), secret_key="sk_test_canary", note="kept")

    assert "canary" not in answer.text
    assert "asked for them again" in answer.shown.text
    assert answer.shown.form(SECRET).fields["note"] == "kept"


def test_a_page_that_only_shows_asks_first_and_leads_back(guarded: Desk) -> None:
    browser = late(guarded)

    asked = browser.get(f"{SECRET}?part=1")
    wrong = browser.send(asked.shown, "/admin/again", password_again=WRONG)
    right = browser.send(wrong.shown, "/admin/again", password_again=PASSWORD)

    assert (asked.status, wrong.status) == (401, 401)
    assert right.location == f"{SECRET}?part=1"
    assert is_done(browser.get(right.location))


def test_the_way_back_is_a_page_of_ours(guarded: Desk) -> None:
    browser = guarded.sign_in()
    form = {"form_token": token_of(browser), "next": "https://evil.example/"}
    assert browser.post("/admin/again", data=form).location == "/admin/"


def test_another_browser_of_the_same_person_is_asked_too(guarded: Desk) -> None:
    here = late(guarded)
    there = guarded.sign_in()

    assert is_done(send(there))
    assert not is_done(send(here))
