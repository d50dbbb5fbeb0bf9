"""Do the moving parts behave: while somebody types, when the session ends, when the server is gone?"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from claimbot.cli.demo import DROPS, SLUG
from tests.browser.steps import Wish, sign_in
from tests.browser.windows import DESK, PHONE, Window, window
from tests.e2e.machine import Machine

pytestmark = pytest.mark.browser


@pytest.fixture
def desk(browser: Browser) -> Iterator[Window]:
    """Where a test may make things fail on purpose."""
    with window(browser, DESK) as opened:
        yield opened


def board(desk: Window, machine: Machine) -> Page:
    page = sign_in(desk, machine)
    page.get_by_role("link", name=DROPS[0].name).click()
    expect(page.locator("#live")).to_be_visible()
    return page


def test_the_preview_follows_the_typing_and_leaves_the_field_alone(machine: Machine, desk: Window) -> None:
    page = sign_in(desk, machine)
    page.goto(f"{machine.engine_url}/admin/{SLUG}/drops/new")

    page.locator("[name='name']").press_sequentially("Night Jac")
    expect(page.locator("#preview")).to_contain_text("Night Jac")
    page.keyboard.type("ket")

    expect(page.locator("#preview")).to_contain_text("Night Jacket")
    expect(page.locator("[name='name']")).to_be_focused()
    expect(page.locator("[name='name']")).to_have_value("Night Jacket")


def test_what_somebody_opened_stays_open_while_the_board_moves(lively: Machine, desk: Window) -> None:
    page = board(desk, lively)
    before = page.locator(".now time").inner_text()

    page.get_by_text("As a table").click()
    expect(page.locator(".now time")).not_to_have_text(before)

    expect(page.locator("#live details[open] table")).to_be_visible()


def test_an_ended_session_leads_the_whole_page_to_the_sign_in(machine: Machine, desk: Window) -> None:
    page = board(desk, machine)

    machine.sql("DELETE FROM admin_sessions")

    expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
    assert "next=/admin/" in page.url.replace("%2F", "/")


def test_a_page_without_an_answer_says_that_its_numbers_are_old(machine: Machine, desk: Window) -> None:
    page = board(desk, machine)
    told = page.get_by_text("No answer from the server")
    expect(told).to_be_hidden()

    desk.context.set_offline(True)
    expect(told).to_be_visible()

    desk.context.set_offline(False)
    expect(told).to_be_hidden()


def test_a_drop_is_made_with_the_keyboard_alone(machine: Machine, desk: Window) -> None:
    page = sign_in(desk, machine)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="New drop")).to_be_focused()
    page.keyboard.press("Enter")

    type_with_keys(page, Wish("Key Drop", "KEYDROP", "nobody"))

    expect(page.get_by_role("heading", level=1, name="Key Drop")).to_be_visible()


def test_a_question_fits_on_a_phone(machine: Machine, browser: Browser) -> None:
    with window(browser, PHONE) as opened:
        page = board(opened, machine)
        page.get_by_text("Close …").click()

        expect(page.get_by_role("button", name="Close for good")).to_be_in_viewport(ratio=1)
        box = page.locator(".ask-box:visible").bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE.width


def type_with_keys(page: Page, wish: Wish) -> None:
    for name, text in wish.typed.items():
        tab_to(page, name)
        page.keyboard.type(text)
    tab_to(page, "do", "open")
    page.keyboard.press("Enter")


def tab_to(page: Page, name: str, value: str = "") -> None:
    """Forward until the field is reached; a page that a keyboard cannot walk has none within 60 steps."""
    wanted = f"[name='{name}']" + (f"[value='{value}']" if value else "")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.locator(f"{wanted}:focus").count():
            return
    raise AssertionError(f"{wanted} was not reached")
