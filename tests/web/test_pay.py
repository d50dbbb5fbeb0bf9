"""Does the pay link tell the truth in every state, and lead nowhere but to Stripe?"""

from dataclasses import replace
from typing import Any

import pytest

from claimbot.core.claims import Claim, State
from claimbot.core.drops import DropKind
from claimbot.core.money import Money
from claimbot.core.payments import CheckoutRequest
from claimbot.db import checkouts, claims
from claimbot.parts import Parts
from claimbot.web.pay import may_lead_to
from tests.builders import NOW, make_claim, make_drop, make_lead, told
from tests.web.doors import Doors

STRIPE_URL = "https://checkout.stripe.com/c/pay/cs_test_1"

STATES: dict[State, tuple[str, str]] = {
    State.WAITLISTED: ("You are in line", "You are number 1 in line."),
    State.HELD: ("It is held for you", "Pay before the time is up"),
    State.EXPIRING: ("This hold is ending", "Write LAUNCH to @aurora.studio"),
    State.PENDING: ("Your payment is on its way", "The unit stays yours"),
    State.SOLD: ("Thank you, it is yours", "129.00 EUR"),
    State.EXPIRED: ("The time ran out", "Write LAUNCH to @aurora.studio"),
    State.PASSED: ("You passed", "Write LAUNCH to @aurora.studio"),
    State.UNREACHABLE: ("We could not reach you", "Write LAUNCH to @aurora.studio"),
    State.CANCELLED: ("This claim was cancelled", "You were not charged."),
    State.CLOSED: ("This drop is over", "You were not charged."),
    State.REFUNDING: ("Your money is on its way back", "All of it is being refunded."),
    State.REFUNDED: ("Your money was sent back", "5 to 10 days"),
    State.DISPUTED: ("This payment is disputed", "Your bank"),
    State.GRANTED: ("You are on the list", "Aurora writes to you"),
}


def claim_in(doors: Doors, state: State, **changes: Any) -> Claim:
    drop = make_drop(doors.ledger, doors.brand, image_url="https://pictures.example/jacket.jpg")
    return make_claim(doors.ledger, drop, make_lead(doors.ledger, doors.account), state, **changes)


def open_session(doors: Doors, claim: Claim, url: str = STRIPE_URL, state: str = "open") -> None:
    ends_at = NOW.replace(hour=19)
    request = CheckoutRequest(claim.id, 1, "Night Jacket", claim.unit_price, 1, ends_at, "https://x.example")
    with doors.ledger.begin() as tx:
        checkouts.insert_attempt(tx, claim.brand_id, request, NOW)
        attempt = checkouts.find_latest(tx, claim.id)
        assert attempt is not None
        checkouts.mark_open(tx, attempt, "cs_test_1", url)
        checkouts.mark_ended(tx, claim.id, 1, state)


def test_every_state_but_erased_is_tried_below() -> None:
    assert set(State) - set(STATES) == {State.ERASED}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("path", ["", "/done"])
def test_the_page_of_a_claim_tells_its_state(doors: Doors, state: State, path: str) -> None:
    changes: dict[str, Any] = told(5) if state is State.HELD and not path else {}
    claim = claim_in(doors, state, **changes)
    titles = {"": STATES[state][0], "/done": DONE_TITLES.get(state, STATES[state][0])}
    before = doors.counted()

    answer = doors.browser.get(f"/c/{claim.token}{path}")

    assert answer.status == 200
    assert answer.shown.heading == titles[path]
    assert "Aurora" in answer.shown.text
    assert answer.shown.all("img")[0]["src"] == "https://pictures.example/jacket.jpg"
    assert doors.counted() == before


DONE_TITLES = {
    State.HELD: "Looking for your payment",
    State.EXPIRING: "Looking for your payment",
}


@pytest.mark.parametrize("state", STATES)
def test_the_page_of_a_claim_says_what_comes_next(sqlite_doors: Doors, state: State) -> None:
    claim = claim_in(sqlite_doors, state)

    assert STATES[state][1] in sqlite_doors.browser.get(f"/c/{claim.token}").shown.text


@pytest.mark.parametrize(
    "token", ["0" * 26, "x", "", "a" * 500, "%00", "..%2f..", "A" * 26, "' OR 1=1 --", "%F0%9F%92%A9", "é"]
)
@pytest.mark.parametrize("path", ["", "/done"])
def test_an_unknown_link_is_a_page_that_says_so(sqlite_doors: Doors, token: str, path: str) -> None:
    answer = sqlite_doors.browser.get(f"/c/{token}{path}")

    assert (answer.status, answer.shown.heading) == (404, "Nothing here")


