"""What may a browser test ask for? One running machine, one browser, a window in which nothing goes wrong."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser

from claimbot.cli.demo import DROPS
from tests.browser.steps import rehearse, secrets_of, sign_in
from tests.browser.windows import DESK, Shape, Window, chromium, window
from tests.e2e.machine import Machine, running_up
from tests.web.test_deletion import signed


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Everything that `claimbot up` starts, for all tests here: each makes drops and followers of its own."""
    with running_up(tmp_path_factory.mktemp("browser") / "data") as machine:
        yield machine


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def shape(request: pytest.FixtureRequest) -> Shape:
    found = request.param
    assert isinstance(found, Shape)
    return found


@pytest.fixture
def clean_window(browser: Browser, shape: Shape) -> Iterator[Window]:
    """At its end no console error, no script error, no failed request."""
    with window(browser, shape) as opened:
        yield opened
        assert opened.faults == []


@pytest.fixture(scope="session")
def lively(machine: Machine, browser: Browser) -> Machine:
    """With something on every page: who holds, paid, waits, was asked, stopped, is erased; a rehearsal."""
    for follower in ("lena", "omar", "pia"):
        machine.dm(follower, DROPS[0].word)
    machine.pay(machine.hears("lena", "held for")["buttons"][0]["url"])
    machine.dm("quinn", DROPS[1].word)
    machine.dm("rosa", "STOP")
    machine.hears("pia", "held for")
    machine.hears("lena", "Thank you")
    ask_to_forget(machine)
    with window(browser, DESK) as opened:
        rehearse(sign_in(opened, machine), machine, DROPS[1].name)
    return machine


def ask_to_forget(machine: Machine) -> None:
    """As Meta does; nobody is found, which raises an alert for a person to look."""
    (secret, *_) = secrets_of(machine)["META_APP_SECRETS"].split(",")
    told = {"signed_request": signed("4711", secret)}
    answer = httpx.post(f"{machine.engine_url}/webhooks/meta/deletion", data=told, trust_env=False)
    assert answer.status_code == 200, answer.text
