"""Who wrote, what became of each, and the list as a file: exactly what is shown."""

import csv
import io
from datetime import timedelta

import pytest

from claimbot.core.claims import State
from claimbot.core.leads import COLUMNS
from claimbot.db import downloads, leads
from claimbot.db.inbox import Arrival, Ending, insert_events
from claimbot.flows.show import SHOWN_LINES
from tests.builders import NOW, make_claim, make_lead, make_work, take_work
from tests.pages import Answer, CheckingClient
from tests.web.admin.desk import OWNER, Desk, token_of

LEADS = "/admin/aurora/leads"


def names(answer: Answer) -> list[str]:
    """The people on the page, in its order."""
    return [link.rpartition("/")[2] for link in answer.shown.links() if f"{LEADS}/led_" in link]


def download(browser: CheckingClient, **asked: str) -> list[dict[str, str]]:
    page = browser.get(LEADS, query_string=asked).shown
    answer = browser.send(page, f"{LEADS}.csv")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))


def say(desk: Desk, lead_id: str, drop_id: str | None, outcome: str = "held", reason: str = "") -> None:
    key = f"key-{lead_id}-{outcome}"
    with desk.doors.ledger.begin() as tx:
        arrival = Arrival(key, key, NOW, "text", desk.doors.account.id, desk.brand.id, text="LAUNCH please")
        insert_events(tx, [(arrival, Ending(key, outcome, reason, lead_id, drop_id, None, "LAUNCH"))])


@pytest.fixture
def crowd(each_desk: Desk) -> dict[str, str]:
    """Ana holds a unit, Ben came too late, Cleo wrote without a keyword; name → id."""
    ledger, account = each_desk.doors.ledger, each_desk.doors.account
    drop = each_desk.drop()
    ana = make_lead(ledger, account, "1", username="ana.lima", name="Ana Lima", email="ana@post.test")
    # Half past midnight of the next day, where the brand is.
    late = {"first_seen_at": NOW.replace(hour=23, minute=30), "tags": ["vip", "x"], "consent_marketing": True}
    ben = make_lead(ledger, account, "2", username="ben_100%", name="Ben", **late)
    asked = {"tags": ['é"'], "consent_marketing": False}
    cleo = make_lead(ledger, account, "3", username="cleo", name="Cleo", **asked)
    make_claim(ledger, drop, ana, State.HELD, place=1)
    say(each_desk, ana.id, drop.id, "held")
    say(each_desk, ben.id, drop.id, "sold_out")
    say(each_desk, cleo.id, None, "unmatched")
    return {"ana": ana.id, "ben": ben.id, "cleo": cleo.id, "drop": drop.id}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, {"ana", "ben", "cleo"}),
        ({"search": "LIMA"}, {"ana"}),
        ({"search": "@ben"}, {"ben"}),
        ({"search": "post.test"}, {"ana"}),
        ({"search": "100%"}, {"ben"}),
        ({"search": "Lima, an"}, {"ana"}),
        ({"search": "ana ben"}, set()),
        ({"search": "ima"}, set()),
        ({"search": "o'b\\"}, set()),
        ({"search": "%"}, {"ben"}),
        ({"search": "_"}, {"ben"}),
        ({"search": "nobody"}, set()),
        ({"search": "' OR 1=1 --"}, set()),
        ({"drop": "drop"}, {"ana", "ben"}),
        ({"outcome": "sold_out"}, {"ben"}),
        ({"outcome": "no such"}, {"ana", "ben", "cleo"}),
        ({"qualified": "yes"}, {"ana"}),
        ({"qualified": "no"}, {"ben", "cleo"}),
        ({"drop": "drop", "qualified": "no", "search": "b"}, {"ben"}),
        ({"drop": "drop", "qualified": "yes"}, {"ana"}),
        ({"drop": "drop", "outcome": "held"}, {"ana"}),
        ({"outcome": "unmatched"}, {"cleo"}),
        ({"outcome": "held", "qualified": "no"}, set()),
        ({"state": "held"}, {"ana"}),
        ({"state": "held", "outcome": "held", "drop": "drop"}, {"ana"}),
        ({"state": "held", "outcome": "sold_out"}, set()),
        ({"state": "sold"}, set()),
        ({"consent": "yes"}, {"ben"}),
        ({"consent": "no"}, {"cleo"}),
        ({"tag": "vip"}, {"ben"}),
        ({"tag": "vi"}, set()),
        ({"tag": 'é"'}, {"cleo"}),
        ({"channel": "instagram"}, {"ana", "ben", "cleo"}),
        ({"channel": "telegram"}, set()),
        ({"from": "2026-03-15"}, {"ben"}),
        ({"to": "2026-03-14"}, {"ana", "cleo"}),
        ({"from": "2026-03-15", "to": "2026-03-15", "sort": "oldest"}, {"ben"}),
        ({"sort": "oldest"}, {"ana", "ben", "cleo"}),
    ],
)
def test_the_page_and_the_file_show_what_was_asked_for(
    each_desk: Desk, crowd: dict[str, str], asked: dict[str, str], found: set[str]
) -> None:
    browser = each_desk.sign_in()
    wanted = {name: crowd["drop"] if name == "drop" else word for name, word in asked.items()}

    shown = set(names(browser.get(LEADS, query_string=wanted)))
    downloaded = {row["lead_id"] for row in download(browser, **wanted)}

    assert shown == downloaded == {crowd[name] for name in found}