def test_the_page_of_somebody_who_was_erased_is_gone(doors: Doors) -> None:
    claim = claim_in(doors, State.ERASED)

    assert doors.browser.get(f"/c/{claim.token}").status == 404


def test_a_held_claim_shows_what_how_much_and_until_when(doors: Doors) -> None:
    claim = claim_in(doors, State.HELD, quantity=2, **told(5))

    page = doors.browser.get(f"/c/{claim.token}").shown

    assert "Drop Night Jacket Quantity 2 Total 258.00 EUR" in page.text
    assert "Held until 19:05 CET" in page.text  # NOW is 18:00 UTC, Berlin is an hour ahead
    (countdown,) = [one for one in page.all("span") if one.get("id") == "countdown"]
    assert countdown["data-ends"] == "2026-03-14T18:05:00+00:00"
    assert [form.action for form in page.forms] == [f"/c/{claim.token}"]


def test_before_the_follower_was_told_no_clock_runs(doors: Doors) -> None:
    claim = claim_in(doors, State.HELD)

    assert "Your 15 minutes begin when our message reaches you." in (
        doors.browser.get(f"/c/{claim.token}").shown.text
    )


def test_after_the_end_of_a_hold_there_is_no_button(doors: Doors) -> None:
    claim = claim_in(doors, State.HELD, **told(-1))

    page = doors.browser.get(f"/c/{claim.token}").shown

    assert (page.heading, page.forms) == ("The time ran out", [])


def test_the_place_in_line_counts_those_who_still_wait(doors: Doors) -> None:
    drop = make_drop(doors.ledger, doors.brand)
    first, second = (
        make_lead(doors.ledger, doors.account, "7001"),
        make_lead(doors.ledger, doors.account, "7002"),
    )
    ahead = make_claim(doors.ledger, drop, first, State.WAITLISTED)
    behind = make_claim(doors.ledger, drop, second, State.WAITLISTED, place=17)

    assert "You are number 2 in line." in doors.browser.get(f"/c/{behind.token}").shown.text
    with doors.ledger.begin() as tx:
        claims.mark_state(tx, ahead, State.PASSED)
    assert "You are number 1 in line." in doors.browser.get(f"/c/{behind.token}").shown.text


def test_a_closed_drop_invites_nobody(doors: Doors) -> None:
    drop = make_drop(doors.ledger, doors.brand, closes_at=NOW)
    claim = make_claim(doors.ledger, drop, make_lead(doors.ledger, doors.account), State.EXPIRED)

    text = doors.browser.get(f"/c/{claim.token}").shown.text

    assert "LAUNCH" not in text
    assert "This drop takes nobody new at the moment." in text


def test_who_lost_it_joins_again_with_one_tap(doors: Doors) -> None:
    claim = claim_in(doors, State.EXPIRED)

    links = doors.browser.get(f"/c/{claim.token}").shown.links()

    assert links == ["https://ig.me/m/aurora.studio?ref=LAUNCH"]


def test_in_the_sandbox_the_tap_leads_to_its_phone(sqlite_doors: Doors) -> None:
    phone = "http://127.0.0.1:8001/m"
    settings = sqlite_doors.parts.settings.model_copy(update={"meta_chat_url": phone})
    doors = replace(sqlite_doors, parts=replace(sqlite_doors.parts, settings=settings))
    claim = claim_in(doors, State.EXPIRED)

    links = doors.browser.get(f"/c/{claim.token}").shown.links()

    assert links == [f"{phone}/aurora.studio?ref=LAUNCH"]


@pytest.mark.parametrize(
    ("state", "changes"),
    [
        (State.SOLD, {}),
        (State.REFUNDED, {}),
        (State.EXPIRED, {"words": ("DROP 1!",)}),
        (State.EXPIRED, {"stock_units": 0, "is_waitlist_on": False}),
    ],
)
def test_no_tap_leads_where_nothing_is_to_be_had(
    sqlite_doors: Doors, state: State, changes: dict[str, Any]
) -> None:
    drop = make_drop(sqlite_doors.ledger, sqlite_doors.brand, **changes)
    claim = make_claim(sqlite_doors.ledger, drop, make_lead(sqlite_doors.ledger, sqlite_doors.account), state)

    assert sqlite_doors.browser.get(f"/c/{claim.token}").shown.links() == []


