"""Can a colleague come in by a link and keep the door shut with a second factor? On a phone, with axe."""

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from claimbot.cli.demo import SLUG
from tests.browser.access import problems
from tests.browser.steps import sign_in
from tests.browser.windows import PHONE, Window, window
from tests.e2e.machine import Machine

pytestmark = pytest.mark.browser

EMAIL, PASSWORD = "colleague@aurora.test", "nine copper kettles whistle"
SHAPES = pytest.mark.parametrize("shape", [PHONE], indirect=True, ids=["390"])


def invite(page: Page, machine: Machine) -> str:
    page.goto(f"{machine.engine_url}/admin/{SLUG}/settings/people")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("As", exact=True).select_option("editor")
    page.get_by_role("button", name="Make a link").click()
    assert problems(page) == []
    return page.get_by_label("Link of the invitation").input_value()


def join(window: Window, link: str) -> Page:
    page = window.open(link)
    assert problems(page) == []
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("The same once more").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", level=1, name="Drops")).to_be_visible()
    return page


def switch_the_factor_on(page: Page, machine: Machine) -> list[str]:
    """The recovery codes."""
    page.goto(f"{machine.engine_url}/admin/me")
    page.locator("form[action$='/me/second-factor'] button").click()
    assert problems(page) == []
    seed = page.locator("code.letters").inner_text().replace(" ", "")
    page.get_by_label("Six digits from the app").fill(pyotp.TOTP(seed).now())
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_role("heading", level=1, name="The second factor is on")).to_be_visible()
    assert problems(page) == []
    return page.locator(".codes code").all_inner_texts()


@SHAPES
def test_a_colleague_joins_and_comes_back_with_a_recovery_code(
    machine: Machine, browser: Browser, clean_window: Window
) -> None:
    with window(browser, PHONE) as owner:
        link = invite(sign_in(owner, machine), machine)
    page = join(clean_window, link)
    codes = switch_the_factor_on(page, machine)
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name="Sign out", exact=True).click()

    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1, name="Second step")).to_be_visible()
    assert problems(page) == []
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("heading", level=1, name="Drops")).to_be_visible()
