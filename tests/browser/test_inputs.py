"""How much must a new operator do? From signing in to an open drop: at most 12 inputs, on 2 pages."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Frame, expect

from tests.browser.steps import Wish, make_and_open, type_the_login
from tests.browser.windows import PHONE, Window, window
from tests.e2e.machine import Machine

pytestmark = pytest.mark.browser

EMAIL, PASSWORD = "nora@aurora.test", "seven quiet herons at dusk"
INPUTS_MOST = 12
# The browser itself counts: what was filled in or chosen, and what was clicked.
COUNTER = """
for (const kind of ["change", "click"]) {
  const tell = (event) => countInput(`${kind} ${event.target.name || event.target.textContent}`);
  addEventListener(kind, tell, true);
}
"""


@pytest.fixture
def counted(browser: Browser) -> Iterator[tuple[Window, list[str]]]:
    """A window, and every input that was made in it."""
    inputs: list[str] = []
    with window(browser, PHONE) as opened:
        opened.context.expose_binding("countInput", lambda _source, words: inputs.append(words.strip()))
        opened.context.add_init_script(COUNTER)
        yield opened, inputs


def test_a_new_operator_opens_a_drop_with_few_inputs(
    machine: Machine, counted: tuple[Window, list[str]]
) -> None:
    window, inputs = counted
    said = machine.run("operator", "create", "--email", EMAIL, "--brand", "aurora", "--password", PASSWORD)
    assert said.returncode == 0, said.stderr
    page = window.open(f"{machine.engine_url}/admin/")
    seen: list[str] = []
    page.on("framenavigated", lambda frame: seen.append(path_of(frame)))

    type_the_login(page, EMAIL, PASSWORD)
    make_and_open(page, Wish("First Drop", "FIRSTDROP", "nobody"))

    expect(page.get_by_role("status")).to_contain_text("The drop is open")
    inside = [path for path in dict.fromkeys(seen) if path != "/admin/login"]
    assert inside[:-1] == ["/admin/aurora/drops", "/admin/aurora/drops/new"]
    # E-mail, password, the button; a new drop; name, price, word, units; save and open.
    assert 5 < len(inputs) <= INPUTS_MOST, inputs


def path_of(frame: Frame) -> str:
    return urlsplit(frame.url).path
