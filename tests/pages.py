"""Is this page whole? A client that reads every page it opens and checks what all of them must keep."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

VOID = frozenset("meta link input img br hr".split())
TYPED = frozenset("input select textarea".split())
# A form's token has one of these names.
TOKEN_FIELDS = frozenset(("form_token",))

Attributes = dict[str, str]


def is_sent(field: Attributes) -> bool:
    """A browser sends no tick that is not set."""
    return field.get("type") not in ("checkbox", "radio") or "checked" in field


@dataclass
class Form:
    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """What a page holds. Raises AssertionError where it breaks a rule that every page keeps."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, Attributes]] = []
        self.forms: list[Form] = []
        self._texts: dict[str, str] = {}
        self._open: list[str] = []
        self._typed = ""
        self._offered: set[str] = set()
        self.feed(html)
        assert self._open == [], f"never closed: {self._open}"
        self._check()

    @property
    def title(self) -> str:
        return self._texts["title"].strip()

    @property
    def heading(self) -> str:
        return self._texts["h1"].strip()

    @property
    def text(self) -> str:
        """Everything a person reads, in one line."""
        return " ".join(self._texts.get("body", "").split())

    def all(self, tag: str) -> list[Attributes]:
        return [attributes for name, attributes in self.tags if name == tag]

    def links(self) -> list[str]:
        return [link["href"] for link in self.all("a")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag == "form":
            self.forms.append(Form(attributes.get("method", ""), attributes.get("action", "")))
        if tag in TYPED and "form" in self._open and is_sent(attributes):
            self._typed = attributes.get("name", "")
            self.forms[-1].fields[self._typed] = attributes.get("value", "")
        if tag == "option" and "form" in self._open:
            self._offer(attributes)
        if tag not in VOID:
            self._open.append(tag)

    def _offer(self, option: Attributes) -> None:
        """A list begins at its first choice, unless another is marked."""
        fields = self.forms[-1].fields
        is_first = self._typed not in self._offered
        self._offered.add(self._typed)
        if is_first or "selected" in option:
            fields[self._typed] = option.get("value", "")

    def form(self, action: str) -> Form:
        """The one form that is sent there."""
        (found,) = [form for form in self.forms if form.action == action]
        return found

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if "textarea" in self._open[-1:] and "form" in self._open:
            self.forms[-1].fields[self._typed] += data
        for tag in set(self._open):
            self._texts[tag] = f"{self._texts.get(tag, '')} {data}"

    def _check(self) -> None:
        assert self.all("html")[0].get("lang"), "the page names no language"
        assert len(self.all("title")) == 1 and self.title, "one title"
        assert len(self.all("h1")) == 1 and self.heading, "one h1"
        ids = [attributes["id"] for _, attributes in self.tags if "id" in attributes]
        assert len(ids) == len(set(ids)), "unique ids"
        assert all("alt" in picture for picture in self.all("img")), "pictures say what they show"
        self._check_forms()
        self._check_nothing_inline()

    def _check_forms(self) -> None:
        named = {label.get("for") for label in self.all("label")}
        typed = [attributes for tag, attributes in self.tags if tag in TYPED]
        shown = [one for one in typed if one.get("type") != "hidden"]
        nameless = [one for one in shown if one.get("id") not in named and not one.get("aria-label")]
        assert not nameless, f"without a label: {nameless}"
        for form in self.forms:
            assert form.method in ("get", "post") and form.action.startswith("/"), "method and action"
            has_token = any(form.fields.get(name) for name in TOKEN_FIELDS)
            assert form.method == "get" or has_token, "every form that posts has a token"

    def _check_nothing_inline(self) -> None:
        assert "style" not in [tag for tag, _ in self.tags], "no inline style"
        assert not self._texts.get("script", "").strip(), "no inline script"
        assert all(one.get("src") and one.get("nonce") for one in self.all("script")), (
            "scripts: src and nonce"
        )
        names = {name for _, attributes in self.tags for name in attributes}
        assert not [name for name in names if name == "style" or name.startswith("on")], "nothing inline"
        assert not [link for link in self.links() if link.startswith("javascript:")], "no script in links"


@dataclass(frozen=True)
class Answer:
    """What came back, and the page when it is one."""

    status: int
    headers: dict[str, str]
    text: str
    page: Page | None

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")

    @property
    def shown(self) -> Page:
        assert self.page is not None, "this is no page"
        return self.page


class CheckingClient:
    """A browser without script that checks every page it opens."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **more: Any) -> Answer:
        return read_answer(self.client.get(path, **more))

    def post(self, path: str, **more: Any) -> Answer:
        return read_answer(self.client.post(path, **more))

    def submit(self, page: Page, **changes: str) -> Answer:
        """Send the page's only form, with these fields changed."""
        (form,) = page.forms
        return self.post(form.action, data={**form.fields, **changes})

    def send(self, page: Page, action: str, **changes: str) -> Answer:
        """Send one of the page's forms, with these fields changed."""
        return self.post(action, data={**page.form(action).fields, **changes})


def read_answer(response: TestResponse) -> Answer:
    is_page = response.mimetype == "text/html" and not 300 <= response.status_code < 400
    text = response.get_data(as_text=True)
    # As a server does when all was sent.
    response.close()
    return Answer(response.status_code, dict(response.headers), text, Page(text) if is_page else None)
