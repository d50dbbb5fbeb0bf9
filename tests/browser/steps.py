"""What does somebody do in the browser? Sign in, make a drop, write on the phone, pay, take the list."""

import csv
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect

from claimbot.cli.demo import EMAIL, SLUG
from tests.browser.windows import Window
from tests.e2e.machine import Machine

# Its sums stand there once every message of the storm has its answer.
REHEARSAL_MS = 90_000


@dataclass(frozen=True)
class Wish:
    """A drop that a test makes for itself, and who writes its word."""

    name: str
    word: str
    follower: str
    stock_units: int = 3

    @property
    def typed(self) -> dict[str, str]:
        """What must be typed into the form; all else has a good default."""
        return {"name": self.name, "price": "129.00", "words": self.word, "stock-0": str(self.stock_units)}


def secrets_of(machine: Machine) -> dict[str, str]:
    """As `claimbot up` made them."""
    found: dict[str, str] = json.loads((machine.folder / "secrets.json").read_text("utf-8"))
    return found


def password_of(machine: Machine) -> str:
    """The first login, which `up` printed."""
    return secrets_of(machine)["FIRST_LOGIN_PASSWORD"]


def sign_in(window: Window, machine: Machine) -> Page:
    page = window.open(f"{machine.engine_url}/admin/")
    type_the_login(page, EMAIL, password_of(machine))
    return page


def type_the_login(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1, name="Drops")).to_be_visible()


def make_and_open(page: Page, wish: Wish) -> None:
    page.get_by_role("link", name="New drop").click()
    for name, text in wish.typed.items():
        page.locator(f"[name='{name}']").fill(text)
    page.get_by_role("button", name="Save and open").click()
    expect(page.get_by_role("heading", level=1, name=wish.name)).to_be_visible()


def rehearse(page: Page, machine: Machine, name: str) -> None:
    """A small one of this drop, until its sums stand on the page."""
    page.goto(f"{machine.engine_url}/admin/{SLUG}/drops")
    page.get_by_role("link", name=name).click()
    page.goto(f"{page.url.partition('?')[0]}/rehearse")
    for field, text in {"followers": "8", "stock_units": "3", "duplicates": "25", "pay": "100"}.items():
        page.locator(f"[name='{field}']").fill(text)
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("status")).to_contain_text("Every promise was kept", timeout=REHEARSAL_MS)


def write_on_the_phone(window: Window, machine: Machine, wish: Wish) -> Page:
    phone = window.open(f"{phone_url(machine)}/?follower={wish.follower}")
    phone.get_by_label("Message", exact=True).fill(wish.word)
    phone.get_by_role("button", name="Send", exact=True).click()
    return phone


def phone_url(machine: Machine) -> str:
    return str(machine.sandbox.base_url).rstrip("/")


def pay(page: Page) -> None:
    """On the sandbox's checkout, which leads back to the brand's page."""
    page.get_by_role("button", name=re.compile(r"^Pay \d")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("paid|yours|thank", re.I))


def numbers(page: Page) -> dict[str, str]:
    """The tiles of a board, by their names."""
    names, values = (page.locator(f".numbers {tag}").all_inner_texts() for tag in ("dt", "dd"))
    return dict(zip(names, values, strict=True))


def download_leads(page: Page, machine: Machine, folder: Path) -> list[dict[str, str]]:
    page.goto(f"{machine.engine_url}/admin/{SLUG}/leads")
    with page.expect_download() as started:
        page.get_by_role("button", name=re.compile("CSV")).click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
