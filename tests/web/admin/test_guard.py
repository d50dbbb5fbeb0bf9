"""Every admin page asks the guard, whichever pages there will be: the routes are read from the app."""

from dataclasses import dataclass

import pytest
from werkzeug.routing import Rule

from claimbot.core.claims import State
from claimbot.db import alerts
from claimbot.web.headers import FIXED
from tests.builders import NOW, make_claim, make_drop, make_lead
from tests.pages import CheckingClient
from tests.web.admin.desk import EDITOR, STRANGER, VIEWER, Desk, token_of

OPEN = {"admin.login", "admin.enter"}
# Changes nothing: it looks at the accounts.
LOOKS = {"admin.ask_platform"}
ONLY_OWNER = {"admin.erase_person"}


@dataclass(frozen=True)
class Ids:
    """What stands in the addresses of one brand."""

    slug: str
    drop_id: str
    variant_id: str
    lead_id: str
    alert_id: str
    step: str = "pause"

    def names(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@pytest.fixture
def own(desk: Desk) -> Ids:
    return make_ids(desk, desk.brand.slug)


@pytest.fixture
def other(desk: Desk) -> Ids:
    return make_ids(desk, desk.doors.other_brand.slug)


def make_ids(desk: Desk, slug: str) -> Ids:
    doors = desk.doors
    brand, account = {
        doors.brand.slug: (doors.brand, doors.account),
        doors.other_brand.slug: (doors.other_brand, doors.other_account),
    }[slug]
    drop = make_drop(doors.ledger, brand)
    lead = make_lead(doors.ledger, account)
    make_claim(doors.ledger, drop, lead, State.WAITLISTED)
    with doors.ledger.begin() as tx:
        alerts.raise_alert(tx, alerts.Alert("token", slug, "canary of an alert", brand.id), NOW)
        alert_id = next(one.id for one in alerts.list_open(tx) if one.brand_id == brand.id)
    return Ids(slug, drop.id, drop.variants[0].id, lead.id, alert_id)


def posts(rule: Rule) -> bool:
    return "POST" in (rule.methods or set())


def rules(desk: Desk, *, posting: bool) -> list[Rule]:
    return [rule for rule in desk.admin_rules() if posts(rule) is posting and rule.endpoint not in OPEN]


def ask(desk: Desk, browser: CheckingClient, rule: Rule, ids: dict[str, str], token: str = "") -> int:
    path = desk.path(rule, ids)
    form = {"form_token": token, "stock_units": "5"}
    return browser.post(path, data=form).status if posts(rule) else browser.get(path).status


def test_a_stranger_is_led_to_the_sign_in_page(desk: Desk, own: Ids) -> None:
    browser = desk.browser()
    walked = [rule for rule in desk.admin_rules() if rule.endpoint not in OPEN]
    answers = {
        rule.endpoint: browser.client.open(
            desk.path(rule, own.names()), method="POST" if posts(rule) else "GET"
        )
        for rule in walked
    }

    assert len(answers) >= 15
    assert {one.status_code for one in answers.values()} == {303}
    assert {one.headers["Location"].partition("?")[0] for one in answers.values()} == {"/admin/login"}


def test_a_form_without_its_token_is_refused(desk: Desk, own: Ids) -> None:
    browser = desk.sign_in()
    answers = {rule.endpoint: ask(desk, browser, rule, own.names()) for rule in rules(desk, posting=True)}

    assert len(answers) >= 8
    assert set(answers.values()) == {403}


def test_a_page_of_another_brand_does_not_exist(desk: Desk, own: Ids, other: Ids) -> None:
    browser = desk.sign_in()
    token = token_of(browser)
    walked = [rule for rule in desk.admin_rules() if "slug" in rule.arguments]
    answers = {rule.endpoint: ask(desk, browser, rule, other.names(), token) for rule in walked}

    assert len(answers) >= 12
    assert set(answers.values()) == {404}


@pytest.mark.parametrize("name", ["drop_id", "variant_id", "lead_id", "alert_id"])
def test_an_id_of_another_brand_does_not_exist(desk: Desk, own: Ids, other: Ids, name: str) -> None:
    browser = desk.sign_in()
    token = token_of(browser)
    mixed = {**own.names(), name: getattr(other, name)}
    before = desk.doors.counted()
    walked = [rule for rule in desk.admin_rules() if name in rule.arguments]
    answers = {rule.endpoint: ask(desk, browser, rule, mixed, token) for rule in walked}

    assert answers and set(answers.values()) == {404}
    assert desk.doors.counted() == before


def test_a_filter_cannot_name_another_brands_drop(desk: Desk, other: Ids) -> None:
    browser = desk.sign_in()
    form = {"form_token": token_of(browser), "drop": other.drop_id}

    asked = browser.get(f"/admin/aurora/leads?drop={other.drop_id}").status
    downloaded = browser.post("/admin/aurora/leads.csv", data=form).status

    assert (asked, downloaded) == (404, 404)


def test_its_own_ids_do_exist(desk: Desk, own: Ids) -> None:
    """The walks above would also pass if every address were wrong."""
    browser = desk.sign_in()
    token = token_of(browser)
    shown = {rule.endpoint: ask(desk, browser, rule, own.names()) for rule in rules(desk, posting=False)}
    changing = [rule for rule in rules(desk, posting=True) if "slug" in rule.arguments]
    changed = {rule.endpoint: ask(desk, browser, rule, own.names(), token) for rule in changing}

    assert {name: status for name, status in shown.items() if status != 200} == {"admin.home": 303}
    assert {name: status for name, status in changed.items() if status not in (200, 303)} == {
        "admin.make_drop": 422,
        "admin.change_drop": 422,
        "admin.delete_drop": 409,
    }


def test_a_viewer_changes_nothing(desk: Desk, own: Ids) -> None:
    browser = desk.sign_in(VIEWER)
    token = token_of(browser)
    changing = [rule for rule in rules(desk, posting=True) if "slug" in rule.arguments]
    before = desk.doors.counted()
    answers = {rule.endpoint: ask(desk, browser, rule, own.names(), token) for rule in changing}

    assert {name for name, status in answers.items() if status != 403} == LOOKS
    assert desk.doors.counted() == before


def test_a_viewer_is_told_why(desk: Desk) -> None:
    page = desk.sign_in(VIEWER).get("/admin/aurora/drops/new").shown
    assert "Your role here is viewer" in page.text


def test_a_viewer_is_shown_no_button_that_changes(desk: Desk, own: Ids) -> None:
    browser = desk.sign_in(VIEWER)
    pages = ["drops", f"drops/{own.drop_id}", "leads", f"leads/{own.lead_id}", "health"]
    shown = [browser.get(f"/admin/aurora/{page}").shown for page in pages]

    actions = {form.action for page in shown for form in page.forms if form.method == "post"}
    assert actions == {"/admin/logout", "/admin/aurora/health"}


def test_only_an_owner_does_what_cannot_be_undone(desk: Desk, own: Ids) -> None:
    browser = desk.sign_in(EDITOR)
    token = token_of(browser)
    changing = [rule for rule in rules(desk, posting=True) if "slug" in rule.arguments]
    answers = {rule.endpoint: ask(desk, browser, rule, own.names(), token) for rule in changing}

    assert {name for name, status in answers.items() if status == 403} == ONLY_OWNER


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Origin": "http://localhost"}, 303),
        ({"Origin": "https://evil.example"}, 403),
        ({}, 303),
    ],
)
def test_a_form_comes_from_a_page_of_ours(desk: Desk, headers: dict[str, str], status: int) -> None:
    browser = desk.sign_in()
    answer = browser.post("/admin/logout", data={"form_token": token_of(browser)}, headers=headers)
    assert answer.status == status


