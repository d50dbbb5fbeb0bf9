"""How do the pages look? `python -m tests.browser.screenshots` takes README's pictures of a launch."""

import base64
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page

from claimbot.cli.demo import DROPS, SLUG
from tests.browser.steps import Wish, phone_url, sign_in
from tests.browser.windows import DESK, PHONE, chromium, window
from tests.e2e.machine import Machine, running_up, until

PICTURES = Path(__file__).parent / "pictures"
NAMES = (
    "ana ben cleo dario elif femi gwen hugo ines jonas kira leo mira noor otis pia quinn rosa sami tara uma"
    " vito wren xenia yara zoe"
).split()
WORD, NAME = DROPS[0].word, DROPS[0].name
# The time line shows claims per second: a crowd does not come all at once.
WAVES = (2, 5, 9, 13, 14, 10, 8, 6, 5, 3, 2, 1)
WAVE_SECONDS = 0.8
BUYERS = 19
# Pictures in README load with it: small ones.
QUALITY = 72
BYTES_MOST = 60_000


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_up(Path(folder) / "data") as machine:
        launch(machine)
        with chromium() as browser:
            take_all(browser, machine)


def launch(machine: Machine) -> None:
    """More people than units, in waves; the quick ones pay."""
    crowd = [f"{name}{ending}" for ending in ("", ".k", "_s") for name in NAMES]
    for number, size in enumerate(WAVES):
        first = sum(WAVES[:number])
        machine.api(
            "/batch", messages=[{"follower": who, "text": WORD} for who in crowd[first : first + size]]
        )
        time.sleep(WAVE_SECONDS)
    for who in crowd[:BUYERS]:
        machine.pay(machine.hears(who, "held for")["buttons"][0]["url"])
    until(lambda: len(machine.sql("SELECT 1 FROM claims WHERE state = 'sold'")) == BUYERS)


def take_all(browser: Browser, machine: Machine) -> None:
    with window(browser, DESK) as opened:
        page = sign_in(opened, machine)
        show_board(page)
        take(page, "board-1280")
        page.goto(f"{machine.engine_url}/admin/{SLUG}/leads")
        take(page, "leads-1280")
        fill_the_form(page, machine)
        take(page, "drop-1280")
    with window(browser, PHONE) as opened:
        page = sign_in(opened, machine)
        show_board(page)
        take(page, "board-390")
        page.goto(f"{phone_url(machine)}/?follower={NAMES[0]}")
        page.get_by_text("Thank you").wait_for()
        take(page, "phone-390")


def show_board(page: Page) -> None:
    page.get_by_role("link", name=NAME).click()
    page.get_by_role("heading", level=1, name=NAME).wait_for()


def fill_the_form(page: Page, machine: Machine) -> None:
    page.goto(f"{machine.engine_url}/admin/{SLUG}/drops/new")
    for name, text in Wish("Night Jacket", "JACKET", "", 80).typed.items():
        page.locator(f"[name='{name}']").fill(text)
    page.locator("#preview").get_by_text("of 80").first.wait_for()
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")


def take(page: Page, name: str) -> None:
    """What is in the window, in Chromium's own WebP."""
    page.wait_for_load_state("networkidle")
    asked = {"format": "webp", "quality": QUALITY}
    shot = page.context.new_cdp_session(page).send("Page.captureScreenshot", asked)
    picture = base64.b64decode(shot["data"])
    assert len(picture) <= BYTES_MOST, f"{name}: {len(picture)} bytes"
    (PICTURES / f"{name}.webp").write_bytes(picture)


if __name__ == "__main__":
    main()