def test_a_sold_out_drop_without_a_line_invites_nobody(doors: Doors) -> None:
    drop = make_drop(doors.ledger, doors.brand, stock_units=0, is_waitlist_on=False)
    claim = make_claim(doors.ledger, drop, make_lead(doors.ledger, doors.account), State.EXPIRED)

    assert "This drop takes nobody new" in doors.browser.get(f"/c/{claim.token}").shown.text


def test_money_that_went_back_is_told(sqlite_doors: Doors) -> None:
    claim = claim_in(sqlite_doors, State.SOLD, paid_minor=12_900, refunded_minor=2_900)

    assert "Paid 129.00 EUR Sent back 29.00 EUR" in sqlite_doors.browser.get(f"/c/{claim.token}").shown.text


def test_what_was_given_away_says_so(doors: Doors) -> None:
    drop = make_drop(doors.ledger, doors.brand, kind=DropKind.FREE, price=Money(0, "EUR"))
    claim = make_claim(doors.ledger, drop, make_lead(doors.ledger, doors.account), State.SOLD)

    text = doors.browser.get(f"/c/{claim.token}").shown.text

    assert "There is nothing to pay." in text
    assert "Total Free" in text


def test_what_a_brand_typed_cannot_become_markup(doors: Doors) -> None:
    drop = make_drop(doors.ledger, doors.brand, name='<script>alert("x")</script>')
    claim = make_claim(doors.ledger, drop, make_lead(doors.ledger, doors.account), **told(5))

    page = doors.browser.get(f"/c/{claim.token}").shown

    assert '<script>alert("x")</script>' in page.text
    addresses = [script["src"].partition("?")[0] for script in page.all("script")]
    assert addresses == ["/static/countdown.js"]


class TestOpenSession:
    def test_the_link_leads_straight_to_stripe_and_changes_nothing(self, doors: Doors) -> None:
        claim = claim_in(doors, State.HELD, **told(5))
        open_session(doors, claim)
        before = doors.counted()

        answer = doors.browser.get(f"/c/{claim.token}")

        assert (answer.status, answer.location) == (303, STRIPE_URL)
        assert answer.headers["Cache-Control"] == "no-store"
        assert doors.counted() == before

    def test_the_button_leads_there_too(self, doors: Doors) -> None:
        claim = claim_in(doors, State.HELD, **told(5))
        browser = doors.browser
        page = browser.get(f"/c/{claim.token}").shown
        open_session(doors, claim)

        answer = browser.submit(page)

        assert (answer.status, answer.location) == (303, STRIPE_URL)

    def test_a_session_that_was_completed_is_looked_for_on_the_return_page(self, doors: Doors) -> None:
        claim = claim_in(doors, State.HELD, **told(5))
        browser = doors.browser
        page = browser.get(f"/c/{claim.token}").shown
        open_session(doors, claim, state="complete")

        assert browser.submit(page).location == f"/c/{claim.token}/done"

    @pytest.mark.parametrize(
        "url",
        [
            "https://checkout.stripe.com.evil.example/c/pay/1",
            "https://evil.example/checkout.stripe.com",
            "https://checkout.stripe.com@evil.example/",
            "http://checkout.stripe.com/c/pay/1",
            "//evil.example",
            "https://127.0.0.1:9/",
            "http://127.0.0.1:99/",
            "javascript:alert(1)",
            "https://[broken",
            "",
        ],
    )
    def test_no_other_host_is_ever_led_to(self, sqlite_doors: Doors, url: str) -> None:
        claim = claim_in(sqlite_doors, State.HELD, **told(5))
        browser = sqlite_doors.browser
        page = browser.get(f"/c/{claim.token}").shown
        open_session(sqlite_doors, claim, url)

        assert browser.get(f"/c/{claim.token}").status == 200
        assert browser.submit(page).status == 503

    def test_a_host_from_the_settings_is_led_to(self, sqlite_doors: Doors) -> None:
        settings = sqlite_doors.parts.settings.model_copy(update={"checkout_hosts": ("pay.aurora.example",)})
        parts: Parts = replace(sqlite_doors.parts, settings=settings)

        assert may_lead_to(parts, "https://pay.aurora.example/c/pay/1")
        assert not may_lead_to(parts, STRIPE_URL)


