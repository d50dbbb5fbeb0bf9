"""Does the button make a session, and does the return page find out what happened, also without a webhook?"""

from collections.abc import Iterator

import pytest

from claimbot.app import create_app
from claimbot.core.drops import LinkMode
from claimbot.db.engine import Ledger
from claimbot.web.asks import Asks
from tests.engine import Engine, running_engine
from tests.pages import CheckingClient


@pytest.fixture
def engine(ledger: Ledger, redis_url: str) -> Iterator[Engine]:
    with running_engine(ledger, redis_url) as engine:
        engine.drop(link_mode=LinkMode.PAY_LINK)
        engine.dm("ana")
        engine.work()
        yield engine


@pytest.fixture
def browser(engine: Engine) -> CheckingClient:
    return CheckingClient(create_app(engine.parts).test_client())


def path_of(engine: Engine) -> str:
    return engine.link("ana").removeprefix(engine.parts.settings.own_url)


def press(engine: Engine, browser: CheckingClient) -> str:
    """Ana opens her link and presses the button; where it leads."""
    answer = browser.submit(browser.get(path_of(engine)).shown)
    assert answer.status == 303
    return answer.location


def pay(engine: Engine, address: str) -> None:
    session_id = address.rpartition("/")[2]
    engine.world.api(f"/stripe/sessions/{session_id}/pay")
    engine.settle()


def test_opening_the_link_makes_no_session_and_the_button_makes_one(
    engine: Engine, browser: CheckingClient
) -> None:
    browser.get(path_of(engine))
    assert engine.rows("SELECT count(*) FROM checkouts") == [(0,)]

    first = press(engine, browser)

    assert first.startswith(f"{engine.world.url}/pay/")
    assert browser.get(path_of(engine)).location == first
    assert engine.rows("SELECT count(*) FROM checkouts") == [(1,)]


def test_pressing_the_button_is_noted_once_and_looking_is_not(
    engine: Engine, browser: CheckingClient
) -> None:
    opened = "SELECT opened_at FROM claims"
    browser.get(path_of(engine))
    assert engine.rows(opened) == [(None,)]
    page = browser.get(path_of(engine)).shown
    browser.submit(page)
    first = engine.rows(opened)
    browser.submit(page)
    assert first != [(None,)] and engine.rows(opened) == first


def test_the_return_page_says_thank_you_after_the_webhook(engine: Engine, browser: CheckingClient) -> None:
    pay(engine, press(engine, browser))

    assert browser.get(f"{path_of(engine)}/done").shown.heading == "Thank you, it is yours"


def test_the_return_page_asks_stripe_when_no_webhook_came(engine: Engine, browser: CheckingClient) -> None:
    address = press(engine, browser)
    engine.world.fault("stripe", "webhook_drop", times=5)
    pay(engine, address)
    assert engine.states() == {"held": 1}

    page = browser.get(f"{path_of(engine)}/done").shown

    assert page.heading == "Thank you, it is yours"
    assert engine.states() == {"sold": 1}


def test_who_comes_back_without_paying_is_told_so(engine: Engine, browser: CheckingClient) -> None:
    press(engine, browser)

    page = browser.get(f"{path_of(engine)}/done").shown

    assert page.heading == "Looking for your payment"
    assert engine.states() == {"held": 1}


@pytest.mark.parametrize(("later_seconds", "expected"), [(9.9, "held"), (10.1, "sold")])
def test_stripe_is_asked_about_a_claim_at_most_every_ten_seconds(
    engine: Engine, browser: CheckingClient, later_seconds: float, expected: str
) -> None:
    seconds = [100.0]
    asks = Asks(engine.parts, lambda: seconds[0])
    address = press(engine, browser)
    ((claim_id,),) = engine.rows("SELECT id FROM claims")
    asks.ask(claim_id)
    engine.world.fault("stripe", "webhook_drop", times=5)
    pay(engine, address)

    seconds[0] += later_seconds
    asks.ask(claim_id)

    assert engine.states() == {expected: 1}