def test_every_admin_page_carries_the_policy_and_is_never_cached(desk: Desk, own: Ids) -> None:
    browser = desk.sign_in()
    paths = [desk.path(rule, own.names()) for rule in rules(desk, posting=False)]
    answers = [browser.get(path) for path in [*paths, "/admin/aurora/nowhere", "/admin/login"]]

    assert [{name: one.headers[name] for name in FIXED} for one in answers] == [FIXED] * len(answers)
    assert {one.headers["Cache-Control"] for one in answers} == {"no-store"}
    assert not [one for one in answers if "'unsafe" in one.headers["Content-Security-Policy"]]


def test_only_pages_behind_the_sign_in_may_fetch(desk: Desk) -> None:
    inside, outside = desk.sign_in(), desk.browser()

    policies = [
        browser.get(path).headers["Content-Security-Policy"]
        for browser, path in ((inside, "/admin/aurora/drops"), (outside, "/admin/login"))
    ]

    assert ["connect-src 'self'" in policy for policy in policies] == [True, False]


def test_an_operator_without_a_brand_is_told_what_to_do(desk: Desk) -> None:
    browser = desk.sign_in(STRANGER)
    with desk.doors.ledger.begin() as tx:
        tx.exec_driver_sql("DELETE FROM memberships")

    assert "No brand yet" in browser.get("/admin/").shown.text
    assert browser.get("/admin/borealis/drops").status == 404


def test_a_large_form_is_refused(desk: Desk) -> None:
    browser = desk.sign_in()
    form = {"form_token": token_of(browser), "words": "x" * 70_000}
    assert browser.post("/admin/aurora/drops/new", data=form).status == 413