def test_the_file_has_its_columns_and_says_who_took_it(each_desk: Desk, crowd: dict[str, str]) -> None:
    (row,) = download(each_desk.sign_in(), search="ana", qualified="yes")

    assert tuple(row) == COLUMNS
    assert (row["username"], row["claim_state"], row["place"]) == ("ana.lima", "held", "1")
    kept = each_desk.doors.rows("SELECT facts FROM audit WHERE action = 'leads_exported'")
    assert "qualified" in str(kept) and "ana" not in str(kept)


def test_the_newest_are_first_and_pages_follow_without_a_gap(each_desk: Desk) -> None:
    ledger, account = each_desk.doors.ledger, each_desk.doors.account
    ids = [
        make_lead(ledger, account, str(number), first_seen_at=NOW + timedelta(seconds=number // 3)).id
        for number in range(2 * SHOWN_LINES + 7)
    ]
    browser = each_desk.sign_in()

    first = browser.get(LEADS)
    second = browser.get(further(first))
    third = browser.get(further(second))

    seen = [*names(first), *names(second), *names(third)]
    assert (len(names(first)), len(names(second)), len(names(third))) == (SHOWN_LINES, SHOWN_LINES, 7)
    assert sorted(seen) == sorted(ids)
    assert seen[0] == ids[-1]
    assert not [link for link in third.shown.links() if "after=" in link]


def further(answer: Answer) -> str:
    return next(link for link in answer.shown.links() if "after=" in link)


ORDERS = {
    "": lambda one: (one["first_seen_at"], True),
    "oldest": lambda one: (one["first_seen_at"], False),
    "seen": lambda one: (one["last_seen_at"], True),
    "unseen": lambda one: (one["last_seen_at"], False),
    "name": lambda one: (one["username"], False),
    "name-back": lambda one: (one["username"], True),
}


@pytest.mark.parametrize("sort", ORDERS)
def test_every_order_tells_everybody_once_over_its_pages(each_desk: Desk, sort: str) -> None:
    ledger, account = each_desk.doors.ledger, each_desk.doors.account
    known = {}
    for number in range(SHOWN_LINES + 7):
        # Many have the same time or handle, and some have none; a handle may hold what divides a place.
        first = NOW + timedelta(minutes=number % 5)
        last = first + timedelta(minutes=number * 7 % 11)
        about = {"username": f"a~{number % 9}" if number % 9 else "", "first_seen_at": first}
        one = {**about, "last_seen_at": last}
        known[make_lead(ledger, account, str(number), **one).id] = one
    browser = each_desk.sign_in()

    first_page = browser.get(LEADS, query_string={"sort": sort} if sort else {})
    (further,) = {link for link in first_page.shown.links() if "after=" in link}
    told = [*names(first_page), *names(browser.get(further))]

    key, is_falling = [ORDERS[sort](known[one])[0] for one in told], ORDERS[sort](known[told[0]])[1]
    assert (len(told), set(told)) == (len(known), set(known))
    assert key == sorted(key, reverse=is_falling)


class TestOrder:
    def test_a_column_leads_to_its_order_and_back(self, desk: Desk) -> None:
        make_lead(desk.doors.ledger, desk.doors.account)
        browser = desk.sign_in()

        by_name = browser.get(f"{LEADS}?sort=name")

        ordered = [one["aria-sort"] for one in by_name.shown.all("th") if "aria-sort" in one]
        assert ordered == ["ascending"]
        assert {f"{LEADS}?sort=name-back", LEADS, f"{LEADS}?sort=seen"} <= set(by_name.shown.links())
        assert "1 line, by handle" in by_name.shown.text

    def test_what_is_filtered_is_ordered_by_time_alone(self, desk: Desk) -> None:
        make_lead(desk.doors.ledger, desk.doors.account, tags=["vip"])

        page = desk.sign_in().get(f"{LEADS}?tag=vip&sort=name").shown

        assert "1 line, newest first" in page.text
        assert f"{LEADS}?tag=vip&sort=oldest" in page.links()
        assert not [link for link in page.links() if "sort=name" in link or "sort=seen" in link]

    def test_an_order_that_there_is_not_is_the_usual_one(self, desk: Desk) -> None:
        make_lead(desk.doors.ledger, desk.doors.account)
        assert "1 line, newest first" in desk.sign_in().get(f"{LEADS}?sort=shoe-size").shown.text


def test_a_rare_one_is_found_behind_many(each_desk: Desk) -> None:
    ledger, account = each_desk.doors.ledger, each_desk.doors.account
    rare = make_lead(ledger, account, "rare", first_seen_at=NOW - timedelta(days=1))
    say(each_desk, rare.id, None, "human")
    others = [make_lead(ledger, account, str(number)) for number in range(SHOWN_LINES + 30)]

    shown = names(each_desk.sign_in().get(f"{LEADS}?outcome=human"))

    assert (len(others), shown) == (SHOWN_LINES + 30, [rare.id])


@pytest.mark.parametrize(
    "after", ["x", "~", "2026-03-14T18:00:00~led_1", "2026-03-14T18:00:00+00:00~", "\0~a"]
)
def test_a_place_that_we_did_not_write_begins_at_the_start(
    each_desk: Desk, crowd: dict[str, str], after: str
) -> None:
    shown = each_desk.sign_in().get(LEADS, query_string={"after": after})
    assert len(names(shown)) == 3


@pytest.mark.parametrize(("path", "sentence"), [(LEADS, "No lead yet"), (f"{LEADS}?search=x", "Nobody fits")])
def test_nothing_yet_says_what_to_do(desk: Desk, path: str, sentence: str) -> None:
    assert sentence in desk.sign_in().get(path).shown.text


def test_the_rule_of_the_list_is_told_in_words(desk: Desk) -> None:
    assert "A lead is qualified when they wrote the word" in desk.sign_in().get(LEADS).shown.text


def test_one_download_at_a_time_for_each_brand(each_desk: Desk) -> None:
    browser = each_desk.sign_in()
    with each_desk.doors.ledger.begin() as tx:
        assert downloads.begin_download(tx, each_desk.brand.id, "op_1", NOW)
        downloads.mark_download(tx, each_desk.brand.id, 12_000, NOW)

    page = browser.get(LEADS).shown
    refused = browser.send(page, f"{LEADS}.csv")
    each_desk.pass_time(seconds=61)

    assert "A download is running: 12,000 lines so far" in page.text
    assert refused.status == 409 and "still running" in refused.shown.text
    assert download(browser) == []


def test_a_finished_download_lets_the_next_begin(desk: Desk) -> None:
    browser = desk.sign_in()
    assert download(browser) == download(browser) == []


@pytest.mark.parametrize(
    ("handle", "name", "shown"),
    [
        ("ana", "Ana", "@ana"),
        ("ana", "@Ana", "@ana"),
        ("ana", "Ana Lima", "@ana Ana Lima"),
        ("ana", "", "@ana"),
        ("", "Ana Lima", "Ana Lima"),
        ("", "", "somebody"),
    ],
)
@pytest.mark.parametrize("path", ["leads", "claims", "claims/refused", "drops/{drop}"])
def test_a_person_is_named_once_on_every_page(
    desk: Desk, path: str, handle: str, name: str, shown: str
) -> None:
    lead = make_lead(desk.doors.ledger, desk.doors.account, "1", username=handle, name=name)
    drop = desk.drop()
    make_claim(desk.doors.ledger, drop, lead)
    say(desk, lead.id, drop.id, "sold_out")

    page = desk.sign_in().get(f"/admin/aurora/{path.format(drop=drop.id)}").shown

    assert f" {shown} " in page.text
    assert page.text.lower().count("ana") == shown.lower().count("ana")


class TestPerson:
    def test_everything_that_happened_is_told_in_order(self, each_desk: Desk, crowd: dict[str, str]) -> None:
        ledger = each_desk.doors.ledger
        with ledger.reading() as tx:
            lead = leads.find_lead(tx, crowd["ana"])
        assert lead is not None
        make_work(ledger, lead, payload={"text": "held", "rendered": "Hi Ana, it is yours!"})
        assert len(take_work(ledger)) == 1

        page = each_desk.sign_in().get(f"{LEADS}/{crowd['ana']}").shown

        assert page.heading == "@ana.lima"
        told = ["Hi Ana, it is yours!", "Claim · 1 × Night Jacket", "number 1", "LAUNCH please", "got a unit"]
        places = [page.text.index(words) for words in told]
        assert places == sorted(places)

    def test_why_nothing_was_sent_is_told(self, desk: Desk) -> None:
        lead = make_lead(desk.doors.ledger, desk.doors.account)
        say(desk, lead.id, None, "human", "a_person_answers")

        page = desk.sign_in().get(f"{LEADS}/{lead.id}").shown

        assert "a person answers them, the machine is silent" in page.text

    def test_the_machine_is_paused_and_resumed(self, each_desk: Desk) -> None:
        lead = make_lead(each_desk.doors.ledger, each_desk.doors.account)
        browser = each_desk.sign_in()
        path = f"{LEADS}/{lead.id}"

        paused = browser.get(browser.send(browser.get(path).shown, f"{path}/pause").location).shown
        resumed = browser.get(browser.send(paused, f"{path}/resume").location).shown

        assert "The machine is silent for this person" in paused.text
        assert "The machine answers this person again" in resumed.text
        assert each_desk.audited() == ["signed_in", "lead_paused", "lead_resumed"]

    def test_who_is_erased_is_nowhere_any_more(self, each_desk: Desk, crowd: dict[str, str]) -> None:
        browser = each_desk.sign_in()
        path = f"{LEADS}/{crowd['ana']}"

        erased = browser.get(browser.send(browser.get(path).shown, f"{path}/erase").location)

        assert "This person is erased" in erased.shown.text
        pages = [erased, browser.get(LEADS), browser.get(f"/admin/aurora/drops/{crowd['drop']}")]
        assert not [page for page in pages if "ana.lima" in page.text or "Ana Lima" in page.text]
        assert names(browser.get(f"{LEADS}?search=ana")) == []

    def test_erasing_asks_before(self, desk: Desk) -> None:
        lead = make_lead(desk.doors.ledger, desk.doors.account)
        assert "Erase for good" in desk.sign_in(OWNER).get(f"{LEADS}/{lead.id}").shown.text

    def test_who_is_erased_can_be_neither_paused_nor_erased_again(self, desk: Desk) -> None:
        lead = make_lead(desk.doors.ledger, desk.doors.account)
        browser = desk.sign_in()
        form = {"form_token": token_of(browser)}
        browser.post(f"{LEADS}/{lead.id}/erase", data=form)

        assert browser.post(f"{LEADS}/{lead.id}/pause", data=form).status == 404
        assert browser.post(f"{LEADS}/{lead.id}/erase", data=form).status == 303
        assert desk.audited().count("lead_erased") == 1