class TestForm:
    @pytest.mark.parametrize("form", [{}, {"form_token": ""}, {"form_token": "made-up"}])
    def test_a_form_without_our_token_does_nothing(self, doors: Doors, form: dict[str, str]) -> None:
        claim = claim_in(doors, State.HELD, **told(5))
        before = doors.counted()

        answer = doors.browser.post(f"/c/{claim.token}", data=form)

        assert (answer.status, answer.shown.heading) == (403, "Not allowed")
        assert doors.counted() == before

    def test_the_token_of_another_claims_form_does_nothing(self, doors: Doors) -> None:
        claim, browser = claim_in(doors, State.HELD, **told(5)), doors.browser
        other = make_claim(
            doors.ledger,
            make_drop(doors.ledger, doors.brand, words=["OTHER"]),
            make_lead(doors.ledger, doors.account),
            **told(5),
        )
        form = browser.get(f"/c/{claim.token}").shown.forms[0]

        assert browser.post(f"/c/{other.token}", data=form.fields).status == 403

    def test_a_form_over_64_kilobytes_is_refused(self, sqlite_doors: Doors) -> None:
        claim = claim_in(sqlite_doors, State.HELD, **told(5))

        answer = sqlite_doors.browser.post(f"/c/{claim.token}", data={"form_token": "x" * 65_537})

        assert (answer.status, answer.shown.heading) == (413, "Too large")

    def test_a_claim_that_ended_meanwhile_leads_back_to_the_truth(self, doors: Doors) -> None:
        claim, browser = claim_in(doors, State.HELD, **told(5)), doors.browser
        page = browser.get(f"/c/{claim.token}").shown
        with doors.ledger.begin() as tx:
            claims.mark_state(tx, claim, State.EXPIRING, ended_reason="hold_ended")

        answer = browser.submit(page)

        assert (answer.status, answer.location) == (303, f"/c/{claim.token}")

    def test_while_stripe_is_away_the_page_offers_to_try_again(self, doors: Doors) -> None:
        claim, browser = claim_in(doors, State.HELD, **told(5)), doors.browser
        doors.parts.catalog(is_fresh=True)

        answer = browser.submit(browser.get(f"/c/{claim.token}").shown)

        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        assert answer.shown.heading == "A moment, please"
        assert [form.action for form in answer.shown.forms] == [f"/c/{claim.token}"]

    def test_browsers_may_follow_the_form_to_stripe(self, sqlite_doors: Doors) -> None:
        claim = claim_in(sqlite_doors, State.HELD, **told(5))

        policy = sqlite_doors.browser.get(f"/c/{claim.token}").headers["Content-Security-Policy"]

        assert "form-action 'self' https://checkout.stripe.com http://127.0.0.1:9;" in policy
        assert "img-src 'self' https://pictures.example;" in policy


class TestReturnPage:
    def test_it_looks_again_every_two_seconds_and_then_waits_for_a_person(self, sqlite_doors: Doors) -> None:
        claim, browser = claim_in(sqlite_doors, State.HELD, **told(5)), sqlite_doors.browser

        first = browser.get(f"/c/{claim.token}/done?session_id=cs_test_1").shown
        last = browser.get(f"/c/{claim.token}/done?look=60").shown

        (looking,), (waiting,) = first.all("main"), last.all("main")
        assert looking["hx-get"] == f"/c/{claim.token}/done?look=1"
        assert looking["hx-trigger"] == "load delay:2s"
        assert "hx-get" not in waiting
        assert f"/c/{claim.token}" in last.links()

    @pytest.mark.parametrize("look", ["-5", "99999999999999999999", "x", "", "%00"])
    def test_any_number_of_looks_is_a_page(self, sqlite_doors: Doors, look: str) -> None:
        claim = claim_in(sqlite_doors, State.HELD, **told(5))

        assert sqlite_doors.browser.get(f"/c/{claim.token}/done?look={look}").status == 200


def test_without_sql_the_link_asks_for_a_moment(doors: Doors) -> None:
    claim = claim_in(doors, State.HELD, **told(5))
    doors.parts.catalog(is_fresh=True)

    answer = doors.without_sql().browser.get(f"/c/{claim.token}")

    assert (answer.status, answer.shown.heading) == (503, "A moment, please")
    assert answer.headers["Retry-After"] == "2"
