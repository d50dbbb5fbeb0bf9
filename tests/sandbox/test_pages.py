"""Are the pages whole? One title, one h1, unique ids, labels, no inline script, nothing from elsewhere."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from claimbot.sandbox.pages import find_templates
from tests.sandbox.test_stripe import create
from tests.sandbox.worlds import Running

VOID = frozenset("meta link input img br hr".split())


class Page(HTMLParser):
    """Every start tag with its attributes; raises AssertionError when tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def unlabelled(self) -> list[dict[str, str | None]]:
        named = {label.get("for") for label in self.all("label")}
        fields = [*self.all("input"), *self.all("select")]
        return [
            field
            for field in fields
            if field.get("id") not in named and "aria-label" not in field and field.get("type") != "checkbox"
        ]


def pages(world: Running) -> dict[str, Page]:
    asks = {
        "phone_number_collection": {"enabled": True},
        "shipping_address_collection": {"allowed_countries": ["DE"]},
        "consent_collection": {"promotions": "auto"},
    }
    still_open, ended = create(world, **asks), create(world)
    world.stripe.v1.checkout.sessions.expire(ended.id)
    paths = {
        "phone": "/",
        "pay": f"/pay/{still_open.id}",
        "declined": f"/pay/{still_open.id}?declined=1",
        "ended": f"/pay/{ended.id}",
        "gone": "/pay/cs_test_none",
    }
    return {name: Page(world.http.get(path).text) for name, path in paths.items()}


@pytest.mark.parametrize("name", ["phone", "pay", "declined", "ended", "gone"])
def test_a_page_is_whole(world: Running, name: str) -> None:
    page = pages(world)[name]
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert (len(page.all("title")), len(page.all("h1"))) == (1, 1)
    assert len(ids) == len(set(ids))
    assert [script for script in page.all("script") if "src" not in script] == []
    assert [one for _, one in page.tags if "style" in one or any(key.startswith("on") for key in one)] == []
    assert page.unlabelled() == []


def test_pages_load_nothing_from_elsewhere(world: Running) -> None:
    answer = world.http.get("/")
    page = Page(answer.text)
    assert [str(one["src"])[:8] for one in page.all("script")] == ["/static/"]
    assert world.http.get(str(page.all("script")[0]["src"])).status_code == 200
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def test_a_declined_card_says_so_and_stays_payable(world: Running) -> None:
    made = create(world)
    answer = world.http.post(f"/pay/{made.id}", data={"act": "decline"}, follow_redirects=True)
    assert "Your card was declined" in answer.text
    assert "90.00 EUR" in answer.text


def test_an_ended_page_tells_what_happened(world: Running) -> None:
    made = create(world)
    world.stripe.v1.checkout.sessions.expire(made.id)
    answer = world.http.post(f"/pay/{made.id}", data={"act": "pay"})
    assert answer.status_code == 409
    assert "expired" in answer.text


def test_templates_are_found_in_a_wheel_and_in_a_checkout(tmp_path: Path) -> None:
    package = tmp_path / "claimbot"
    package.mkdir()
    assert find_templates(package) == tmp_path / "templates"
    (package / "templates").mkdir()
    assert find_templates(package) == package / "templates"


def test_a_message_sent_without_script_is_on_the_phone(world: Running) -> None:
    sent = world.http.post("/", data={"follower": "mira.k", "text": "LAUNCH"})

    shown = world.http.get(sent.headers["Location"]).text
    assert sent.status_code == 303
    assert '<span class="bubble">LAUNCH</span>' in shown


def test_a_link_to_the_chat_opens_the_phone_with_its_word(world: Running) -> None:
    answer = world.http.get("/m/aurora.studio", params={"ref": 'LAUNCH"'}, follow_redirects=True)

    (draft,) = [one for one in Page(answer.text).all("input") if one.get("id") == "text"]
    assert draft["value"] == 'LAUNCH"'
