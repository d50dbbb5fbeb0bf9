"""A launch is watched: numbers, pictures with a table behind them, and who wrote last."""

from datetime import timedelta

from claimbot.core.claims import State
from claimbot.db.inbox import Arrival, Ending, insert_events
from claimbot.db.launches import Bar, Funnel, Pace
from claimbot.web.admin.pictures import HEIGHT, columns, steps_of
from tests.builders import NOW, make_claim, make_lead
from tests.web.admin.desk import Desk

DROPS = "/admin/aurora/drops"


def say(desk: Desk, drop_id: str, outcomes: list[str], lead_id: str, claim_id: str | None = None) -> None:
    """One message a second, each ended so."""
    keys = [f"key-{number}" for number in range(len(outcomes))]
    times = [NOW + timedelta(seconds=number) for number in range(len(keys))]
    with desk.doors.ledger.begin() as tx:
        insert_events(
            tx,
            [
                (
                    Arrival(key, key, at, "text", brand_id=desk.brand.id),
                    Ending(key, outcome, "", lead_id, drop_id, claim_id, "LAUNCH"),
                )
                for key, at, outcome in zip(keys, times, outcomes, strict=True)
            ],
        )


class TestPictures:
    def test_the_tallest_column_fills_the_picture_and_parts_stand_on_each_other(self) -> None:
        pace = Pace("minute", 1, [Bar(NOW, 2, 1, 1), Bar(NOW, 0, 0, 2), Bar(NOW, 0, 0, 0)])
        tall, short, none = columns(pace)
        assert [(part.look, part.y, part.height) for part in tall.parts] == [
            ("got", 50, 50),
            ("waits", 25, 25),
            ("others", 0, 25),
        ]
        assert sum(part.height for part in short.parts) == HEIGHT / 2
        assert none.parts == ()

    def test_a_funnel_is_measured_by_its_first_step(self) -> None:
        steps = steps_of(Funnel(200, 50, 50, 40, 30, 1))
        assert [(step.count, step.width, step.share) for step in steps[:2]] == [
            (200, 100, "100 %"),
            (50, 25, "25 %"),
        ]
        assert {step.share for step in steps_of(Funnel(0, 0, 0, 0, 0, 0))} == {"–"}


class TestBoard:
    def test_a_draft_says_what_will_be_seen(self, desk: Desk) -> None:
        drop = desk.drop()
        text = desk.sign_in().get(f"{DROPS}/{drop.id}").shown.text
        assert "As soon as followers write, you see here how many come in a second." in text

    def test_the_pictures_have_words_and_a_table(self, each_desk: Desk) -> None:
        drop = each_desk.drop(stock_units=5)
        lead = make_lead(each_desk.doors.ledger, each_desk.doors.account)
        claim = make_claim(each_desk.doors.ledger, drop, lead, State.SOLD, place=1, paid_at=NOW)
        say(each_desk, drop.id, ["held", "waitlisted", "sold_out", "limit_reached"], lead.id, claim.id)

        page = each_desk.sign_in().get(f"{DROPS}/{drop.id}").shown

        labels = [one["aria-label"] for one in page.all("svg") if one.get("role") == "img"]
        assert any("1 second for each bar: at most 1 in one, 1.0 in a second." in label for label in labels)
        assert all(one.get("aria-label") or one.get("aria-hidden") for one in page.all("svg"))
        assert "Waiting 0 Refused 2" in page.text
        assert "Wrote the word 1 100 % Got a unit 1 100 %" in page.text
        assert "Paid 1 100 % Got their money back 0 0 %" in page.text
        assert f"/admin/aurora/claims/{claim.id}" in page.links()

    def test_the_span_that_was_chosen_stays_when_the_board_looks_again(self, desk: Desk) -> None:
        drop = desk.drop()
        say(desk, drop.id, ["held"], make_lead(desk.doors.ledger, desk.doors.account).id)
        page = desk.sign_in().get(f"{DROPS}/{drop.id}?span=hour").shown
        (live,) = [one for one in page.all("div") if one.get("id") == "live"]
        assert live["hx-get"].endswith("?span=hour")
        assert "60 seconds for each bar" in page.all("svg")[1]["aria-label"]
