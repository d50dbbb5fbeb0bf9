"""Can everybody use every page? axe finds nothing serious, and nothing is wider than the window."""

import pytest
from playwright.sync_api import Page

from tests.browser.access import problems
from tests.browser.addresses import paths
from tests.browser.steps import phone_url, sign_in
from tests.browser.windows import PHONE, Shape, Window
from tests.e2e.machine import Machine

pytestmark = pytest.mark.browser

DARK_DESK = Shape(1280, 800, scheme="dark")
SHAPES = pytest.mark.parametrize("shape", [PHONE, DARK_DESK], indirect=True, ids=["390 light", "1280 dark"])


def at(page: Page, url: str) -> list[str]:
    """Empty for what is no page."""
    answer = page.goto(url)
    assert answer is not None
    return problems(page) if "text/html" in answer.headers["content-type"] else []


@SHAPES
def test_every_page_behind_the_sign_in(lively: Machine, clean_window: Window) -> None:
    page = sign_in(clean_window, lively)
    urls = {name: lively.engine_url + path for name, path in paths(lively).items()}

    found = {name: at(page, url) for name, url in urls.items()}

    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@SHAPES
def test_every_page_of_a_stranger(lively: Machine, clean_window: Window) -> None:
    page = clean_window.open()
    (pay_page,) = lively.sql("SELECT stripe_session_id FROM claims WHERE state = 'held' ORDER BY id DESC")[0]
    urls = [f"{lively.engine_url}/admin/login", phone_url(lively), f"{phone_url(lively)}/pay/{pay_page}"]

    assert {url: at(page, url) for url in urls} == {url: [] for url in urls}
