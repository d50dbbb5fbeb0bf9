"""Operators look after their own way in: password, second factor, and where they are signed in."""

import re
from datetime import datetime, timedelta

import pyotp
import pytest

from claimbot.db import operators
from claimbot.flows.second_factor import RECOVERY_CHARS, make_codes
from claimbot.web.admin.passwords import METHOD
from tests.pages import Answer, CheckingClient, Page
from tests.web.admin.desk import OWNER, PASSWORD, STRANGER, Desk, token_of, try_in

ME = "/admin/me"
CHANGE = "/admin/me/password"
FACTOR = "/admin/me/second-factor"
NEW = "lantern otter seven brooms"
CHROME = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"


def is_in(browser: CheckingClient) -> bool:
    return browser.get(ME).status == 200


class TestSessions:
    def test_each_is_named_by_its_browser(self, desk: Desk) -> None:
        browser = desk.browser()
        browser.client.environ_base["HTTP_USER_AGENT"] = CHROME
        try_in(browser, OWNER)

        assert "Chrome on Mac this one" in browser.get(ME).shown.text

    def test_another_browser_is_signed_out_by_name(self, each_desk: Desk) -> None:
        here, there = each_desk.sign_in(), each_desk.sign_in()
        page = here.get(ME).shown
        (end,) = [form.action for form in page.forms if form.action.endswith("/end")]

        answer = here.send(page, end)

        assert "That browser is signed out." in here.get(answer.location).shown.text
        assert [is_in(here), is_in(there)] == [True, False]
        assert here.send(page, end).status == 404
        assert each_desk.audited()[-1] == "session_ended"

    def test_nobody_ends_the_session_of_somebody_else(self, desk: Desk) -> None:
        here, other = desk.sign_in(), desk.sign_in(STRANGER)
        sessions = "SELECT s.id FROM admin_sessions s JOIN operators o ON o.id = s.operator_id"
        ((session_id,),) = desk.doors.rows(f"{sessions} WHERE o.email = :email", email=STRANGER)

        answer = here.post(f"{ME}/sessions/{session_id}/end", data={"form_token": token_of(here)})

        assert answer.status == 404
        assert is_in(other)

    def test_signing_out_everywhere_ends_all_of_them(self, desk: Desk) -> None:
        here, there, other = desk.sign_in(), desk.sign_in(), desk.sign_in(STRANGER)

        here.send(here.get(ME).shown, f"{ME}/leave-everywhere")

        assert [is_in(here), is_in(there), is_in(other)] == [False, False, True]


class TestPassword:
    def change(
        self, browser: CheckingClient, new: str = NEW, again: str | None = None, **more: str
    ) -> Answer:
        typed = {"password_again": PASSWORD, "new_password": new, "repeated": again or new, **more}
        return browser.send(browser.get(CHANGE).shown, CHANGE, **typed)

    def test_a_new_one_ends_every_other_session(self, each_desk: Desk) -> None:
        here, there = each_desk.sign_in(), each_desk.sign_in()

        answer = self.change(here)

        assert "Your password is changed." in here.get(answer.location).shown.text
        assert [is_in(here), is_in(there)] == [True, False]
        assert try_in(each_desk.browser(), OWNER, NEW).status == 303
        assert try_in(each_desk.browser(), OWNER).status == 401
        assert "password_changed" in each_desk.audited()

    def test_it_is_hashed_as_owasp_asks(self, desk: Desk) -> None:
        self.change(desk.sign_in())
        with desk.doors.ledger.reading() as tx:
            owner = operators.find_by_email(tx, OWNER)
        assert owner is not None and owner.password_hash.startswith(f"{METHOD}$")
        assert METHOD == "scrypt:32768:8:3"

    @pytest.mark.parametrize(
        ("new", "words"),
        [
            ("elevenchars", "Use at least 12 characters."),
            ("password12345", "This is guessed too easily."),
            ("qwertyuiop[]", "This is guessed too easily."),
            ("owner.aurora1", "This is guessed too easily."),
            ("Aurora2026!!!", "This is guessed too easily."),
            ("claimbotclaimbot", "This is guessed too easily."),
            ("", "Type the new password."),
            ("x" * 1025, "Use at most 1,024 characters."),
        ],
    )
    def test_what_is_guessed_easily_is_refused(self, desk: Desk, new: str, words: str) -> None:
        browser = desk.sign_in()

        answer = self.change(browser, new)

        assert answer.status == 422
        assert words in answer.shown.text
        assert not new or new not in answer.text
        assert try_in(desk.browser(), OWNER).status == 303

    @pytest.mark.parametrize(
        "new",
        [
            "lantern otter brooms",
            "ловец снов и ёлка",
            "n" + " otter" * 20,
            " blanks at both ends ",
            "xkqvzwmrtbpd",
        ],
    )
    def test_any_letters_do_and_every_one_counts(self, desk: Desk, new: str) -> None:
        self.change(desk.sign_in(), new)

        assert try_in(desk.browser(), OWNER, new).status == 303
        assert try_in(desk.browser(), OWNER, new[:-1]).status == 401

    def test_the_one_of_now_is_asked_for_always(self, desk: Desk) -> None:
        answer = self.change(desk.sign_in(), password_again="another sentence")

        assert answer.status == 401
        assert "This is not your password." in answer.shown.text
        assert try_in(desk.browser(), OWNER).status == 303

    def test_two_that_differ_are_refused(self, desk: Desk) -> None:
        answer = self.change(desk.sign_in(), again="another sentence for tests")

        assert answer.status == 422
        assert "The two are not the same" in answer.shown.text


