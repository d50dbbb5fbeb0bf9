"""A whole launch at the desk: sign in, make a drop, open it, watch, restock, take the list, leave."""

import csv
import io
from collections.abc import Iterator

import pytest

from claimbot.app import create_app
from claimbot.db import brands
from claimbot.db.engine import Ledger
from tests.engine import Engine, running_engine
from tests.pages import Answer, CheckingClient
from tests.web.admin.desk import NEW_DROP, OWNER, PASSWORD, PASSWORD_HASH, try_in

DROPS = "/admin/aurora/drops"


@pytest.fixture
def engine(ledger: Ledger, redis_url: str) -> Iterator[Engine]:
    with running_engine(ledger, redis_url) as running:
        with ledger.begin() as tx:
            operator_id = brands.insert_operator(tx, OWNER, PASSWORD_HASH, running.clock())
            brands.insert_membership(tx, operator_id, running.brand.id, "owner")
        yield running


def browser_of(engine: Engine) -> CheckingClient:
    return CheckingClient(create_app(engine.parts).test_client())


def open_drop(browser: CheckingClient, stock_units: str) -> Answer:
    page = browser.get(f"{DROPS}/new").shown
    return browser.send(page, f"{DROPS}/new", **{**NEW_DROP, "stock-0": stock_units, "do": "open"})


def test_a_launch_from_signing_in_to_signing_out(engine: Engine) -> None:
    browser = browser_of(engine)
    assert try_in(browser, OWNER, PASSWORD).status == 303
    drop_page = open_drop(browser, stock_units="1").location.partition("?")[0]

    assert (engine.dm("ana"), engine.dm("ben")) == (200, 200)
    engine.work()
    assert "Left 0 Held 1 Sold 0 Waiting 1" in browser.get(drop_page).shown.text

    engine.pay("ana")
    (restock,) = [form.action for form in browser.get(drop_page).shown.forms if "restock" in form.action]
    browser.send(browser.get(drop_page).shown, restock, stock_units="3")
    engine.work()
    shown = browser.get(drop_page).shown
    assert "Left 1 Held 1 Sold 1 Waiting 0" in shown.text
    assert "Good news" in engine.heard("ben")[-1]

    answer = browser.send(browser.get("/admin/aurora/leads").shown, "/admin/aurora/leads.csv")
    rows = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline=""))
    found = sorted((row["claim_state"], row["paid_minor"], row["qualified"]) for row in rows)
    assert found == [("held", "", "yes"), ("sold", "12900", "yes")]

    browser.send(browser.get(drop_page).shown, "/admin/logout")
    assert browser.get(drop_page).location.startswith("/admin/login")


def test_a_new_operator_opens_a_drop_with_few_inputs_on_two_pages(engine: Engine) -> None:
    """The sign-in page and the form; everything else has a good default."""
    browser = browser_of(engine)
    signs_in = {"email": OWNER, "password": PASSWORD}
    try_in(browser, **signs_in)
    fills_in = {name: value for name, value in NEW_DROP.items() if name != "currency"}

    answer = browser.send(browser.get(f"{DROPS}/new").shown, f"{DROPS}/new", **fills_in, do="open")

    assert answer.location.endswith("did=opened")
    assert len(signs_in) + len(fills_in) == 6 <= 12
    engine.dm("ana")
    engine.work()
    assert "129.00 EUR" in engine.heard("ana")[0]


def test_the_story_of_a_buyer_names_every_step(engine: Engine) -> None:
    browser = browser_of(engine)
    try_in(browser, OWNER, PASSWORD)
    open_drop(browser, stock_units="1")
    engine.dm("ana", "launch please")
    engine.work()
    engine.pay("ana")
    engine.work()

    (lead_id,) = engine.rows("SELECT id FROM leads")[0]
    story = browser.get(f"/admin/aurora/leads/{lead_id}").shown.text

    told = [
        "We answered · The money is here",
        "Paid · 1 × Night Jacket",
        "We answered · A unit is theirs",
        "Claim · 1 × Night Jacket",
        "launch please",
    ]
    places = [story.index(words) for words in told]
    assert places == sorted(places)
    assert "Stripe · The payment page was finished" in story and "checkout.session" not in story
