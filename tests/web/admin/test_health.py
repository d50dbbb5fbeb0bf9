"""Would a launch work now? A brand reads about itself and about what all share, and about nobody else."""

from typing import Any

import pytest

from claimbot.db import alerts, brands, marks
from claimbot.flows.verify import MARK, verify_and_note
from tests.builders import NOW, make_lead, make_sealer, make_work
from tests.web.admin.desk import STRANGER, Desk

HEALTH = "/admin/aurora/health"


def raise_alert(desk: Desk, brand_id: str | None, **told: Any) -> None:
    alert = alerts.Alert(
        **{"kind": "token", "subject": str(brand_id), "text": "", "brand_id": brand_id, **told}
    )
    with desk.doors.ledger.begin() as tx:
        alerts.raise_alert(tx, alert, NOW)


def test_what_is_missing_is_told_in_words(desk: Desk) -> None:
    page = desk.sign_in().get(HEALTH).shown

    assert "A launch would not work" in page.text
    assert "worker none was ever seen; start one: claimbot worker" in page.text
    assert "sql SQL answers and its tables are up to date" in page.text
    assert "nothing was ever heard: write to it" in page.text


def test_all_is_well_when_all_is_well(desk: Desk) -> None:
    with desk.doors.ledger.begin() as tx:
        marks.set_mark(tx, "beat:worker:1", NOW)
        marks.set_mark(tx, "beat:clock:1", NOW)
        brands.mark_heard(tx, [desk.doors.account.id], NOW)

    page = desk.sign_in().get(HEALTH).shown

    assert "worker 1 running" in page.text
    assert "@aurora.studio was heard 0 seconds ago; its token does not end" in page.text
    assert "A launch works, but look at what is marked." in page.text


def test_nothing_of_another_brand_is_told(desk: Desk) -> None:
    raise_alert(desk, desk.doors.other_brand.id, text="canary of the other brand")

    page = desk.sign_in().get(HEALTH)

    assert "canary" not in page.text and "borealis" not in page.text
    assert "canary" in desk.sign_in(STRANGER).get("/admin/borealis/health").text


def test_an_alert_of_all_is_told_without_the_ids_in_it(desk: Desk) -> None:
    raise_alert(desk, None, kind="invariant", subject="I2", text="I2 is broken: unit of clm_canary")

    page = desk.sign_in().get(HEALTH)

    assert "A promise is broken." in page.shown.text
    assert "canary" not in page.text


def test_an_alert_is_cleared_by_who_saw_it(each_desk: Desk) -> None:
    raise_alert(each_desk, each_desk.brand.id, text="the token ends in 3 days: connect it again")
    browser = each_desk.sign_in()
    page = browser.get(HEALTH).shown
    (clear,) = [form.action for form in page.forms if form.action.endswith("/clear")]

    cleared = browser.get(browser.send(page, clear).location).shown

    assert "the token ends in 3 days" in page.text
    assert "No alert is open." in cleared.text
    assert each_desk.audited() == ["signed_in", "alert_cleared"]
    assert browser.send(page, clear).status == 404


@pytest.mark.parametrize(
    ("broken", "words"), [({}, "kept oversell"), ({"I2": ["canary"]}, "broken oversell")]
)
def test_every_promise_is_told_as_it_was_last_seen(
    desk: Desk, broken: dict[str, list[str]], words: str
) -> None:
    with desk.doors.ledger.begin() as tx:
        marks.set_mark(tx, MARK, NOW, {"broken": broken})

    page = desk.sign_in().get(HEALTH).shown

    assert words in page.text
    assert "Checked against the ledger 14 Mar 2026, 19:00 CET" in page.text
    assert "canary" not in page.text


def test_what_the_clock_found_is_shown(desk: Desk) -> None:
    assert "Nobody has looked yet" in desk.sign_in().get(HEALTH).shown.text
    assert verify_and_note(desk.doors.parts) == 0
    promises = desk.sign_in().get(HEALTH).shown.text.partition("Promises")[2]
    assert "kept stock" in promises and "kept monotonic" in promises
    assert "broken" not in promises


def test_asking_the_platform_says_what_it_answered(desk: Desk) -> None:
    browser = desk.sign_in()

    page = browser.send(browser.get(HEALTH).shown, HEALTH).shown

    assert "the platform says" in page.text


def park(desk: Desk, reason: str = "token_expired") -> None:
    """One message of this brand, parked with its account."""
    doors = desk.doors
    make_work(doors.ledger, make_lead(doors.ledger, doors.account))
    with doors.ledger.begin() as tx:
        brands.mark_parked(tx, doors.account.id, reason, NOW)
        tx.exec_driver_sql(f"UPDATE outbox SET state = 'parked', reason = '{reason}'")
    raise_alert(desk, desk.brand.id, kind="account", subject=doors.account.id, text="connect it again")


def test_what_waits_for_a_person_is_told_and_tried_again(each_desk: Desk) -> None:
    park(each_desk)
    browser = each_desk.sign_in()
    page = browser.get(HEALTH).shown

    answer = browser.send(page, f"{HEALTH}/try-again")

    shown = browser.get(answer.location).shown
    assert "1 × message the account's token has ended since" in page.text
    assert "Nothing waits." in shown.text and "No alert is open." in shown.text
    assert each_desk.doors.rows("SELECT state FROM outbox") == [("ready",)]
    assert each_desk.doors.rows("SELECT DISTINCT state FROM accounts") == [("live",)]
    assert each_desk.audited()[-1] == "parked_tried_again"


def test_work_of_another_brand_is_neither_told_nor_tried(desk: Desk) -> None:
    park(desk)
    stranger = desk.sign_in(STRANGER)
    page = stranger.get("/admin/borealis/health").shown

    assert "Nothing waits." in page.text
    token = page.form("/admin/logout").fields["form_token"]
    stranger.post("/admin/borealis/health/try-again", data={"form_token": token})
    assert desk.doors.rows("SELECT state FROM outbox") == [("parked",)]


def test_an_account_without_a_token_stays_silent(desk: Desk) -> None:
    park(desk, "disconnected")
    with desk.doors.ledger.begin() as tx:
        brands.mark_token(tx, make_sealer(), desk.doors.account.id, "", None)
    browser = desk.sign_in()

    browser.send(browser.get(HEALTH).shown, f"{HEALTH}/try-again")

    assert "1 × message" in browser.get(HEALTH).shown.text