class Phone:
    """An authenticator app; its clock is the test's."""

    def __init__(self, desk: Desk, page: Page) -> None:
        self._desk = desk
        (shown,) = re.findall(r"(?:[A-Z2-7]{4} ){8}", page.text)
        self.key = shown.replace(" ", "")

    @property
    def now(self) -> datetime:
        return self._desk.doors.hands.at

    def code(self, **earlier: float) -> str:
        return pyotp.TOTP(self.key).at(self.now - timedelta(**earlier))


def enrol(desk: Desk, browser: CheckingClient) -> tuple[Phone, Answer]:
    offered = browser.send(browser.get(ME).shown, FACTOR)
    phone = Phone(desk, offered.shown)
    return phone, browser.send(offered.shown, f"{FACTOR}/set", code=phone.code())


def codes_of(answer: Answer) -> list[str]:
    return re.findall(r"<code>([0-9a-z-]{27})</code>", answer.text)


def give(browser: CheckingClient, code: str) -> Answer:
    """Password first, then this code."""
    return browser.send(try_in(browser, OWNER).shown, "/admin/login/code", code=code)


class TestSecondFactor:
    def test_it_is_set_up_with_a_picture_or_a_key_in_letters(self, each_desk: Desk) -> None:
        here, there = each_desk.sign_in(), each_desk.sign_in()

        phone, answer = enrol(each_desk, here)

        assert len(phone.key) == 32
        assert answer.shown.heading == "The second factor is on"
        assert len(set(codes_of(answer))) == 10
        assert "on, 10 recovery codes left" in here.get(ME).shown.text
        assert not is_in(there)
        assert "second_factor_set" in each_desk.audited()

    def test_the_picture_holds_the_key(self, desk: Desk) -> None:
        browser = desk.sign_in()
        offered = browser.send(browser.get(ME).shown, FACTOR)

        assert [svg["class"] for svg in offered.shown.all("svg")] == ["segno"]
        assert "style=" not in offered.text

    def test_then_the_password_alone_lets_nobody_in(self, each_desk: Desk) -> None:
        phone, _ = enrol(each_desk, each_desk.sign_in())
        browser = each_desk.browser()
        each_desk.pass_time(seconds=30)

        asked = try_in(browser, OWNER)

        assert (asked.status, asked.shown.heading) == (200, "Second step")
        assert not is_in(browser)
        assert browser.send(asked.shown, "/admin/login/code", code=phone.code()).location == "/admin/"
        assert is_in(browser)

    def test_a_code_works_once(self, each_desk: Desk) -> None:
        phone, _ = enrol(each_desk, each_desk.sign_in())
        each_desk.pass_time(seconds=30)
        code = phone.code()

        assert give(each_desk.browser(), code).status == 303
        assert give(each_desk.browser(), code).status == 401

    @pytest.mark.parametrize(
        ("earlier_seconds", "status"), [(0, 303), (30, 303), (60, 401), (-30, 401), (-60, 401)]
    )
    def test_the_step_of_now_and_the_one_before_are_taken(
        self, desk: Desk, earlier_seconds: int, status: int
    ) -> None:
        phone, _ = enrol(desk, desk.sign_in())
        desk.pass_time(minutes=5)
        assert give(desk.browser(), phone.code(seconds=earlier_seconds)).status == status

    @pytest.mark.parametrize("code", ["", "000000", "12345", "abcdef", "１２３４５６", "0" * 39])
    def test_a_wrong_code_is_refused(self, desk: Desk, code: str) -> None:
        enrol(desk, desk.sign_in())
        answer = give(desk.browser(), code)

        assert answer.status == 401
        assert "This code does not fit" in answer.shown.text

    def test_codes_are_not_guessed_quickly(self, desk: Desk) -> None:
        phone, _ = enrol(desk, desk.sign_in())
        browser = desk.browser()
        page = try_in(browser, OWNER).shown
        answers = [browser.send(page, "/admin/login/code", code="000000").status for _ in range(5)]

        assert answers == [401] * 4 + [429]
        desk.pass_time(seconds=1)
        assert browser.send(page, "/admin/login/code", code=phone.code()).status == 429

    def test_the_second_step_must_come_soon(self, desk: Desk) -> None:
        phone, _ = enrol(desk, desk.sign_in())
        browser = desk.browser()
        page = try_in(browser, OWNER).shown
        desk.pass_time(minutes=5, seconds=1)

        answer = browser.send(page, "/admin/login/code", code=phone.code())

        assert answer.status == 401
        assert "That took too long" in answer.shown.text

    @pytest.mark.parametrize("half", ["", "half opr_1 9999999999", "x.y"])
    def test_the_first_step_cannot_be_made_up(self, desk: Desk, half: str) -> None:
        phone, _ = enrol(desk, desk.sign_in())
        desk.pass_time(seconds=30)
        browser = desk.browser()
        page = try_in(browser, OWNER).shown

        answer = browser.send(page, "/admin/login/code", code=phone.code(), half=half)

        assert answer.status == 401

    def test_the_seed_is_sealed_and_the_codes_are_hashed(self, desk: Desk) -> None:
        phone, answer = enrol(desk, desk.sign_in())

        kept = str(
            desk.doors.rows("SELECT * FROM operators") + desk.doors.rows("SELECT * FROM recovery_codes")
        )
        assert phone.key not in kept
        assert not [code for code in codes_of(answer) if code in kept or code.replace("-", "") in kept]

    def test_a_wrong_first_code_switches_nothing_on(self, desk: Desk) -> None:
        browser = desk.sign_in()
        offered = browser.send(browser.get(ME).shown, FACTOR)
        phone = Phone(desk, offered.shown)

        wrong = browser.send(offered.shown, f"{FACTOR}/set", code=phone.code(minutes=9))

        assert wrong.status == 422
        assert Phone(desk, wrong.shown).key == phone.key
        assert "Second factor off" in browser.get(ME).shown.text

    def test_a_picture_of_another_session_is_refused(self, desk: Desk) -> None:
        first, second = desk.sign_in(), desk.sign_in()
        offered = first.send(first.get(ME).shown, FACTOR)
        form = offered.shown.form(f"{FACTOR}/set").fields

        code = Phone(desk, offered.shown).code()
        answer = second.post(f"{FACTOR}/set", data={**form, "code": code, "form_token": token_of(second)})

        assert answer.status == 403

    def test_it_is_switched_off_again(self, each_desk: Desk) -> None:
        here = each_desk.sign_in()
        enrol(each_desk, here)

        here.send(here.get(ME).shown, f"{FACTOR}/remove")

        assert "Second factor off" in here.get(ME).shown.text
        assert try_in(each_desk.browser(), OWNER).status == 303
        assert each_desk.audited()[-2] == "second_factor_removed"


