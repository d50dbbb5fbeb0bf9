"""Every admin page asks the guard, whichever pages there will be: the routes are read from the app.

A new route is walked without a line here. One that is open to strangers, only for owners or asks for the
password again must be named below, so that nobody opens or closes a door by accident.
"""

import pytest
from werkzeug.routing import Rule

from claimbot.web.headers import FIXED
from tests.pages import CheckingClient
from tests.web.admin.desk import EDITOR, STRANGER, VIEWER, Desk, token_of
from tests.web.admin.ids import OWNED, WORDS, Ids, make_ids


def named(words: str) -> set[str]:
    return {f"admin.{word}" for word in words.split()}


OPEN = named("login enter enter_code look_at_invitation accept_invitation")
# Changes nothing: it looks at the accounts.
LOOKS = named("ask_platform")
ONLY_OWNER = named(
    "erase_person refund_claim invite_colleague revoke_invite change_role remove_colleague set_brand "
    "set_words connect try_account subscribe_account disconnect_account set_stripe_keys try_stripe "
    "check_audit add_webhook rotate_webhook remove_webhook pause_webhook resume_webhook try_webhook "
    "send_notice_again"
)
ONLY_OWNER_PAGES = named("team brand_settings word_settings instagram stripe webhooks audit")
NOT_FOR_VIEWERS_PAGES = named("new_drop edit_drop plan_rehearsal show_rule")
ASKS_AGAIN = named(
    "download_leads erase_person prove_again offer_factor set_factor renew_codes remove_factor refund_claim "
    "invite_colleague change_role remove_colleague connect disconnect_account set_stripe_keys "
    "add_webhook rotate_webhook remove_webhook"
)


@pytest.fixture
def own(desk: Desk) -> Ids:
    return make_ids(desk, desk.brand.slug)


@pytest.fixture
def other(desk: Desk) -> Ids:
    return make_ids(desk, desk.doors.other_brand.slug)


def posts(rule: Rule) -> bool:
    return "POST" in (rule.methods or set())


def rules(desk: Desk, *, posting: bool) -> list[Rule]:
    return [rule for rule in desk.admin_rules() if posts(rule) is posting and rule.endpoint not in OPEN]


def changing(desk: Desk) -> list[Rule]:
    return [rule for rule in rules(desk, posting=True) if "slug" in rule.arguments]


def ask(desk: Desk, browser: CheckingClient, rule: Rule, ids: Ids, token: str = "") -> int:
    path = desk.path(rule, ids)
    form = {"form_token": token, "stock_units": "5", "role": "viewer", "email": "ann@people.test"}
    return browser.post(path, data=form).status if posts(rule) else browser.get(path).status


def test_every_address_is_made_of_ids_that_are_known_here(desk: Desk) -> None:
    needed = {name for rule in desk.admin_rules() for name in rule.arguments}
    assert needed <= {"slug", *OWNED, *WORDS}, "add a sample to tests/web/admin/ids.py"


def test_a_stranger_is_led_to_the_sign_in_page(desk: Desk, own: Ids) -> None:
    browser = desk.browser()
    walked = [rule for rule in desk.admin_rules() if rule.endpoint not in OPEN]
    answers = {
        rule.endpoint: browser.client.open(desk.path(rule, own), method="POST" if posts(rule) else "GET")
        for rule in walked
    }

    assert len(answers) >= 30
    assert {one.status_code for one in answers.values()} == {303}
    assert {one.headers["Location"].partition("?")[0] for one in answers.values()} == {"/admin/login"}


def test_a_form_without_its_token_is_refused(desk: Desk, own: Ids) -> None:
    browser = desk.sign_in()
    before = desk.doors.counted()
    walked = [rule for rule in desk.admin_rules() if posts(rule)]
    answers = {rule.endpoint: ask(desk, browser, rule, own) for rule in walked}

    assert len(answers) >= 20
    assert set(answers.values()) == {403}
    assert desk.doors.counted() == before


def test_a_method_that_changes_is_never_taken_from_a_link(desk: Desk) -> None:
    """No route takes both, and none takes PUT, PATCH or DELETE."""
    taken = {rule.endpoint: (rule.methods or set()) - {"HEAD", "OPTIONS"} for rule in desk.admin_rules()}
    assert {frozenset(methods) for methods in taken.values()} == {frozenset(("GET",)), frozenset(("POST",))}


def test_a_page_that_is_looked_at_changes_nothing(desk: Desk, own: Ids) -> None:
    browser = desk.sign_in()
    before = desk.doors.contents()
    answers = [ask(desk, browser, rule, own) for rule in rules(desk, posting=False)]

    assert len(answers) >= 10
    assert desk.doors.contents() == before


def test_a_page_of_another_brand_does_not_exist(desk: Desk, own: Ids, other: Ids) -> None:
    browser = desk.sign_in()
    token = token_of(browser)
    walked = [rule for rule in desk.admin_rules() if "slug" in rule.arguments]
    answers = {rule.endpoint: ask(desk, browser, rule, other, token) for rule in walked}

    assert len(answers) >= 20
    assert set(answers.values()) == {404}


