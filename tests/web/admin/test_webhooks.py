"""An owner says where the brand's systems listen, and sees what became of each event."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from claimbot.app import create_app
from claimbot.core.drops import DropKind
from claimbot.core.money import Money
from claimbot.db import brands
from claimbot.db.engine import Ledger
from tests.engine import Engine, running_engine
from tests.pages import Answer, CheckingClient
from tests.web.admin.desk import OWNER, PASSWORD_HASH, try_in
from tests.webhooks.ears import call_by, deliver, in_state
from tests.webhooks.receiver import URL, Receiver, running_receiver

PAGE = "/admin/aurora/settings/webhooks"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{44}")


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with running_receiver(tmp_path) as running:
        yield running


@pytest.fixture
def engine(on_sqlite: Ledger, redis_url: str, receiver: Receiver) -> Iterator[Engine]:
    with running_engine(on_sqlite, redis_url) as running:
        with on_sqlite.begin() as tx:
            operator_id = brands.insert_operator(tx, OWNER, PASSWORD_HASH, running.clock())
            brands.insert_membership(tx, operator_id, running.brand.id, "owner")
        call_by(running, receiver)
        yield running


@pytest.fixture
def browser(engine: Engine) -> CheckingClient:
    client = CheckingClient(create_app(engine.parts).test_client())
    assert try_in(client, OWNER).status == 303
    return client


def press(browser: CheckingClient, step: str, **fields: str) -> Answer:
    """The first form of the page whose address ends so."""
    shown = browser.get(PAGE).shown
    action = next(one.action for one in shown.forms if one.action.endswith(f"/{step}"))
    answer = browser.send(shown, action, **fields)
    return browser.get(answer.location) if answer.status == 303 else answer


def add(browser: CheckingClient, url: str = URL) -> Answer:
    return press(browser, "add", url=url)


def test_what_is_tried_again_says_when(engine: Engine, receiver: Receiver, browser: CheckingClient) -> None:
    add(browser)
    receiver.mode = "500"
    engine.drop()
    engine.dm("ana")
    deliver(engine)

    shown = browser.get(PAGE).shown.text

    assert "not accepted yet" in shown and "again at" in shown


def test_an_empty_page_says_what_to_do(browser: CheckingClient) -> None:
    answer = browser.get(PAGE)
    assert "Nobody yet" in answer.text
    assert "claim.sold" in answer.text


def test_the_secret_is_shown_once(engine: Engine, browser: CheckingClient) -> None:
    answer = add(browser)
    assert (answer.status, len(SECRET.findall(answer.text))) == (200, 1)
    assert URL in browser.get(PAGE).text
    assert not SECRET.search(browser.get(PAGE).text)
    assert engine.rows("SELECT action FROM audit ORDER BY id")[-1] == ("webhook_added",)


@pytest.mark.parametrize(
    ("url", "why"),
    (
        ("", "Where is your system called?"),
        ("http://hooks.example/", "https://"),
        ("https://hooks.example:6379/", "port"),
        ("https://ann:pw@hooks.example/", "name and password"),
    ),
)
def test_an_address_that_may_not_listen_is_told_why(browser: CheckingClient, url: str, why: str) -> None:
    answer = add(browser, url)
    assert answer.status == 422
    assert why in answer.text


def test_the_same_address_does_not_listen_twice(browser: CheckingClient) -> None:
    add(browser)
    assert "listening already" in add(browser).text


def test_a_test_event_shows_what_became_of_it(
    engine: Engine, browser: CheckingClient, receiver: Receiver
) -> None:
    add(browser)
    assert "on its way" in press(browser, "try").text
    deliver(engine)
    assert receiver.told() == [("test", "")]
    shown = browser.get(PAGE).text
    assert "delivered" in shown
    assert "answered 204" in shown


def test_a_failed_event_says_why_and_may_be_sent_again(
    engine: Engine, browser: CheckingClient, receiver: Receiver
) -> None:
    add(browser)
    receiver.mode = "500"
    engine.drop(kind=DropKind.FREE, price=Money(0, "EUR"))
    engine.dm("ana")
    deliver(engine)
    assert "answered 500" in browser.get(PAGE).text
    [(claim_id,)] = engine.rows("SELECT id FROM claims")
    assert f'href="/admin/aurora/claims/{claim_id}"' in browser.get(PAGE).text
    engine.pass_time(hours=25)
    engine.chore("webhooks")
    assert try_in(browser, OWNER).status == 303
    assert "given up" in browser.get(PAGE).text
    receiver.mode = "ok"
    assert "under the same id" in press(browser, "again").text
    assert (deliver(engine), len(set(receiver.ids()))) == (1, 1)


def test_a_private_name_is_said_in_words(engine: Engine, browser: CheckingClient, receiver: Receiver) -> None:
    add(browser)
    press(browser, "try")
    call_by(engine, receiver, resolve=lambda _host, _port: ("10.0.0.1",))
    deliver(engine)
    assert "leads to a private network" in browser.get(PAGE).text


def test_pausing_keeps_events_and_going_on_sends_them(
    engine: Engine, browser: CheckingClient, receiver: Receiver
) -> None:
    add(browser)
    assert "paused" in press(browser, "pause").text
    press(browser, "try")
    assert deliver(engine) == 0
    press(browser, "resume")
    assert deliver(engine) == 1


def test_a_new_secret_is_another_one(engine: Engine, browser: CheckingClient) -> None:
    first = SECRET.findall(add(browser).text)
    second = SECRET.findall(press(browser, "rotate").text)
    assert (len(first), len(second), first == second) == (1, 1, False)


def test_a_removed_address_is_gone_from_the_list(engine: Engine, browser: CheckingClient) -> None:
    add(browser)
    press(browser, "try")
    assert "It is removed" in press(browser, "remove").text
    shown = browser.get(PAGE).text
    assert URL not in shown
    assert "an address that was removed" in shown
    assert in_state(engine, "given_up") == 1


def test_what_a_colleague_removed_a_moment_ago_is_not_there(engine: Engine, browser: CheckingClient) -> None:
    add(browser)
    shown = browser.get(PAGE).shown
    pause = next(one.action for one in shown.forms if one.action.endswith("/pause"))
    press(browser, "remove")
    assert browser.send(shown, pause).status == 404