class TestRecoveryCodes:
    def test_each_lets_in_once(self, each_desk: Desk) -> None:
        here = each_desk.sign_in()
        _, answer = enrol(each_desk, here)
        first, second = codes_of(answer)[:2]

        assert give(each_desk.browser(), first).status == 303
        assert give(each_desk.browser(), first).status == 401
        assert give(each_desk.browser(), f" {second.upper().replace('-', ' ')}").status == 303
        assert "on, 8 recovery codes left" in here.get(ME).shown.text

    def test_new_ones_make_the_old_ones_worthless(self, desk: Desk) -> None:
        here = desk.sign_in()
        _, answer = enrol(desk, here)

        renewed = here.send(here.get(ME).shown, f"{FACTOR}/codes")

        assert give(desk.browser(), codes_of(answer)[0]).status == 401
        assert give(desk.browser(), codes_of(renewed)[0]).status == 303

    def test_the_code_of_somebody_else_is_worth_nothing(self, desk: Desk) -> None:
        other = desk.sign_in(STRANGER)
        _, answer = enrol(desk, other)
        enrol(desk, desk.sign_in())

        assert give(desk.browser(), codes_of(answer)[0]).status == 401

    def test_they_cannot_be_guessed(self) -> None:
        assert RECOVERY_CHARS * 5 >= 112
        assert len(set(make_codes())) == 10

    def test_without_a_second_factor_there_are_none(self, desk: Desk) -> None:
        browser = desk.sign_in()
        answer = browser.post(f"{FACTOR}/codes", data={"form_token": token_of(browser)})
        assert answer.status == 404


@pytest.mark.parametrize("path", [FACTOR, f"{FACTOR}/set", f"{FACTOR}/codes", f"{FACTOR}/remove"])
def test_a_change_of_the_second_factor_asks_for_the_password_again(desk: Desk, path: str) -> None:
    browser = desk.sign_in()
    desk.pass_time(minutes=6)
    assert browser.post(path, data={"form_token": token_of(browser)}).shown.heading == "Is it still you?"
