"""A brand looks for a claim, reads why it stands as it does, and takes it back, moves it or refunds it."""

from datetime import timedelta
from typing import Any

import pytest

from claimbot.core.claims import State
from claimbot.core.drops import Drop, DropState, Variant
from claimbot.core.followers import Lead
from claimbot.core.outbox import Priority, RowState, Work
from claimbot.core.payments import CheckoutRequest
from claimbot.db import checkouts, outbox
from claimbot.db.inbox import Arrival, Ending, insert_events
from claimbot.flows.browse import SHOWN_ROWS
from tests.builders import NOW, make_claim, make_drop, make_lead, make_work, take_work, told
from tests.web.admin.desk import EDITOR, VIEWER, Desk

CLAIMS = "/admin/aurora/claims"
PAID = {"paid_at": NOW, "paid_minor": 12_900, "payment_intent": "pi_1", "stripe_session_id": "cs_1"}


def lead(desk: Desk, number: str = "7001", **changes: Any) -> Lead:
    return make_lead(desk.doors.ledger, desk.doors.account, number, **changes)


def claimed(
    desk: Desk, drop: Drop, number: str = "7001", state: State = State.HELD, **changes: object
) -> str:
    return make_claim(desk.doors.ledger, drop, lead(desk, number), state, **changes).id


def shown(desk: Desk, path: str = CLAIMS) -> str:
    return desk.sign_in().get(path).shown.text