@pytest.mark.parametrize("name", OWNED)
def test_an_id_of_another_brand_does_not_exist(desk: Desk, own: Ids, other: Ids, name: str) -> None:
    browser = desk.sign_in()
    token = token_of(browser)
    mixed = {**own, name: other[name]}
    before = desk.doors.counted()
    walked = [rule for rule in desk.admin_rules() if name in rule.arguments]
    answers = {rule.endpoint: ask(desk, browser, rule, mixed, token) for rule in walked}

    assert set(answers.values()) <= {404}
    assert desk.doors.counted() == before


def test_a_filter_cannot_name_another_brands_drop(desk: Desk, other: Ids) -> None:
    browser = desk.sign_in()
    form = {"form_token": token_of(browser), "drop": other["drop_id"]}

    asked = browser.get(f"/admin/aurora/leads?drop={other['drop_id']}").status
    downloaded = browser.post("/admin/aurora/leads.csv", data=form).status

    assert (asked, downloaded) == (404, 404)


def test_its_own_ids_do_exist(desk: Desk, own: Ids) -> None:
    """The walks above would also pass if every address were wrong. Each gets rows that nobody touched."""
    browser = desk.sign_in()
    token = token_of(browser)
    shown = {rule.endpoint: ask(desk, browser, rule, own) for rule in rules(desk, posting=False)}
    changed = {
        rule.endpoint: ask(desk, browser, rule, make_ids(desk, own["slug"]), token) for rule in changing(desk)
    }

    assert {name: status for name, status in shown.items() if status != 200} == {"admin.home": 303}
    assert {name: status for name, status in changed.items() if status not in (200, 303, 409, 422)} == {}


def test_a_viewer_changes_nothing(desk: Desk, own: Ids) -> None:
    browser = desk.sign_in(VIEWER)
    token = token_of(browser)
    before = desk.doors.counted()
    answers = {rule.endpoint: ask(desk, browser, rule, own, token) for rule in changing(desk)}

    assert {name for name, status in answers.items() if status != 403} == LOOKS
    assert desk.doors.counted() == before


@pytest.mark.parametrize(
    ("email", "closed"), [(VIEWER, ONLY_OWNER_PAGES | NOT_FOR_VIEWERS_PAGES), (EDITOR, ONLY_OWNER_PAGES)]
)
def test_every_other_page_may_be_looked_at(desk: Desk, own: Ids, email: str, closed: set[str]) -> None:
    browser = desk.sign_in(email)
    walked = [rule for rule in rules(desk, posting=False) if "slug" in rule.arguments]
    answers = {rule.endpoint: ask(desk, browser, rule, own) for rule in walked}

    assert {name for name, status in answers.items() if status == 403} == closed


def test_what_moves_money_data_or_secrets_asks_for_the_password_again(desk: Desk, own: Ids) -> None:
    browser = desk.sign_in()
    desk.pass_time(minutes=6)
    token = token_of(browser)
    walked = [rule for rule in desk.admin_rules() if rule.endpoint in ASKS_AGAIN or "slug" in rule.arguments]
    answers = {rule.endpoint: ask(desk, browser, rule, make_ids(desk, own["slug"]), token) for rule in walked}

    assert {name for name, status in answers.items() if status == 401} == ASKS_AGAIN


def test_a_viewer_is_told_why(desk: Desk) -> None:
    page = desk.sign_in(VIEWER).get("/admin/aurora/drops/new").shown
    assert "Your role here is viewer" in page.text


def test_a_viewer_is_shown_no_button_that_changes(desk: Desk, own: Ids) -> None:
    browser = desk.sign_in(VIEWER)
    pages = ["drops", f"drops/{own['drop_id']}", "leads", f"leads/{own['lead_id']}", "health"]
    shown = [browser.get(f"/admin/aurora/{page}").shown for page in pages]

    actions = {form.action for page in shown for form in page.forms if form.method == "post"}
    assert actions == {"/admin/logout", "/admin/aurora/health"}


def test_only_an_owner_does_what_cannot_be_undone(desk: Desk, own: Ids) -> None:
    browser = desk.sign_in(EDITOR)
    token = token_of(browser)
    answers = {rule.endpoint: ask(desk, browser, rule, own, token) for rule in changing(desk)}

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
    paths = [desk.path(rule, own) for rule in rules(desk, posting=False)]
    answers = [browser.get(path) for path in [*paths, "/admin/aurora/nowhere", "/admin/login"]]

    assert [{name: one.headers[name] for name, _ in FIXED} for one in answers] == [dict(FIXED)] * len(answers)
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

    assert "No brand yet" in browser.get(browser.get("/admin/").location).shown.text
    assert browser.get("/admin/borealis/drops").status == 404


def test_a_large_form_is_refused_by_every_door(desk: Desk, own: Ids) -> None:
    browser = desk.sign_in()
    form = {"form_token": token_of(browser), "words": "x" * 70_000}
    walked = [rule for rule in desk.admin_rules() if posts(rule)]
    answers = {rule.endpoint: browser.post(desk.path(rule, own), data=form).status for rule in walked}

    assert set(answers.values()) == {413}
