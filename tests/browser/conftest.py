"""What may a browser test ask for? One running machine, one browser, a window in which nothing goes wrong."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.windows import Shape, Window, chromium, window
from tests.e2e.machine import Machine, running_up


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
def lively(machine: Machine) -> Machine:
    """The machine with something on every page: who holds, who paid, who waits, who asked, who stopped."""
    for follower in ("lena", "omar", "pia"):
        machine.dm(follower, "LAUNCH")
    machine.pay(machine.hears("lena", "held for")["buttons"][0]["url"])
    machine.dm("quinn", "TEE")
    machine.dm("rosa", "STOP")
    machine.hears("pia", "held for")
    machine.hears("lena", "Thank you")
    return machine