class TestLooking:
    def test_nothing_yet_says_what_to_do(self, desk: Desk) -> None:
        assert "No claim yet" in shown(desk)
        assert "Nobody was refused" in shown(desk, f"{CLAIMS}/refused")

    def test_one_is_found_by_name_and_by_its_id_and_by_drop_and_state(self, each_desk: Desk) -> None:
        tee, shoes = each_desk.drop(), each_desk.drop(words=("SHOES",), name="Aurora Shoes")
        ana = claimed(each_desk, tee, "7001")
        ben = claimed(each_desk, shoes, "7002", state=State.WAITLISTED)
        browser = each_desk.sign_in()

        def found(query: str) -> set[str]:
            links = browser.get(f"{CLAIMS}?{query}").shown.links()
            return {link.rpartition("/")[2] for link in links if "/claims/clm_" in link}

        assert found("") == {ana, ben}
        assert found("search=%40Follower.7001") == found(f"search={ana}") == {ana}
        assert found(f"drop={shoes.id}") == found("state=waitlisted") == {ben}
        assert found("search=nobody") == set()

    def test_pages_go_on_where_the_last_one_ended(self, each_desk: Desk) -> None:
        drop = each_desk.drop(stock_units=1)
        ids = {
            claimed(
                each_desk,
                drop,
                str(number),
                State.WAITLISTED,
                created_at=NOW + timedelta(seconds=number // 3),
            )
            for number in range(SHOWN_ROWS + 5)
        }
        browser = each_desk.sign_in()
        first = browser.get(CLAIMS).shown
        (further,) = [link for link in first.links() if "after=" in link]
        second = browser.get(further).shown

        pages = [{one for one in page.links() if "/claims/clm_" in one} for page in (first, second)]
        assert [len(page) for page in pages] == [SHOWN_ROWS, 5]
        assert {link.rpartition("/")[2] for page in pages for link in page} == ids

    def test_a_drop_or_a_claim_of_another_brand_does_not_exist(self, desk: Desk) -> None:
        theirs = make_drop(desk.doors.ledger, desk.doors.other_brand)
        stranger = make_lead(desk.doors.ledger, desk.doors.other_account)
        claim = make_claim(desk.doors.ledger, theirs, stranger)
        browser = desk.sign_in()
        paths = [f"{CLAIMS}?drop={theirs.id}", f"{CLAIMS}/refused?drop={theirs.id}", f"{CLAIMS}/{claim.id}"]
        assert [browser.get(path).status for path in paths] == [404, 404, 404]
        assert claim.id not in browser.get(f"{CLAIMS}?search={claim.id}").text.replace(
            f'value="{claim.id}"', ""
        )


WAITING = [
    ({"state": DropState.PAUSED}, {}, "The drop is paused: the line stands still."),
    ({"closes_at": NOW}, {}, "The drop is closed: no unit is offered any more."),
    ({}, {"opted_out_at": NOW}, "They wrote STOP"),
    ({}, {"window_expires_at": NOW}, "they cannot be told, so units go to the next"),
    ({"stock_units": 0}, {}, "Every unit is taken."),
    ({"is_partial_allowed": False}, {}, "They want 3 and 2 are free: the whole wish waits."),
    ({}, {}, "It is their turn: a unit is offered in a moment."),
]


class TestWhy:
    @pytest.mark.parametrize(("of_drop", "of_lead", "sentence"), WAITING)
    def test_why_somebody_is_not_promoted(
        self, desk: Desk, of_drop: dict[str, object], of_lead: dict[str, object], sentence: str
    ) -> None:
        drop = desk.drop(**{"stock_units": 2, **of_drop})
        who = lead(desk, **of_lead)
        claim = make_claim(desk.doors.ledger, drop, who, State.WAITLISTED, quantity=3)
        assert sentence in shown(desk)
        assert sentence in shown(desk, f"{CLAIMS}/{claim.id}")

    def test_how_many_wait_before_them_stands_on_their_page(self, desk: Desk) -> None:
        drop = desk.drop(stock_units=0)
        claimed(desk, drop, "1", state=State.WAITLISTED)
        second = claimed(desk, drop, "2", state=State.WAITLISTED)
        assert "Every unit is taken. 1 wait before them." in shown(desk, f"{CLAIMS}/{second}")

    @pytest.mark.parametrize(
        ("state", "reason", "sentence"),
        [
            (RowState.DEAD, "window_closed", "could not be sent: 24 hours after their last message"),
            (RowState.PARKED, "token_expired", "the account cannot send: the account's token has ended"),
        ],
    )
    def test_why_somebody_was_not_told(self, desk: Desk, state: RowState, reason: str, sentence: str) -> None:
        drop, who = desk.drop(), lead(desk)
        claim = make_claim(desk.doors.ledger, drop, who)
        more = {"kind": Work.OFFER, "priority": Priority.WINNER, "claim_id": claim.id}
        make_work(desk.doors.ledger, who, **more)
        (row,) = take_work(desk.doors.ledger)
        with desk.doors.ledger.begin() as tx:
            outbox.mark_stopped(tx, row, state, reason, NOW)
        assert sentence in shown(desk)

    def test_who_lost_the_message_can_be_sent_their_page(self, desk: Desk) -> None:
        claim = make_claim(desk.doors.ledger, desk.drop(), lead(desk), **told(10))
        path = f"{CLAIMS}/{claim.id}"

        assert f"/c/{claim.token}" in desk.sign_in().get(path).text
        assert claim.token not in desk.sign_in(VIEWER).get(path).text

    @pytest.mark.parametrize("state", list(State))
    def test_every_state_says_something(self, desk: Desk, state: State) -> None:
        claim_id = claimed(desk, desk.drop(), state=state)
        assert desk.sign_in().get(f"{CLAIMS}/{claim_id}").status == 200

    def test_why_a_wish_was_refused(self, each_desk: Desk) -> None:
        drop, who = each_desk.drop(), lead(each_desk)
        outcomes = ("sold_out", "limit_reached", "held")
        with each_desk.doors.ledger.begin() as tx:
            for one in outcomes:
                arrival = Arrival(one, one, NOW, "text", brand_id=each_desk.brand.id)
                insert_events(tx, [(arrival, Ending(one, one, "", who.id, drop.id, None, "LAUNCH"))])

        text = shown(each_desk, f"{CLAIMS}/refused")

        assert "Every unit was taken, and the drop keeps no waitlist." in text
        assert "They had all that one follower may have." in text
        assert text.count("LAUNCH") == 2


class TestChanging:
    def test_a_hold_is_taken_back(self, each_desk: Desk) -> None:
        claim_id = claimed(each_desk, each_desk.drop(), **told(10))
        browser = each_desk.sign_in(EDITOR)
        path = f"{CLAIMS}/{claim_id}"

        answer = browser.send(browser.get(path).shown, f"{path}/cancel")

        assert answer.location.endswith("did=claim_cancelled")
        assert "taken back" in browser.get(answer.location).shown.text
        assert each_desk.doors.rows("SELECT state FROM claims") == [("cancelled",)]
        assert each_desk.audited()[-1] == "claim_cancelled"

    def test_why_it_was_taken_back_is_told_to_the_team_and_forgotten_with_the_follower(
        self, each_desk: Desk
    ) -> None:
        claim_id = claimed(each_desk, each_desk.drop(), **told(10))
        browser = each_desk.sign_in()
        path = f"{CLAIMS}/{claim_id}"
        pages = (path, CLAIMS, "/admin/aurora/settings/audit")

        browser.send(browser.get(path).shown, f"{path}/cancel", note=" a reseller,\n asked twice ")
        told_on = [browser.get(page).shown.text.count("a reseller, asked twice") for page in pages]
        ((who,),) = each_desk.doors.rows("SELECT id FROM leads")
        story = browser.get(f"/admin/aurora/leads/{who}").shown
        browser.send(story, f"/admin/aurora/leads/{who}/erase")

        assert told_on == [1, 1, 1]
        assert "the brand took it back: a reseller, asked twice" in story.text
        assert "reseller" not in str(each_desk.doors.contents())

    def test_too_long_a_reason_is_refused_beside_its_field(self, desk: Desk) -> None:
        path = f"{CLAIMS}/{claimed(desk, desk.drop(), **told(10))}"
        browser = desk.sign_in()

        refused = browser.send(browser.get(path).shown, f"{path}/cancel", note="x" * 201)

        (field,) = [one for one in refused.shown.all("input") if one.get("name") == "note"]
        assert (refused.status, field["aria-invalid"], field["value"]) == (409, "true", "x" * 201)
        assert refused.shown.text.count("at most 200 characters") == 1
        assert desk.doors.rows("SELECT state FROM claims") == [("held",)]

    def test_a_refund_is_asked_for_once_and_by_the_owner(self, each_desk: Desk) -> None:
        claim_id = claimed(each_desk, each_desk.drop(), state=State.SOLD, **PAID)
        browser = each_desk.sign_in()
        path = f"{CLAIMS}/{claim_id}"
        page = browser.get(path).shown

        asked = browser.send(page, f"{path}/refund", amount="29.00")
        again = browser.send(page, f"{path}/refund", amount="29.00")

        assert asked.location.endswith("did=refund_asked")
        assert (again.status, "on its way already" in again.shown.text) == (409, True)
        assert each_desk.doors.rows("SELECT kind, dedupe_key FROM outbox") == [
            ("refund", "refund:cs_1:0:2900")
        ]
        assert "Money is on its way back." in browser.get(path).shown.text

    @pytest.mark.parametrize(
        ("amount", "status", "sentence"),
        [("much", 422, "Write an amount like 12.50"), ("129.01", 409, "between zero and 129.00 EUR")],
    )
    def test_a_wrong_amount_is_told_and_kept(
        self, desk: Desk, amount: str, status: int, sentence: str
    ) -> None:
        path = f"{CLAIMS}/{claimed(desk, desk.drop(), state=State.SOLD, **PAID)}"
        browser = desk.sign_in()
        answer = browser.send(browser.get(path).shown, f"{path}/refund", amount=amount)
        assert (answer.status, sentence in answer.shown.text) == (status, True)
        assert answer.shown.form(f"{path}/refund").fields["amount"] == amount

    def test_after_a_while_it_asks_for_the_password(self, desk: Desk) -> None:
        path = f"{CLAIMS}/{claimed(desk, desk.drop(), state=State.SOLD, **PAID)}"
        browser = desk.sign_in()
        page = browser.get(path).shown
        desk.pass_time(minutes=6)

        answer = browser.send(page, f"{path}/refund")

        assert (answer.status, desk.doors.rows("SELECT kind FROM outbox")) == (401, [])
        assert "password_again" in browser.get(path).shown.form(f"{path}/refund").fields

    def test_a_claim_moves_to_a_variant_of_the_same_price(self, each_desk: Desk) -> None:
        variants = [Variant("var_s", "S", "Small"), Variant("var_l", "L", "Large")]
        claim_id = claimed(each_desk, each_desk.drop(variants=variants), state=State.SOLD, **PAID)
        browser = each_desk.sign_in()
        path = f"{CLAIMS}/{claim_id}"

        answer = browser.send(browser.get(path).shown, f"{path}/move")

        assert answer.location.endswith("did=claim_moved")
        assert each_desk.doors.rows("SELECT variant_id FROM claims") == [("var_l",)]
        assert "(Large)" in browser.get(path).shown.heading

    def test_a_move_that_would_be_refused_is_not_offered(self, desk: Desk) -> None:
        variants = [Variant("var_s", "S", "Small"), Variant("var_l", "L", "Large"), Variant("var_m", "M", "")]
        drop = desk.drop(variants=variants)
        claim_id = claimed(desk, drop)
        make_claim(desk.doors.ledger, drop, lead(desk, "7002"), State.WAITLISTED, variant_id="var_l")
        path = f"{CLAIMS}/{claim_id}"

        page = desk.sign_in().get(path).shown

        assert page.form(f"{path}/move").fields["variant"] == "var_m"
        assert "Large: People wait for that variant" in page.text

    def test_who_reads_the_old_variant_on_a_payment_page_stays(self, desk: Desk) -> None:
        variants = [Variant("var_s", "S", "Small"), Variant("var_l", "L", "Large")]
        drop = desk.drop(variants=variants)
        claim_id = claimed(desk, drop)
        asked = CheckoutRequest(claim_id, 1, "Night Jacket", drop.price, 1, NOW, "https://x.example")
        with desk.doors.ledger.begin() as tx:
            checkouts.insert_attempt(tx, drop.brand_id, asked, NOW)

        page = desk.sign_in().get(f"{CLAIMS}/{claim_id}").shown

        assert "Large: Their payment page names the old variant" in page.text
        assert [form for form in page.forms if form.action.endswith("/move")] == []

    def test_a_viewer_is_shown_no_button(self, desk: Desk) -> None:
        path = f"{CLAIMS}/{claimed(desk, desk.drop(), state=State.SOLD, **PAID)}"
        forms = desk.sign_in(VIEWER).get(path).shown.forms
        assert {form.action for form in forms if form.method == "post"} == {"/admin/logout"}
