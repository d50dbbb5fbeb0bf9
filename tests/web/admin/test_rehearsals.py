"""A brand rehearses a launch: asked for on a page, played beside the engine, its sums shown."""

import threading
import time
from collections.abc import Iterator

import pytest

from claimbot.app import create_app
from claimbot.cli.rehearsals import NO_ACCOUNT, RehearsalLoop, play_next
from claimbot.core.brands import Brand
from claimbot.core.drops import DropState, Variant
from claimbot.db import brands, drops
from claimbot.db.engine import Ledger
from claimbot.flows import rehearse
from claimbot.flows.rehearse import beat, give_up_interrupted
from claimbot.jobs import WorkerLoop
from tests.builders import make_account, make_brand, make_drop
from tests.engine import Engine, running_engine
from tests.pages import Answer, CheckingClient
from tests.web.admin.desk import OWNER, PASSWORD_HASH, Desk, try_in

STOP_SECONDS = 10.0
SMALL = {"followers": "12", "stock_units": "3", "duplicates": "50", "pay": "100"}


@pytest.fixture
def engine(ledger: Ledger, redis_url: str) -> Iterator[Engine]:
    """With a worker beside it, and an owner of its brand."""
    with running_engine(ledger, redis_url) as running:
        with ledger.begin() as tx:
            operator_id = brands.insert_operator(tx, OWNER, PASSWORD_HASH, running.clock())
            brands.insert_membership(tx, operator_id, running.brand.id, "owner")
        loop = WorkerLoop(running.parts, threads=2)
        thread = threading.Thread(target=loop.run, daemon=True)
        thread.start()
        yield running
        loop.stop()
        thread.join(STOP_SECONDS)


def signed_in(engine: Engine) -> CheckingClient:
    browser = CheckingClient(create_app(engine.parts).test_client())
    assert try_in(browser, OWNER).status == 303
    return browser


def ask(browser: CheckingClient, drop_id: str, **typed: str) -> Answer:
    path = f"/admin/aurora/drops/{drop_id}/rehearse"
    return browser.send(browser.get(path).shown, path, **{**SMALL, **typed})


def test_a_copy_is_played_and_the_sums_are_shown(engine: Engine) -> None:
    variants = [Variant("var_s", "S", "Small"), Variant("var_l", "L", "Large")]
    drop = engine.drop(variants=variants, stock_units=50, state=DropState.DRAFT)
    beat(engine.parts)
    browser = signed_in(engine)

    # They choose a variant by chance; of so many, three choose each.
    page = ask(browser, drop.id, followers="40").location
    waiting = browser.get(page).shown.text
    assert play_next(engine.parts, engine.world.url) is True
    shown = browser.get(page).shown.text

    assert "waits to begin" in waiting
    assert "Every promise was kept" in shown
    assert "claims: sold 6 claims: waits in line 34" in shown
    with engine.parts.ledger.reading() as tx:
        copy = next(one for one in drops.list_drops(tx) if one.id != drop.id)
        untouched = drops.find_drop(tx, drop.id)
    assert (copy.name, copy.state) == ("Rehearsal: Night Jacket", DropState.CLOSED)
    assert untouched == drop
    assert copy.name not in browser.get("/admin/aurora/drops").shown.text
    assert play_next(engine.parts, engine.world.url) is False


def test_one_at_a_time(engine: Engine) -> None:
    drop = engine.drop()
    beat(engine.parts)
    browser = signed_in(engine)
    ask(browser, drop.id)

    second = ask(browser, drop.id)

    assert second.status == 409
    assert "Another rehearsal is being played" in second.shown.text


def test_a_brand_that_the_sandbox_does_not_know_is_told(engine: Engine) -> None:
    other = second_brand(engine)
    drop = make_drop(engine.parts.ledger, other, words=("OTHER",))
    beat(engine.parts)
    asked = rehearse.ask_rehearsal(engine.parts, "test", drop, rehearse.Wish(5, 1, 0, 0))

    play_next(engine.parts, engine.world.url)

    found = rehearse.find_rehearsal(engine.parts, other.id, asked.id)
    assert found is not None
    assert (found.state, found.reason) == ("failed", NO_ACCOUNT)


