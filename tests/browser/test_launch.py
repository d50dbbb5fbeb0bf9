"""A whole launch in a real browser: sign in, make a drop, write the word, pay, watch, take the list."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.steps import (
    Wish,
    download_leads,
    make_and_open,
    numbers,
    pay,
    sign_in,
    write_on_the_phone,
)
from tests.browser.windows import DESK, PHONE, Shape, Window
from tests.e2e.machine import Machine, until

pytestmark = pytest.mark.browser

NO_SCRIPT = Shape(390, 844, has_script=False)
SHAPES = pytest.mark.parametrize("shape", [PHONE, DESK], indirect=True, ids=["390", "1280"])


def row_of(rows: list[dict[str, str]], wish: Wish) -> dict[str, str]:
    (found,) = [row for row in rows if row["drop"] == wish.name]
    return found


@SHAPES
def test_a_launch_with_the_board_moving_by_itself(
    clean_window: Window, machine: Machine, shape: Shape, tmp_path: Path
) -> None:
    wish = Wish(f"Night Jacket {shape.width}", f"JACKET{shape.width}", f"mira{shape.width}")
    board = sign_in(clean_window, machine)
    make_and_open(board, wish)
    assert numbers(board)["Left"] == "3"

    phone = write_on_the_phone(clean_window, machine, wish)
    with clean_window.context.expect_page() as opened:
        phone.get_by_role("link", name="Pay now").click()
    expect(board.locator(".numbers")).to_contain_text("Held1")
    pay(opened.value)

    expect(board.locator(".numbers")).to_contain_text("Sold1")
    expect(board.locator(".events").first).to_contain_text(wish.follower)
    row = row_of(download_leads(board, machine, tmp_path), wish)
    assert (row["username"], row["claim_state"], row["paid_minor"]) == (wish.follower, "sold", "12900")


@pytest.mark.parametrize("shape", [NO_SCRIPT], indirect=True, ids=["no script"])
def test_a_launch_without_any_script(clean_window: Window, machine: Machine, tmp_path: Path) -> None:
    wish = Wish("Day Jacket", "DAYJACKET", "noscript")
    board = sign_in(clean_window, machine)
    make_and_open(board, wish)

    phone = write_on_the_phone(clean_window, machine, wish)
    machine.hears(wish.follower, "held for")
    phone.reload()
    with clean_window.context.expect_page() as opened:
        phone.get_by_role("link", name="Pay now").click()
    pay(opened.value)
    until(lambda: board.reload() and numbers(board)["Sold"] == "1")

    row = row_of(download_leads(board, machine, tmp_path), wish)
    assert (row["claim_state"], row["email"]) == ("sold", "buyer@example.com")