def second_brand(engine: Engine) -> Brand:
    """With an account that the sandbox does not have."""
    brand = make_brand(engine.parts.ledger, "borealis")
    make_account(engine.parts.ledger, brand, "17841400000000099")
    return brand


def test_what_was_interrupted_is_given_up(engine: Engine) -> None:
    drop = engine.drop()
    beat(engine.parts)
    asked = rehearse.ask_rehearsal(engine.parts, "test", drop, rehearse.Wish(5, 1, 0, 0))
    assert rehearse.begin_next(engine.parts) is not None

    give_up_interrupted(engine.parts)

    found = rehearse.find_rehearsal(engine.parts, engine.brand.id, asked.id)
    assert found is not None and found.state == "failed"
    assert rehearse.find_open(engine.parts) is None


def test_a_sandbox_that_is_gone_is_told(engine: Engine) -> None:
    drop = engine.drop()
    beat(engine.parts)
    asked = rehearse.ask_rehearsal(engine.parts, "test", drop, rehearse.Wish(5, 1, 0, 0))

    play_next(engine.parts, "http://127.0.0.1:9")

    found = rehearse.find_rehearsal(engine.parts, engine.brand.id, asked.id)
    assert found is not None and found.reason == "The sandbox stopped answering."


class TestWithoutASandbox:
    def test_the_page_says_how_to_have_one(self, desk: Desk) -> None:
        drop = desk.drop()
        page = desk.sign_in().get(f"/admin/aurora/drops/{drop.id}/rehearse").shown
        assert "No sandbox here" in page.text and "claimbot up" in page.text
        assert [form.action for form in page.forms if "rehearse" in form.action] == []

    def test_a_beat_of_long_ago_is_no_sandbox(self, desk: Desk) -> None:
        beat(desk.doors.parts)
        assert rehearse.is_possible(desk.doors.parts) is True
        desk.pass_time(seconds=31)
        assert rehearse.is_possible(desk.doors.parts) is False

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ({"followers": "0"}, "A whole number from 1 to 5000."),
            ({"followers": "5001"}, "A whole number from 1 to 5000."),
            ({"duplicates": "101"}, "A whole number from 0 to 100."),
            ({"pay": "half"}, "A whole number from 0 to 100."),
        ],
    )
    def test_a_number_that_cannot_be_played_is_kept_and_told(
        self, desk: Desk, typed: dict[str, str], sentence: str
    ) -> None:
        beat(desk.doors.parts)
        answer = ask(desk.sign_in(), desk.drop().id, **typed)
        assert (answer.status, sentence in answer.shown.text) == (422, True)
        (name, value) = next(iter(typed.items()))
        assert [one["value"] for one in answer.shown.all("input") if one.get("name") == name] == [value]


def test_the_loop_beats_and_gives_up_what_nobody_plays(engine: Engine) -> None:
    drop = engine.drop()
    beat(engine.parts)
    asked = rehearse.ask_rehearsal(engine.parts, "test", drop, rehearse.Wish(5, 1, 0, 0))
    rehearse.begin_next(engine.parts)
    loop = RehearsalLoop(engine.parts, engine.world.url)
    thread = threading.Thread(target=loop.run, daemon=True)
    thread.start()
    ends_at = time.monotonic() + STOP_SECONDS
    while rehearse.find_open(engine.parts) is not None and time.monotonic() < ends_at:
        time.sleep(0.02)
    loop.stop()
    thread.join(STOP_SECONDS)

    found = rehearse.find_rehearsal(engine.parts, engine.brand.id, asked.id)
    assert found is not None and found.reason.startswith("It was interrupted")
    assert not thread.is_alive()
